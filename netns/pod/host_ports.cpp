#include "netns/pod/host_ports.h"

#include "core/base/strings.h"
#include "netns/network/node_links.h"

namespace kin::netns {
namespace {

constexpr char kTable[] = "kin-hostports";
constexpr char kPorts[] = "host-ports";

nft::L4 l4_of(Protocol protocol) {
    switch (protocol) {
        case Protocol::kUdp:
            return nft::L4::kUdp;
        case Protocol::kSctp:
            return nft::L4::kSctp;
        default:
            return nft::L4::kTcp;
    }
}

nft::Rule rule_of(const HostPort& port) {
    nft::Rule rule;
    rule.statements.push_back(nft::LocalMatch{nft::Side::kDestination});
    const auto address = Ipv4::parse(port.host_ip);
    if (address && address->value != 0) {
        rule.statements.push_back(nft::AddressMatch{nft::Side::kDestination, {*address, 32}});
    }
    const nft::L4 l4 = l4_of(port.protocol);
    rule.statements.push_back(
        nft::PortMatch{l4, nft::Side::kDestination, port.host_port, port.host_port});
    rule.statements.push_back(nft::Counter{});
    rule.statements.push_back(nft::Dnat{port.pod_ip, port.pod_port});
    rule.comment = cat("hostPort of ", port.pod);
    return rule;
}

/// A pod that reaches itself by its node's port must not see its own address as the client's.
nft::Rule hairpin_of(const HostPort& port) {
    nft::Rule rule;
    rule.statements = {nft::AddressMatch{nft::Side::kSource, {port.pod_ip, 32}},
                       nft::AddressMatch{nft::Side::kDestination, {port.pod_ip, 32}},
                       nft::CtDnatMatch{}, nft::Masquerade{}};
    rule.comment = cat("hostPort of ", port.pod, ", by itself");
    return rule;
}

nft::Chain base_chain(const char* name, nft::Hook hook, const char* to) {
    nft::Chain chain;
    chain.name = name;
    chain.base = nft::Base{nft::Base::Type::kNat, hook, nft::kDstnatPriority - 5};
    chain.rules.push_back({{nft::jump(to)}, ""});
    return chain;
}

}  // namespace

std::vector<HostPort> host_ports_of(const PodSpec& pod, Ipv4 pod_ip) {
    std::vector<HostPort> out;
    if (pod.host_network) return out;
    for (const auto* list : {&pod.init_containers, &pod.containers}) {
        for (const ContainerSpecView& container : *list) {
            for (size_t at = 0; at < container.ports.size(); ++at) {
                const ContainerPort& port = container.ports[at];
                if (port.host_port == 0) continue;
                out.push_back({port.protocol, container.host_ips[at], port.host_port, pod_ip,
                               port.port, pod.key.to_string()});
            }
        }
    }
    return out;
}

nft::Table host_port_table(const std::vector<HostPort>& ports) {
    nft::Chain to_pods;
    to_pods.name = kPorts;
    nft::Chain postrouting;
    postrouting.name = "postrouting";
    postrouting.base =
        nft::Base{nft::Base::Type::kNat, nft::Hook::kPostrouting, nft::kSrcnatPriority - 5};
    for (const HostPort& port : ports) {
        to_pods.rules.push_back(rule_of(port));
        postrouting.rules.push_back(hairpin_of(port));
    }
    nft::Table table;
    table.name = kTable;
    table.chains = {std::move(to_pods), base_chain("prerouting", nft::Hook::kPrerouting, kPorts),
                    base_chain("output", nft::Hook::kOutput, kPorts), std::move(postrouting)};
    return table;
}

Result<> HostPorts::set(const std::string& pod_uid, const std::string& node,
                        std::vector<HostPort> ports) {
    if (ports.empty()) return remove(pod_uid);
    pods_[pod_uid] = {node, std::move(ports)};
    return write(node);
}

Result<> HostPorts::remove(const std::string& pod_uid) {
    const auto found = pods_.find(pod_uid);
    if (found == pods_.end()) return Ok{};
    const std::string node = found->second.node;
    pods_.erase(found);
    return write(node);
}

Result<> HostPorts::write(const std::string& node) {
    KernelNode* kernel = links_.find(node);
    if (!kernel) return Ok{};
    std::vector<HostPort> all;
    for (const auto& [uid, entry] : pods_) {
        if (entry.node == node) all.insert(all.end(), entry.ports.begin(), entry.ports.end());
    }
    auto written =
        all.empty() ? kernel->nft.remove(kTable) : kernel->nft.replace(host_port_table(all));
    return std::move(written).context(cat("hostPorts of ", node));
}

}  // namespace kin::netns
