#include "netns/network/host_plan.h"

namespace kin::netns {
namespace {

template <class T>
void append(std::vector<T>& to, const std::vector<T>& more) {
    to.insert(to.end(), more.begin(), more.end());
}

}  // namespace

void append(HostPlan& to, const HostPlan& more) {
    append(to.sysctls, more.sysctls);
    append(to.optional_sysctls, more.optional_sysctls);
    append(to.bridges, more.bridges);
    append(to.tunnels, more.tunnels);
    append(to.ports, more.ports);
    append(to.addresses, more.addresses);
    append(to.checked, more.checked);
    append(to.up, more.up);
    append(to.neighbours, more.neighbours);
    append(to.forwarding, more.forwarding);
    append(to.routes, more.routes);
    append(to.sets, more.sets);
    append(to.chains, more.chains);
    append(to.carriers, more.carriers);
}

nft::Table rules_of(const HostPlan& host) {
    nft::Table table;
    table.name = "kin-network";
    table.sets = host.sets;
    table.chains = host.chains;
    return table;
}

void add_to(RtnlBatch& batch, const HostPlan& host) {
    for (const Vxlan& tunnel : host.tunnels) batch.add_vxlan(tunnel);
    for (const HostPlan::Port& port : host.ports) {
        batch.set_bridge(port.link, port.bridge);
        if (port.trust == HostPlan::Port::Trust::kIsolated) batch.isolate_port(port.link);
    }
    for (const LinkAddress& address : host.addresses) batch.add_address(address);
    for (const int link : host.checked) batch.check_senders(link);
    for (const int link : host.up) batch.set_up(link);
    for (const Neighbour& neighbour : host.neighbours) batch.set_neighbour(neighbour);
    for (const Forwarding& entry : host.forwarding) batch.set_forwarding(entry);
    for (const Route& route : host.routes) batch.set_route(route);
    for (const int link : host.carriers) batch.settle_carrier(link);
}

void take_from(RtnlBatch& batch, const HostPlan& addition) {
    for (const Route& route : addition.routes) batch.delete_route(route.destination);
    for (const Forwarding& entry : addition.forwarding) batch.delete_forwarding(entry);
    for (const Neighbour& gone : addition.neighbours) {
        batch.delete_neighbour(gone.link, gone.address);
    }
}

Route route_via(Cidr destination, Ipv4 via, int link) {
    Route route;
    route.destination = destination;
    route.hops = {{via, link}};
    return route;
}

Route unreachable(Cidr destination) {
    Route route;
    route.destination = destination;
    return route;
}

Sysctl no_ipv6() { return {"net/ipv6/conf/all/disable_ipv6", "1"}; }

std::vector<Sysctl> plain_bridges() {
    return {{"net/bridge/bridge-nf-call-iptables", "0"},
            {"net/bridge/bridge-nf-call-ip6tables", "0"},
            {"net/bridge/bridge-nf-call-arptables", "0"}};
}

}  // namespace kin::netns
