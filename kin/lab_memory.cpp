#include "kin/lab_memory.h"

#include <algorithm>

#include "kin/pki.h"

namespace kin {

LabMemory recall(const LabPaths& paths) {
    const auto text = read_file(paths.memory());
    const auto json = text ? parse_json(*text) : Error(Errc::kNotFound, "");
    return json ? memory_from(*json) : LabMemory();
}

LabMemory memory_from(const Json& json) {
    LabMemory memory;
    for (const Json& number : array_at(json, {"nodes"})) {
        if (number.is_number_integer()) memory.nodes.push_back(number.get<int>());
    }
    // Earlier versions wrote how many there are.
    if (memory.nodes.empty())
        memory.nodes = netns::first_nodes(static_cast<int>(int_at(json, {"nodes"})));
    std::ranges::sort(memory.nodes);
    if (const auto* known = netns::find_attachment(string_at(json, {"cni"})))
        memory.network.attachment = known;
    if (const auto* known = netns::find_overlay(string_at(json, {"overlay"})))
        memory.network.overlay = known;
    return memory;
}

Json to_json(const LabMemory& memory) {
    return {{"nodes", memory.nodes},
            {"cni", memory.network.attachment->name()},
            {"overlay", memory.network.overlay->name()}};
}

Result<> remember(const LabPaths& paths, const LabMemory& memory) {
    return write_private_file(paths.memory(), to_text(to_json(memory)));
}

}  // namespace kin
