#include "kin/lab_memory.h"

#include <algorithm>

#include "core/base/json.h"
#include "kin/pki.h"

namespace kin {

LabMemory recall(const LabPaths& paths) {
    LabMemory memory;
    const auto text = read_file(paths.memory());
    const auto json = text ? parse_json(*text) : Error(Errc::kNotFound, "");
    if (!json) return memory;
    for (const Json& number : array_at(*json, {"nodes"})) {
        if (number.is_number_integer()) memory.nodes.push_back(number.get<int>());
    }
    // Earlier versions wrote how many there are.
    if (memory.nodes.empty())
        memory.nodes = netns::first_nodes(static_cast<int>(int_at(*json, {"nodes"})));
    std::ranges::sort(memory.nodes);
    if (const auto* known = netns::find_attachment(string_at(*json, {"cni"})))
        memory.network.attachment = known;
    if (const auto* known = netns::find_overlay(string_at(*json, {"overlay"})))
        memory.network.overlay = known;
    return memory;
}

Result<> remember(const LabPaths& paths, const LabMemory& memory) {
    return write_private_file(paths.memory(),
                              to_text({{"nodes", memory.nodes},
                                       {"cni", memory.network.attachment->name()},
                                       {"overlay", memory.network.overlay->name()}}));
}

}  // namespace kin
