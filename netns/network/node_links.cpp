#include "netns/network/node_links.h"

#include <sched.h>

#include "core/base/strings.h"
#include "netns/network/egress.h"

namespace kin::netns {
namespace {

/// What the host holds once its cables are there.
void add_to(RtnlBatch& batch, const HostPlan& host) {
    for (const HostPlan::Port& port : host.ports) batch.set_bridge(port.link, port.bridge);
    for (const LinkAddress& address : host.addresses) batch.add_address(address);
    for (const int link : host.up) batch.set_up(link);
    for (const Neighbour& neighbour : host.neighbours) batch.set_neighbour(neighbour);
    for (const Route& route : host.routes) batch.set_route(route);
}

}  // namespace

Result<> leave_host_network() {
    if (::unshare(CLONE_NEWNET) < 0) {
        return Error::from_errno("leave the host's network namespace");
    }
    return Ok{};
}

Result<> write_sysctls(const Netns& netns, const std::vector<Sysctl>& required,
                       const std::vector<Sysctl>& optional) {
    if (!required.empty()) TRY(netns.write_sysctls(required));
    for (const Sysctl& setting : optional) {
        auto written = netns.write_sysctls({setting});
        if (!written && written.error().code() != Errc::kNotFound) return written;
    }
    return Ok{};
}

Result<std::unique_ptr<NodeLinks>> NodeLinks::create(const AddressPlan& addresses, int node_count) {
    TRY(addresses.check(node_count));
    std::unique_ptr<NodeLinks> links(new NodeLinks(addresses));
    TRY(links->build(node_count));
    return links;
}

KernelNode* NodeLinks::find(std::string_view name) {
    const auto found = hosts_.find(name);
    return found == hosts_.end() ? nullptr : &found->second;
}

Result<> NodeLinks::build(int node_count) {
    const ClusterPlan plan = plan_cluster(addresses_, node_count);
    for (const HostPlan& host : plan.hosts) {
        TRY_ASSIGN(KernelNode node, KernelNode::create(host.name));
        TRY(write_sysctls(node.netns, host.sysctls, host.optional_sysctls).context(host.name));
        hosts_.emplace(host.name, std::move(node));
    }
    // First all bridges and cables, then what stands on them: a cable has two ends.
    std::map<std::string, RtnlBatch> cables, rest;
    for (const HostPlan& host : plan.hosts) {
        for (const LinkEnd& bridge : host.bridges) cables[host.name].add_bridge(bridge);
        add_to(rest[host.name], host);
    }
    for (const Cable& cable : plan.cables) {
        cables[cable.here].add_veth({cable.here_end, cable.there_end, &find(cable.there)->netns});
    }
    for (auto* batches : {&cables, &rest}) {
        for (auto& [name, batch] : *batches) {
            TRY(find(name)->rtnl.apply(batch).context(cat("links of ", name)));
        }
    }
    for (int number = 1; number <= node_count; ++number) {
        KernelNode* node = find(node_name(number));
        TRY(node->nft.replace(egress_table(addresses_, number)).context(node->name));
        nodes_.push_back(node);
    }
    return Ok{};
}

}  // namespace kin::netns
