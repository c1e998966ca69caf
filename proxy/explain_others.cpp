// The same Service as kube-proxy's older modes hold it. Nothing of this is in a kernel here.
#include <openssl/sha.h>

#include <cstdio>

#include "core/base/strings.h"
#include "proxy/explain.h"

namespace kin::proxy {

namespace {
std::string base32(std::string_view bytes) {
    constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    std::string out;
    uint32_t held = 0;
    int bits = 0;
    for (const char byte : bytes) {
        held = held << 8 | static_cast<uint8_t>(byte);
        for (bits += 8; bits >= 5; bits -= 5) out += kAlphabet[held >> (bits - 5) & 31];
    }
    return out;
}

std::string hash(const std::string& text) {
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
    return base32({reinterpret_cast<const char*>(digest), sizeof digest}).substr(0, 16);
}

std::string protocol_of(const ServicePort& port) {
    return port.l4 == nft::L4::kUdp ? "udp" : "tcp";
}

class Iptables {
public:
    Iptables(const ServicePort& port, const std::string& node)
        : port_(port),
          service_(cat("KUBE-SVC-", hash(port.name + protocol_of(port)))),
          external_(cat("KUBE-EXT-", hash(port.name + protocol_of(port)))) {
        const auto here = port.local.find(node);
        if (here != port.local.end()) local_ = here->second;
    }

    std::string run() {
        if (port_.endpoints.empty()) return refused();
        jump("KUBE-SERVICES", cat("-d ", port_.cluster_ip, "/32 "), "cluster IP", port_.port,
             service_);
        for (const auto* ips : {&port_.external_ips, &port_.balanced_ips})
            for (const Ipv4 ip : *ips)
                jump("KUBE-SERVICES", cat("-d ", ip, "/32 "),
                     ips == &port_.external_ips ? "external IP" : "loadbalancer IP", port_.port,
                     external_);
        if (port_.node_port != 0) jump("KUBE-NODEPORTS", "", "", port_.node_port, external_);
        if (port_.node_port != 0 || !port_.external_ips.empty() || !port_.balanced_ips.empty())
            external_chain();
        choose(service_, port_.endpoints);
        for (const Endpoint& endpoint : port_.endpoints) endpoint_chain(endpoint);
        return std::move(out_);
    }

private:
    std::string refused() {
        return cat("# table filter\n-A KUBE-SERVICES -d ", port_.cluster_ip, "/32 -p ",
                   protocol_of(port_), " -m comment --comment \"", port_.name,
                   " has no endpoints\" -m ", protocol_of(port_), " --dport ", port_.port,
                   " -j REJECT --reject-with icmp-port-unreachable\n");
    }
    std::string comment(std::string_view more = "") const {
        const std::string text = more.empty() ? port_.name : cat(port_.name, ' ', more);
        // iptables-save quotes what holds a blank.
        return more.empty() ? cat("-m comment --comment ", text, ' ')
                            : cat("-m comment --comment \"", text, "\" ");
    }
    void jump(std::string_view chain, const std::string& match, std::string_view what,
              uint16_t port, const std::string& target) {
        out_ += cat("-A ", chain, ' ', match, "-p ", protocol_of(port_), ' ', comment(what), "-m ",
                    protocol_of(port_), " --dport ", port, " -j ", target, '\n');
    }
    void external_chain() {
        if (port_.external == TrafficPolicy::kCluster) {
            out_ += cat("-A ", external_, ' ', "-m comment --comment \"masquerade traffic for ",
                        port_.name, " external destinations\" -j KUBE-MARK-MASQ\n-A ", external_,
                        " -j ", service_, '\n');
            return;
        }
        const std::string local = cat("KUBE-SVL-", hash(port_.name + protocol_of(port_)));
        out_ += cat("-A ", external_, " -j ", local_.empty() ? "DROP" : local, '\n');
        choose(local, local_);
    }
    std::string endpoint_name(const Endpoint& endpoint) const {
        return cat("KUBE-SEP-",
                   hash(cat(port_.name, protocol_of(port_), endpoint.address, ':', endpoint.port)));
    }
    void choose(const std::string& chain, const std::vector<Endpoint>& endpoints) {
        if (port_.affinity_s != 0) {
            for (const Endpoint& endpoint : endpoints)
                out_ += cat("-A ", chain, ' ', comment(), "-m recent --rcheck --seconds ",
                            port_.affinity_s, " --reap --name ", endpoint_name(endpoint), " -j ",
                            endpoint_name(endpoint), '\n');
        }
        size_t left = endpoints.size();
        for (const Endpoint& endpoint : endpoints) {
            out_ += cat("-A ", chain, " -m comment --comment \"", port_.name, " -> ",
                        endpoint.address, ':', endpoint.port, "\" ");
            if (left > 1) {
                char probability[32];
                std::snprintf(probability, sizeof probability, "%.11f",
                              1.0 / static_cast<double>(left));
                out_ += cat("-m statistic --mode random --probability ", probability, ' ');
            }
            out_ += cat("-j ", endpoint_name(endpoint), '\n');
            --left;
        }
    }
    void endpoint_chain(const Endpoint& endpoint) {
        const std::string chain = endpoint_name(endpoint);
        out_ += cat("-A ", chain, " -s ", endpoint.address, "/32 ", comment(),
                    "-j KUBE-MARK-MASQ\n-A ", chain, " -p ", protocol_of(port_), ' ', comment());
        if (port_.affinity_s != 0) out_ += cat("-m recent --set --name ", chain, ' ');
        out_ += cat("-m ", protocol_of(port_), " -j DNAT --to-destination ", endpoint.address, ':',
                    endpoint.port, '\n');
    }

