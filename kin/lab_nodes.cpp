#include "kin/lab_nodes.h"

#include <algorithm>

#include "core/base/log.h"
#include "core/base/strings.h"
#include "kin/lab_memory.h"
#include "kin/options.h"

namespace kin {

namespace {
constexpr int kSettleMilliseconds = 10'000;

/// The lowest number that no node has, 0 if all are taken.
int free_number(const std::vector<int>& taken) {
    for (int number = 1; number <= kMostNodes; ++number) {
        if (!std::ranges::binary_search(taken, number)) return number;
    }
    return 0;
}
}  // namespace

Result<> LabNodes::remember_nodes(const std::vector<int>& numbers) const {
    return remember(paths_, {numbers, parts_.links.shape()});
}

Result<> LabNodes::on_control(const std::function<Result<>()>& task) {
    Result<> result = Ok{};
    parts_.client.loop().call([&] { result = task(); });
    return result;
}

void LabNodes::settle(const std::string& what) {
    std::string why;
    if (parts_.client.settle(kSettleMilliseconds, &why)) return;
    log_warn("kin", cat(what, " goes on"), {{"busy", why}});
}

std::string LabNodes::register_again() {
    for (const int number : parts_.links.node_numbers()) {
        const std::string name = netns::node_name(number);
        if (parts_.client.cache<Node>().find({"", name})) continue;
        parts_.agent.register_node(name);
        return name;
    }
    return {};
}

Result<std::string> LabNodes::add() {
    const std::lock_guard lock(one_at_a_time_);
    std::string name;
    TRY(on_control([&]() -> Result<> {
        name = register_again();
        if (!name.empty()) return Ok{};
        std::vector<int> numbers = parts_.links.node_numbers();
        const int number = free_number(numbers);
        if (number == 0) {
            return Error(Errc::kInvalid, cat("there are ", kMostNodes, " nodes, no lab has more"));
        }
        TRY_ASSIGN(KernelNode* const node, parts_.links.add_node(number));
        numbers.insert(std::ranges::upper_bound(numbers, number), number);
        if (auto remembered = remember_nodes(numbers); !remembered) {
            (void)parts_.links.remove_node(number);
            return remembered;
        }
        name = node->name;
        parts_.proxier.add_node(*node);
        parts_.enforcer.add_node(*node);
        parts_.agent.register_node(name);
        return Ok{};
    }));
    settle(cat("adding ", name));
    return name;
}

Result<> LabNodes::remove(const std::string& name) {
    const std::lock_guard lock(one_at_a_time_);
    const int number = netns::node_number(name);
    auto unregistered = on_control([&]() -> Result<> {
        std::vector<int> numbers = parts_.links.node_numbers();
        if (std::erase(numbers, number) == 0) {
            return Error(Errc::kNotFound, cat("there is no ", name));
        }
        if (number == 1) {
            return Error(Errc::kInvalid, "node-1 is the control plane and stays");
        }
        // First of all: a lab that is killed meanwhile comes back without it.
        TRY(remember_nodes(numbers));
        parts_.agent.unregister_node(name);
        return Ok{};
    });
    TRY(std::move(unregistered));
    settle(cat("removing ", name));
    return on_control([&] {
        parts_.agent.remove_node(name);
        parts_.proxier.remove_node(name);
        parts_.enforcer.remove_node(name);
        return parts_.links.remove_node(number);
    });
}

}  // namespace kin
