#include "netns/pod/pod_files.h"

#include <algorithm>

#include "core/base/strings.h"

namespace kin::netns {
namespace {

struct Resolver {
    std::vector<std::string> nameservers, searches, options;
};

Resolver cluster_first(const PodSpec& pod, const DnsPlan& dns) {
    Resolver out;
    out.nameservers = {dns.cluster_dns.to_string()};
    out.searches = {cat(pod.key.ns, ".svc.", dns.domain), cat("svc.", dns.domain), dns.domain};
    out.searches.insert(out.searches.end(), dns.node_searches.begin(), dns.node_searches.end());
    out.options = {"ndots:5"};
    return out;
}

Resolver as_the_node(const DnsPlan& dns) {
    Resolver out;
    for (const Ipv4 server : dns.node_nameservers) out.nameservers.push_back(server.to_string());
    out.searches = dns.node_searches;
    return out;
}

void add_missing(std::vector<std::string>& list, const Json& more) {
    for (const Json& item : more) {
        const std::string text = item.is_string() ? item.get<std::string>() : "";
        if (!text.empty() && std::find(list.begin(), list.end(), text) == list.end()) {
            list.push_back(text);
        }
    }
}

std::string_view option_name(std::string_view option) { return option.substr(0, option.find(':')); }

/// An option of the pod's own dnsConfig replaces one of the same name.
void add_options(std::vector<std::string>& options, const Json& more) {
    for (const Json& option : more) {
        const std::string name = string_at(option, {"name"});
        const std::string value = string_at(option, {"value"});
        std::erase_if(options, [&](const auto& old) { return option_name(old) == name; });
        options.push_back(value.empty() ? name : cat(name, ':', value));
    }
}

std::string full_name(const PodSpec& pod, const DnsPlan& dns) {
    return cat(pod.hostname, '.', pod.subdomain, '.', pod.key.ns, ".svc.", dns.domain);
}

/// What C libraries take: 32 domains of 2,048 bytes together. The rest is left out, as the kubelet
/// does it.
void limit_searches(std::vector<std::string>& searches) {
    constexpr size_t kMaxDomains = 32, kMaxBytes = 2048;
    if (searches.size() > kMaxDomains) searches.resize(kMaxDomains);
    while (join(searches, " ").size() > kMaxBytes) searches.pop_back();
}

constexpr std::string_view kLocalHosts =
    "127.0.0.1\tlocalhost\n"
    "::1\tlocalhost ip6-localhost ip6-loopback\n"
    "fe00::\tip6-localnet\n"
    "fe00::\tip6-mcastprefix\n"
    "fe00::1\tip6-allnodes\n"
    "fe00::2\tip6-allrouters\n";

}  // namespace

std::string resolv_conf(const PodSpec& pod, const DnsPlan& dns) {
    Resolver resolver;
    const bool cluster = pod.dns_policy == "ClusterFirstWithHostNet" ||
                         (pod.dns_policy == "ClusterFirst" && !pod.host_network);
    if (cluster) {
        resolver = cluster_first(pod, dns);
    } else if (pod.dns_policy != "None") {
        resolver = as_the_node(dns);
    }
    add_missing(resolver.nameservers, array_at(pod.dns_config, {"nameservers"}));
    add_missing(resolver.searches, array_at(pod.dns_config, {"searches"}));
    add_options(resolver.options, array_at(pod.dns_config, {"options"}));
    limit_searches(resolver.searches);
    // The C library reads three nameservers and ignores the rest.
    if (resolver.nameservers.size() > 3) resolver.nameservers.resize(3);
    std::string out;
    if (!resolver.searches.empty()) out += cat("search ", join(resolver.searches, " "), '\n');
    for (const std::string& server : resolver.nameservers) out += cat("nameserver ", server, '\n');
    if (!resolver.options.empty()) out += cat("options ", join(resolver.options, " "), '\n');
    return out;
}

std::string hosts_file(const PodSpec& pod, Ipv4 address, const DnsPlan& dns) {
    std::string out = pod.host_network ? "# Kubernetes-managed hosts file (host network).\n"
                                       : "# Kubernetes-managed hosts file.\n";
    out += kLocalHosts;
    if (pod.host_network) {
        out += cat(address, '\t', pod.node, '\n');
    } else if (pod.subdomain.empty()) {
        out += cat(address, '\t', pod.hostname, '\n');
    } else {
        out += cat(address, '\t', full_name(pod, dns), '\t', pod.hostname, '\n');
    }
    if (pod.host_aliases.empty()) return out;
    out += "\n# Entries added by HostAliases.\n";
    for (const HostAlias& alias : pod.host_aliases) {
        out += cat(alias.ip, '\t', join(alias.hostnames, "\t"), '\n');
    }
    return out;
}

std::string kernel_hostname(const PodSpec& pod, const DnsPlan& dns) {
    if (pod.host_network) return pod.node;
    if (!pod.set_hostname_as_fqdn || pod.subdomain.empty()) return pod.hostname;
    std::string name = full_name(pod, dns);
    return name.size() <= 64 ? name : pod.hostname;
}

}  // namespace kin::netns
