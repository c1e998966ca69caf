#include "netns/network/address_plan.h"

#include "core/base/strings.h"

namespace kin::netns {
namespace {

Mac mac_with(uint8_t first, Ipv4 address) {
    return {{first, 0x58, static_cast<uint8_t>(address.value >> 24),
             static_cast<uint8_t>(address.value >> 16), static_cast<uint8_t>(address.value >> 8),
             static_cast<uint8_t>(address.value)}};
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

}  // namespace kin::netns
