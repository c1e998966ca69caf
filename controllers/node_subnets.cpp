#include "controllers/node_subnets.h"

#include <algorithm>

#include "core/base/log.h"
#include "core/base/strings.h"

namespace kin::controllers {

namespace {
constexpr uint8_t kNodeBits = 24;

std::optional<uint32_t> number_of(const std::string& name) {
    const size_t digits = name.find_last_not_of("0123456789");
    return parse_number<uint32_t>(
        std::string_view(name).substr(digits == std::string::npos ? 0 : digits + 1));
}
}  // namespace

std::optional<Cidr> choose_subnet(const std::string& name, const Cidr& pool,
                                  const std::vector<Cidr>& taken) {
    if (pool.bits > kNodeBits) return {};
    const uint32_t blocks = uint32_t{1} << (kNodeBits - pool.bits);
    const auto block = [&](uint32_t index) {
        return Cidr{pool.address.plus(index << (32 - kNodeBits)), kNodeBits};
    };
    const auto is_free = [&](const Cidr& subnet) {
        return std::none_of(taken.begin(), taken.end(),
                            [&](const Cidr& other) { return other.overlaps(subnet); });
    };
    const auto number = number_of(name);
    if (number && *number > 0 && *number < blocks && is_free(block(*number))) {
        return block(*number);
    }
    for (uint32_t index = 1; index < blocks; ++index) {
        if (is_free(block(index))) return block(index);
    }
    return {};
}

NodeSubnets::NodeSubnets(Client& client, Cidr pool)
    : client_(client),
      pool_(pool),
      nodes_(client.cache<Node>()),
      work_(client.loop(), {.name = "node_subnets"}, [this] { return assign(); }) {
    nodes_.on_change(lifetime_.bind([this](const CacheChange<Node>& change) {
        if (!change.now || !change.now->pod_cidr.empty()) {
            assumed_.erase(change.either().key().name);
        } else {
            work_.mark();
        }
    }));
    client.add_busy_check("node_subnets", lifetime_.bind([this] { return work_.busy(); }));
}

Result<> NodeSubnets::assign() {
    std::vector<Cidr> taken;
    nodes_.each([&](const Node& node) {
        if (const auto subnet = Cidr::parse(node.pod_cidr)) taken.push_back(*subnet);
    });
    for (const auto& [name, subnet] : assumed_) taken.push_back(subnet);
    std::vector<std::string> without;
    nodes_.each([&](const Node& node) {
        if (node.pod_cidr.empty() && assumed_.count(node.key().name) == 0) {
            without.push_back(node.key().name);
        }
    });
    for (const std::string& name : without) {
        const auto subnet = choose_subnet(name, pool_, taken);
        if (!subnet)
            return Error(Errc::kInvalid, cat("no subnet is left in ", pool_, " for ", name));
        taken.push_back(*subnet);
        assumed_.emplace(name, *subnet);
        const std::string text = subnet->to_string();
        client_.patch(Node::kResource, {"", name},
                      {{"spec", {{"podCIDR", text}, {"podCIDRs", Json::array({text})}}}},
                      lifetime_.bind([this, name](const Answer<Written>& answer) {
                          if (answer) return;
                          assumed_.erase(name);
                          log_warn("node_subnets", answer.error().message, {{"node", name}});
                      }));
    }
    return Ok{};
}

}  // namespace kin::controllers
