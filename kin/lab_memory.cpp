#include "kin/lab_memory.h"

#include <sys/stat.h>

#include <algorithm>

#include "core/base/files.h"
#include "kin/options.h"
#include "kin/pki.h"

namespace kin {

namespace {
/// What a file keeps when it is renamed; 0: there is none.
int64_t file_number(const std::string& path) {
    struct stat found {};
    return ::stat(path.c_str(), &found) == 0 ? static_cast<int64_t>(found.st_ino) : 0;
}

/// The numbers of a list, or those of the first nodes where earlier versions wrote how many there
/// are. None, if any of them is none that a lab can have.
std::vector<int> nodes_from(const Json& json) {
    const Json* nodes = find(json, "nodes");
    if (!nodes) return {};
    std::vector<int> numbers;
    const auto valid = [](const Json& number) {
        return number.is_number_integer() && number >= 1 && number <= kMostNodes;
    };
    if (valid(*nodes)) return netns::first_nodes(nodes->get<int>());
    for (const Json& number : array_at(json, {"nodes"})) {
        if (!valid(number)) return {};
        numbers.push_back(number.get<int>());
    }
    std::ranges::sort(numbers);
    return numbers;
}
}  // namespace

LabMemory recall(const LabPaths& paths) {
    const auto text = read_file(paths.memory());
    const auto json = text ? parse_json(*text) : Error(Errc::kNotFound, "");
    if (!json) return {};
    const Json& loaded = object_at(*json, {"loaded"});
    const int64_t number = int_at(loaded, {"database"});
    return memory_from(number != 0 && number == file_number(paths.database()) ? loaded : *json);
}

LabMemory memory_from(const Json& json) {
    LabMemory memory;
    memory.nodes = nodes_from(json);
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

Result<> remember(const LabPaths& paths, const LabMemory& memory, Durable durable) {
    return write_private_file(paths.memory(), to_text(to_json(memory)), durable);
}

Result<> remember_with(const LabPaths& paths, const LabMemory& memory,
                       const std::string& database) {
    Json json = to_json(recall(paths));
    json["loaded"] = to_json(memory);
    json["loaded"]["database"] = file_number(database);
    return write_private_file(paths.memory(), to_text(json));
}

}  // namespace kin
