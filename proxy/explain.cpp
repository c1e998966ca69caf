#include "proxy/explain.h"

#include <algorithm>

#include "core/base/strings.h"
#include "proxy/names.h"

namespace kin::proxy {

namespace {
using nft::Key;

std::string protocol_text(const ServicePort& port) {
    return port.l4 == nft::L4::kUdp ? "UDP" : "TCP";
}

std::string padded(std::string text, size_t width) {
    // Two blanks at least, behind names that are longer than the column.
    text.append(text.size() + 2 <= width ? width - text.size() : 2, ' ');
    return text;
}

std::string connections(uint64_t count) {
    return cat(count, count == 1 ? " connection" : " connections");
}

/// Writes one Service port's ways and endpoints.
class Explainer {
public:
    Explainer(const Network& network, const ServicePort& port, const Counts& counts)
        : network_(network), port_(port), counts_(counts) {
        const auto here = port.local.find(network.node);
        if (here != port.local.end()) local_ = here->second;
    }

    std::string run() {
        const auto at = [&](Ipv4 ip) { return Key(ip, port_.l4, uint32_t{port_.port}); };
        const auto name = [&](Ipv4 ip, std::string_view what) {
            return cat(ip, ':', port_.port, '/', protocol_text(port_), "  ", what);
        };
        const bool local = port_.external == TrafficPolicy::kLocal;
        way(name(port_.cluster_ip, "ClusterIP"), at(port_.cluster_ip), kServiceIps, kEndpoints,
            port_.internal == TrafficPolicy::kLocal ? local_ : port_.endpoints, "");
        for (const Ipv4 ip : port_.external_ips) outside(name(ip, "external IP"), at(ip), local);
        for (const Ipv4 ip : port_.balanced_ips) {
            outside(name(ip, "load balancer"), at(ip), local);
            ranges();
        }
        if (port_.node_port != 0) node_port(local);
        return std::move(out_);
    }

private:
    void outside(const std::string& name, const Key& key, bool local) {
        if (!local) {
            return way(name, key, kServiceIps, kEndpoints, port_.endpoints, kThroughNode);
        }
        way(name, key, kLocalServiceIps, kLocalEndpoints, local_, kKeepsAddress);
    }
    void node_port(bool local) {
        const Key key(port_.l4, uint32_t{port_.node_port});
        const std::string name = cat(network_.node_address, ':', port_.node_port, '/',
                                     protocol_text(port_), "  node port");
        if (local)
            return way(name, key, kLocalNodePorts, kLocalNodePortEndpoints, local_, kKeepsAddress);
        way(name, key, kServiceNodePorts, kNodePortEndpoints, port_.endpoints, kThroughNode);
    }
    void ranges() {
        if (!port_.restricted) return;
        std::vector<std::string> texts;
        for (const Cidr& range : port_.source_ranges) texts.push_back(range.to_string());
        out_ += cat("    only from ", texts.empty() ? "nowhere" : join(texts, ", "), " (map ",
                    kFirewallIps, ")\n");
    }

    void way(const std::string& name, const Key& key, const char* services, const char* endpoints,
             const std::vector<Endpoint>& targets, const char* remark) {
        out_ += cat("  ", padded(name, 46));
        if (targets.empty()) return refused(services, key.size() == 2);
        out_ += cat(connections(count(services, key)), "\n    map ", services, ": one of ",
                    targets.size(), targets.size() == 1 ? " endpoint" : " endpoints, at random");
        if (port_.affinity_s != 0) {
            out_ += cat("; the same for ", port_.affinity_s, " s after a client's last connection");
        }
        out_ += cat('\n', remark);
        uint32_t index = 0;
        for (const Endpoint& target : targets) {
            const std::string to =
                cat("    -> ", target.address, ':', target.port, "  ", target.pod);
            out_ += port_.affinity_s != 0
                        ? cat(to, '\n')
                        : cat(padded(to, 48), connections(count(endpoints, key.with(index))), '\n');
            ++index;
        }
    }
    void refused(std::string_view services, bool node_port) {
        const bool local = services == kLocalServiceIps || services == kLocalNodePorts;
        const std::string_view map = local       ? services
                                     : node_port ? kNoEndpointNodePorts
                                                 : kNoEndpointServices;
        if (port_.endpoints.empty()) {
            out_ += cat("refused\n    map ", map,
                        ": no pod is ready, so connections are rejected at once\n");
        } else {
            out_ += cat("dropped on this node\n    map ", map,
                        ": no pod of this node is ready, and the traffic policy is Local\n");
        }
    }

    uint64_t count(const char* set, const Key& key) const {
        const auto counts = counts_.find(set);
        if (counts == counts_.end()) return 0;
        const auto found = std::ranges::find_if(
            counts->second, [&](const nft::Count& entry) { return entry.range.first == key; });
        return found == counts->second.end() ? 0 : found->packets;
    }

    static constexpr const char* kThroughNode =
        "    the pod sees the node's address as the client (mark 0x4000, chain masquerading)\n";
    static constexpr const char* kKeepsAddress =
        "    only pods of this node, which see the client's own address (policy Local)\n";

    const Network& network_;
    const ServicePort& port_;
    const Counts& counts_;
    std::vector<Endpoint> local_;
    std::string out_;
};
}  // namespace

std::vector<std::string> counted_sets() {
    return {kServiceIps,      kEndpoints,      kServiceNodePorts, kNodePortEndpoints,
            kLocalServiceIps, kLocalEndpoints, kLocalNodePorts,   kLocalNodePortEndpoints};
}

std::string explain(const Network& network, std::span<const ServicePort> ports,
                    const Counts& counts) {
    if (ports.empty()) {
        return "kube-proxy has no rules for this Service: a headless or ExternalName Service is\n"
               "made of DNS records only, and SCTP ports are not programmed.\n";
    }
    std::string out = cat("table ip kube-proxy on ", network.node, ":\n");
    for (const ServicePort& port : ports) {
        out += cat('\n', port.name, '\n', Explainer(network, port, counts).run());
    }
    out += "\nAn address answers TCP and UDP only: ping is rejected, as in kube-proxy's mode nftables.\n";
    return out;
}

}  // namespace kin::proxy
