#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/base/ip.h"
#include "core/base/result.h"
#include "core/kernel/nft.h"
#include "netns/pod/pod_spec.h"

namespace kin::netns {

class NodeLinks;

/// A port of a node that leads to a pod.
struct HostPort {
    Protocol protocol = Protocol::kTcp;
    std::string host_ip;  ///< "" or "0.0.0.0": every address of the node
    uint16_t host_port = 0;
    Ipv4 pod_ip;
    uint16_t pod_port = 0;
    std::string pod;  ///< for people: "shop/web-1"
};

/// What a pod's containers declare; empty with hostNetwork, where ports are the node's anyway.
std::vector<HostPort> host_ports_of(const PodSpec& pod, Ipv4 pod_ip);

/// Table kin-hostports of a node: new connections to its addresses, from outside and from itself,
/// go to the pods. Before kube-proxy's rules: a hostPort wins over a NodePort of that number. Pure.
nft::Table host_port_table(const std::vector<HostPort>& ports);

/// Keeps that table on every node. On the control thread.
class HostPorts {
public:
    explicit HostPorts(NodeLinks& links) : links_(links) {}

    /// Replaces what this pod has on its node.
    Result<> set(const std::string& pod_uid, const std::string& node, std::vector<HostPort> ports);
    /// Nothing there is success.
    Result<> remove(const std::string& pod_uid);

private:
    struct Entry {
        std::string node;
        std::vector<HostPort> ports;
    };
    Result<> write(const std::string& node);

    NodeLinks& links_;
    std::map<std::string, Entry> pods_;
};

}  // namespace kin::netns