    const ServicePort& port_;
    const std::string service_, external_;
    std::vector<Endpoint> local_;
    std::string out_;
};

void ipvs_server(std::string& out, const ServicePort& port, Ipv4 address, uint16_t number,
                 const std::vector<Endpoint>& endpoints) {
    out += cat(port.l4 == nft::L4::kUdp ? "UDP  " : "TCP  ", address, ':', number, " rr");
    if (port.affinity_s != 0) out += cat(" persistent ", port.affinity_s);
    out += '\n';
    for (const Endpoint& endpoint : endpoints)
        out += cat("  -> ", endpoint.address, ':', endpoint.port, "  Masq  1  0  0\n");
}
}  // namespace

std::string explain_iptables(const Network& network, std::span<const ServicePort> ports) {
    std::string out = "# What kube-proxy's mode iptables would hold on " + network.node +
                      ", for comparison (table nat).\n";
    for (const ServicePort& port : ports) out += '\n' + Iptables(port, network.node).run();
    return out;
}

std::string explain_ipvs(const Network& network, std::span<const ServicePort> ports) {
    std::string out = "# What kube-proxy's mode ipvs would hold on " + network.node +
                      ", for comparison.\nProt LocalAddress:Port Scheduler Flags\n"
                      "  -> RemoteAddress:Port  Forward Weight ActiveConn InActConn\n";
    for (const ServicePort& port : ports) {
        const auto here = port.local.find(network.node);
        static const std::vector<Endpoint> kNone;
        const auto& outside = port.external == TrafficPolicy::kCluster ? port.endpoints
                              : here == port.local.end()               ? kNone
                                                                       : here->second;
        ipvs_server(out, port, port.cluster_ip, port.port, port.endpoints);
        for (const auto* ips : {&port.external_ips, &port.balanced_ips})
            for (const Ipv4 ip : *ips) ipvs_server(out, port, ip, port.port, outside);
        if (port.node_port != 0)
            ipvs_server(out, port, network.node_address, port.node_port, outside);
    }
    return out;
}

}  // namespace kin::proxy
