#include "netns/network/node_links.h"

#include <sched.h>

#include <algorithm>

#include "core/base/strings.h"

namespace kin::netns {
namespace {

/// Whether a setting has the value, if this kernel has the setting at all. A bridge that passes
/// frames through the IP hooks although it was told not to would translate them twice.
Result<> check_sysctl(const Netns& netns, const Sysctl& wanted) {
    const auto value = netns.read_sysctl(wanted.path);
    if (!value && value.error().code() == Errc::kNotFound) return Ok{};
    TRY(value);
    if (*value == wanted.value) return Ok{};
    return Error(Errc::kSystem, cat(wanted.path, " stays ", *value, " instead of ", wanted.value));
}

}  // namespace

Result<> leave_host_network() {
    if (::unshare(CLONE_NEWNET) < 0) {
        return Error::from_errno("leave the host's network namespace");
    }
    return Ok{};
}

Result<> write_sysctls(const std::vector<Sysctl>& required, const std::vector<Sysctl>& optional) {
    for (const Sysctl& setting : required) TRY(write_sysctl(setting));
    for (const Sysctl& setting : optional) {
        auto written = write_sysctl(setting);
        if (!written && written.error().code() != Errc::kNotFound) return written;
    }
    return Ok{};
}

Result<std::unique_ptr<NodeLinks>> NodeLinks::create(const NetworkShape& shape,
                                                     const std::vector<int>& nodes) {
    TRY(shape.addresses.check(nodes.empty() ? 0 : nodes.back()));
    std::unique_ptr<NodeLinks> links(new NodeLinks(shape));
    TRY(links->build(nodes));
    return links;
}

KernelNode* NodeLinks::find(std::string_view name) {
    const auto found = hosts_.find(name);
    return found == hosts_.end() ? nullptr : &found->second;
}

std::vector<int> NodeLinks::node_numbers() const {
    std::vector<int> numbers;
    for (const KernelNode* node : nodes_) numbers.push_back(node_number(node->name));
    return numbers;
}

Result<KernelNode*> NodeLinks::create_host(const HostPlan& plan) {
    TRY_ASSIGN(KernelNode node, KernelNode::create(plan.name));
    TRY(node.netns.enter([&] { return write_sysctls(plan.sysctls, plan.optional_sysctls); })
            .context(plan.name));
    for (const Sysctl& setting : plan.optional_sysctls) {
        TRY(check_sysctl(node.netns, setting).context(plan.name));
    }
    if (!plan.chains.empty()) TRY(node.nft.replace(rules_of(plan)).context(plan.name));
    return &hosts_.emplace(plan.name, std::move(node)).first->second;
}

Result<> NodeLinks::build(const std::vector<int>& nodes) {
    const ClusterPlan plan = plan_cluster(shape_, nodes);
    for (const HostPlan& host : plan.hosts) TRY(create_host(host));
    // First all bridges and cables, then what stands on them: a cable has two ends.
    std::map<std::string, RtnlBatch> cables, rest, carriers;
    for (const HostPlan& host : plan.hosts) {
        for (const LinkEnd& bridge : host.bridges) cables[host.name].add_bridge(bridge);
        add_to(rest[host.name], host);
    }
    for (const Cable& cable : plan.cables) {
        cables[cable.here].add_veth({cable.here_end, cable.there_end, &find(cable.there)->netns});
        carriers[cable.here].settle_carrier(cable.here_end.index);
        carriers[cable.there].settle_carrier(cable.there_end.index);
    }
    for (const HostPlan& host : plan.hosts) {
        for (const LinkEnd& bridge : host.bridges) carriers[host.name].settle_carrier(bridge.index);
    }
    for (auto* batches : {&cables, &rest, &carriers}) {
        for (auto& [name, batch] : *batches) {
            TRY(find(name)->rtnl.apply(batch).context(cat("links of ", name)));
        }
    }
    for (const int number : nodes) nodes_.push_back(find(node_name(number)));
    return Ok{};
}

Result<KernelNode*> NodeLinks::add_node(int number) {
    if (find(node_name(number))) {
        return Error(Errc::kExists, cat(node_name(number), " is there already"));
    }
    TRY(addresses().check(number));
    const NodePlan plan = plan_node(shape_, number, node_numbers());
    if (auto joined = join(plan); !joined) {
        (void)remove_node(number);  // Whatever of it could be made.
        return std::move(joined).error().context(cat("add ", plan.host.name));
    }
    KernelNode* const node = find(plan.host.name);
    const auto place = std::ranges::find_if(
        nodes_, [&](const KernelNode* other) { return node_number(other->name) > number; });
    nodes_.insert(place, node);
    return node;
}

Result<> NodeLinks::join(const NodePlan& plan) {
    const auto apply = [this](const std::string& host, const HostPlan& addition) -> Result<> {
        RtnlBatch batch;
        add_to(batch, addition);
        return find(host)->rtnl.apply(batch).context(cat("links of ", host));
    };
    TRY_ASSIGN(KernelNode* const node, create_host(plan.host));
    RtnlBatch cable;
    for (const LinkEnd& bridge : plan.host.bridges) cable.add_bridge(bridge);
    cable.add_veth({plan.cable.here_end, plan.cable.there_end, &find(plan.cable.there)->netns});
    TRY(node->rtnl.apply(cable));
    TRY(apply("fabric", plan.fabric));
    TRY(apply(plan.host.name, plan.host));
    TRY(apply("router", plan.router));
    TRY(node->rtnl.apply(RtnlBatch().settle_carrier(plan.cable.here_end.index)));
    TRY(find("fabric")->rtnl.apply(RtnlBatch().settle_carrier(plan.cable.there_end.index)));
    const int number = node_number(plan.host.name);
    for (const KernelNode* other : nodes_) {
        TRY(apply(other->name, plan_peer(shape_, node_number(other->name), number)));
    }
    return Ok{};
}

Result<> NodeLinks::remove_node(int number) {
    const auto found = hosts_.find(node_name(number));
    if (found == hosts_.end()) return Ok{};
    std::erase(nodes_, &found->second);
    const NodePlan plan = plan_node(shape_, number, {});
    Result<> first = Ok{};
    const auto take = [&](KernelNode& host, const HostPlan& addition) {
        RtnlBatch batch;
        take_from(batch, addition);
        // What is left of the cable; the node's namespace may stay for a while.
        for (const HostPlan::Port& port : addition.ports) batch.delete_link(port.link);
        auto taken = host.rtnl.apply(batch);
        if (!taken && first) first = std::move(taken).context(cat("links of ", host.name));
    };
    for (KernelNode* other : nodes_) {
        take(*other, plan_peer(shape_, node_number(other->name), number));
    }
    take(*find("router"), plan.router);
    take(*find("fabric"), plan.fabric);
    hosts_.erase(found);
    return first;
}

}  // namespace kin::netns
