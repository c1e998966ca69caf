#include "netns/router/published_plan.h"

namespace kin::netns {

namespace {
// An ordinary user may not listen below; as for 80 and 443, everybody knows 8080 and 8443.
constexpr uint16_t kFirstFreePort = 1024;
constexpr uint16_t kMovedUpBy = 8000;
}  // namespace

Publication Publication::door() const {
    Publication out = *this;
    if (type == "NodePort") out.target = {};
    return out;
}

std::vector<Publication> publications_of(const Service& service, Ipv4 node) {
    std::vector<Publication> out;
    if (service.type != "NodePort" && !service.load_balanced()) return out;
    for (const ServicePort& port : service.ports) {
        if (port.protocol == Protocol::kSctp) continue;
        if (port.node_port != 0) {
            out.push_back({service.key(), port.name, "NodePort", port.protocol, node,
                           port.node_port, port.node_port});
        }
        if (!service.load_balanced()) continue;
        for (const std::string& text : service.load_balancer_ips) {
            const auto address = Ipv4::parse(text);
            if (!address) continue;
            const int wished = port.port < kFirstFreePort ? port.port + kMovedUpBy : port.port;
            out.push_back({service.key(), port.name, "LoadBalancer", port.protocol, *address,
                           port.port, static_cast<uint16_t>(wished)});
        }
    }
    return out;
}

}  // namespace kin::netns
