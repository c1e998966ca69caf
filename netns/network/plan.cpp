#include "netns/network/plan.h"

#include "core/base/strings.h"

namespace kin::netns {
namespace {

// Ifindexes in the router and on the fabric.
constexpr int kOutsideBridge = 3;
constexpr int kClientPort = 4;
constexpr int kInternetPort = 5;
constexpr int kFabricBridge = 2;
constexpr int kFabricRouterPort = 3;
constexpr int kFabricFirstNodePort = 10;

Mac mac_with(uint8_t first, Ipv4 address) {
    return {{first, 0x58, static_cast<uint8_t>(address.value >> 24),
             static_cast<uint8_t>(address.value >> 16), static_cast<uint8_t>(address.value >> 8),
             static_cast<uint8_t>(address.value)}};
}

Route route_via(Cidr destination, Ipv4 via, int link) {
    Route route;
    route.destination = destination;
    route.hops = {{via, link}};
    return route;
}

/// Answers "no route to host" at once where a default route would send packets in circles.
Route unreachable(Cidr destination) {
    Route route;
    route.destination = destination;
    return route;
}

/// IPv6 is quiet unless asked for: every link would chat (router solicitations, duplicate address
/// detection), which made setting up a pod 5 times slower with 1,000 of them.
const Sysctl kNoIpv6{"net/ipv6/conf/all/disable_ipv6", "1"};

std::vector<Sysctl> forwarding() {
    return {
        {"net/ipv4/ip_forward", "1"},
        // Replies may leave by another link than the one requests came from.
        {"net/ipv4/conf/all/rp_filter", "0"},
        {"net/ipv4/conf/default/rp_filter", "0"},
        // Two pods of a node reach each other over it although a shorter way seems to exist.
        {"net/ipv4/conf/all/send_redirects", "0"},
        {"net/ipv4/conf/default/send_redirects", "0"},
    };
}

/// Of several equal routes each connection takes one, not each pair of hosts.
const Sysctl kHashPorts{"net/ipv4/fib_multipath_hash_policy", "1"};

/// Bridges must not pass frames through the namespace's IP hooks. These exist only where
/// br_netfilter is loaded, and then start at 1.
std::vector<Sysctl> plain_bridges() {
    return {{"net/bridge/bridge-nf-call-iptables", "0"},
            {"net/bridge/bridge-nf-call-ip6tables", "0"},
            {"net/bridge/bridge-nf-call-arptables", "0"},
            kNoIpv6};
}

HostPlan plan_fabric() {
    HostPlan fabric;
    fabric.name = "fabric";
    fabric.optional_sysctls = plain_bridges();
    fabric.bridges = {{"fabric", kFabricBridge, {}}};
    fabric.ports = {{kFabricRouterPort, kFabricBridge}};
    fabric.up = {kFabricBridge, kFabricRouterPort};
    return fabric;
}

HostPlan plan_router(const AddressPlan& plan) {
    HostPlan router;
    router.name = "router";
    router.sysctls = forwarding();
    router.sysctls.push_back(kHashPorts);
    router.optional_sysctls = plain_bridges();
    router.bridges = {{"outside", kOutsideBridge, mac_of(plan.outside_router())}};
    router.ports = {{kClientPort, kOutsideBridge}, {kInternetPort, kOutsideBridge}};
    router.addresses = {{kEth0, plan.router(), plan.nodes.bits},
                        {kOutsideBridge, plan.outside_router(), plan.outside.bits}};
    router.up = {kLoopback, kEth0, kOutsideBridge, kClientPort, kInternetPort};
    for (const Ipv4 host : {plan.client(), plan.internet()}) {
        router.neighbours.push_back({kOutsideBridge, host, mac_of(host)});
    }
    // As in most real networks, the router knows nothing of pods and Services.
    router.routes = {unreachable(plan.pods), unreachable(plan.services),
                     unreachable(plan.load_balancers)};
    return router;
}

HostPlan plan_outside_host(const AddressPlan& plan, std::string name, Ipv4 address) {
    HostPlan host;
    host.name = std::move(name);
    host.optional_sysctls = {kNoIpv6};
    host.addresses = {{kEth0, address, plan.outside.bits}};
    host.up = {kLoopback, kEth0};
    host.neighbours = {{kEth0, plan.outside_router(), mac_of(plan.outside_router())}};
    for (const Ipv4 other : {plan.client(), plan.internet()}) {
        if (other != address) host.neighbours.push_back({kEth0, other, mac_of(other)});
    }
    host.routes = {route_via({{0}, 0}, plan.outside_router(), kEth0)};
    return host;
}

/// What every node has of the node `number`, which is another one.
HostPlan plan_peer(const AddressPlan& plan, int number) {
    const Ipv4 address = plan.node(number);
    HostPlan peer;
    peer.neighbours = {{kEth0, address, mac_of(address)}};
    peer.routes = {route_via(plan.node_pods(number), address, kEth0)};
    return peer;
}

template <class T>
void append(std::vector<T>& to, const std::vector<T>& more) {
    to.insert(to.end(), more.begin(), more.end());
}

void append(HostPlan& to, const HostPlan& more) {
    append(to.ports, more.ports);
    append(to.addresses, more.addresses);
    append(to.up, more.up);
    append(to.neighbours, more.neighbours);
    append(to.routes, more.routes);
}

HostPlan plan_node_alone(const AddressPlan& plan, int number) {
    HostPlan node;
    node.name = node_name(number);
    node.sysctls = forwarding();
    node.sysctls.push_back(kHashPorts);
    node.optional_sysctls = {kNoIpv6};
    node.addresses = {{kEth0, plan.node(number), plan.nodes.bits},
                      // Every pod of the node has this one gateway; on lo it is up whatever pods
                      // come and go.
                      {kLoopback, plan.gateway(number), 32}};
    node.up = {kLoopback, kEth0};
    node.neighbours = {{kEth0, plan.router(), mac_of(plan.router())}};
    node.routes = {route_via({{0}, 0}, plan.router(), kEth0),
                   // Addresses of pods that are no more; living pods have longer routes.
                   unreachable(plan.node_pods(number))};
    return node;
}

/// "eth0" of a host, and the port at the other end of its cable.
Cable plan_cable(std::string host, Ipv4 address, std::string there, int port) {
    LinkEnd far{host, port, far_mac_of(address)};
    return {std::move(host), {"eth0", kEth0, mac_of(address)}, std::move(there), std::move(far)};
}

std::vector<std::pair<std::string_view, Cidr>> blocks(const AddressPlan& plan) {
    return {{"pods", plan.pods},
            {"services", plan.services},
            {"nodes", plan.nodes},
            {"load balancers", plan.load_balancers},
            {"outside", plan.outside}};
}

}  // namespace

Result<> AddressPlan::check(int last_node) const {
    const auto all = blocks(*this);
    for (size_t i = 0; i < all.size(); ++i) {
        for (size_t j = i + 1; j < all.size(); ++j) {
            if (!all[i].second.overlaps(all[j].second)) continue;
            return Error(Errc::kInvalid,
                         cat("the addresses of ", all[i].first, " (", all[i].second,
                             ") overlap those of ", all[j].first, " (", all[j].second, ')'));
        }
    }
    if (node_pod_bits <= pods.bits || node_pod_bits > 29) {
        return Error(Errc::kInvalid, cat("a node's share of ", pods, " cannot be a /",
                                         static_cast<int>(node_pod_bits)));
    }
    if (outside.bits > 27) return Error(Errc::kInvalid, cat(outside, " is too small"));
    if (services.bits > 28) return Error(Errc::kInvalid, cat(services, " is too small"));
    // Share 0 is nobody's, so that share N is node N's. The last address of `nodes` is broadcast.
    const auto shares = (uint64_t{1} << (node_pod_bits - pods.bits)) - 1;
    const auto count = static_cast<uint64_t>(last_node);
    if (last_node < 1 || count > shares || count + 3 > nodes.size()) {
        return Error(Errc::kInvalid, cat(last_node, " nodes do not fit in ", nodes, " and ", pods));
    }
    return Ok{};
}

Cidr AddressPlan::node_pods(int number) const {
    return {pods.address.plus(static_cast<uint32_t>(number) << (32 - node_pod_bits)),
            node_pod_bits};
}

std::string node_name(int number) { return cat("node-", number); }

int node_number(std::string_view name) {
    if (!name.starts_with("node-")) return 0;
    const auto number = parse_number<int>(name.substr(5));
    return number && *number > 0 && node_name(*number) == name ? *number : 0;
}

std::vector<int> first_nodes(int count) {
    std::vector<int> numbers;
    for (int number = 1; number <= count; ++number) numbers.push_back(number);
    return numbers;
}

Mac mac_of(Ipv4 address) { return mac_with(0x0a, address); }
Mac far_mac_of(Ipv4 address) { return mac_with(0x0e, address); }

const HostPlan* ClusterPlan::find(std::string_view host) const {
    for (const HostPlan& plan : hosts) {
        if (plan.name == host) return &plan;
    }
    return nullptr;
}

NodePlan plan_node(const AddressPlan& addresses, int number, const std::vector<int>& others) {
    NodePlan plan;
    plan.host = plan_node_alone(addresses, number);
    for (const int other : others) {
        if (other != number) append(plan.host, plan_peer(addresses, other));
    }
    const Ipv4 address = addresses.node(number);
    const int port = kFabricFirstNodePort + number;
    plan.cable = plan_cable(node_name(number), address, "fabric", port);
    plan.fabric.ports = {{port, kFabricBridge}};
    plan.fabric.up = {port};
    plan.router.neighbours = {{kEth0, address, mac_of(address)}};
    plan.peer = plan_peer(addresses, number);
    return plan;
}

ClusterPlan plan_cluster(const AddressPlan& addresses, const std::vector<int>& nodes) {
    ClusterPlan plan;
    plan.hosts = {plan_fabric(), plan_router(addresses),
                  plan_outside_host(addresses, "client", addresses.client()),
                  plan_outside_host(addresses, "internet", addresses.internet())};
    plan.cables = {plan_cable("router", addresses.router(), "fabric", kFabricRouterPort),
                   plan_cable("client", addresses.client(), "router", kClientPort),
                   plan_cable("internet", addresses.internet(), "router", kInternetPort)};
    for (const int number : nodes) {
        NodePlan node = plan_node(addresses, number, nodes);
        append(plan.hosts[0], node.fabric);
        append(plan.hosts[1], node.router);
        plan.hosts.push_back(std::move(node.host));
        plan.cables.push_back(std::move(node.cable));
    }
    return plan;
}

PodPlan plan_pod(const AddressPlan& addresses, int node, Ipv4 pod, int link, std::string_view tag) {
    const Ipv4 gateway = addresses.gateway(node);
    PodPlan plan;
    plan.pod_end = {"eth0", kEth0, mac_of(pod)};
    plan.node_end = {cat("veth", tag.substr(0, 11)), link, far_mac_of(pod)};
    // Containers may open ports below 1024 whatever user they run as, as under containerd.
    plan.sysctls = {{"net/ipv4/ip_unprivileged_port_start", "0"}};
    plan.optional_sysctls = {kNoIpv6};
    plan.address = {kEth0, pod, 32};
    plan.gateway = {kEth0, gateway, far_mac_of(pod)};
    plan.default_route = route_via({{0}, 0}, gateway, kEth0);
    plan.default_route.gateway = Route::Gateway::kOnLink;
    plan.pod = {link, pod, mac_of(pod)};
    plan.pod_route = route_via({pod, 32}, {}, link);
    // What the node sends to its pods comes from its own address, not from the gateway's on lo.
    plan.pod_route.source = addresses.node(node);
    return plan;
}

}  // namespace kin::netns
