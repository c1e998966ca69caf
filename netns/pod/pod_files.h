#pragma once

#include <string>
#include <vector>

#include "core/base/ip.h"
#include "netns/pod/pod_spec.h"

namespace kin::netns {

/// How names are found in this cluster.
struct DnsPlan {
    Ipv4 cluster_dns;
    std::string domain = "cluster.local";
    /// What nodes themselves use: /etc/resolv.conf of pods with dnsPolicy Default.
    std::vector<Ipv4> node_nameservers;
    std::vector<std::string> node_searches;
};

/// The pod's /etc/resolv.conf by dnsPolicy and dnsConfig.
std::string resolv_conf(const PodSpec& pod, const DnsPlan& dns);

/// The pod's /etc/hosts: its own address with its host name, and spec.hostAliases.
std::string hosts_file(const PodSpec& pod, Ipv4 address, const DnsPlan& dns);

/// "web-0", or "web-0.web.shop.svc.cluster.local" with setHostnameAsFQDN.
std::string kernel_hostname(const PodSpec& pod, const DnsPlan& dns);

}  // namespace kin::netns
