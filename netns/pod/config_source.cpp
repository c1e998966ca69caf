#include "netns/pod/config_source.h"

#include "core/base/strings.h"

namespace kin::netns {
namespace {

void add_base64(const Json& values, std::map<std::string, std::string>& out) {
    for (const auto& [key, value] : values.items()) {
        if (!value.is_string()) continue;
        // What is stored has passed validation: nothing here is no base64.
        out[key] = base64_decode(value.get<std::string>()).value_or("");
    }
}

}  // namespace

std::map<std::string, std::string> config_map_data(const Json& object) {
    std::map<std::string, std::string> out;
    for (const auto& [key, value] : object_at(object, {"data"}).items()) {
        if (value.is_string()) out[key] = value.get<std::string>();
    }
    add_base64(object_at(object, {"binaryData"}), out);
    return out;
}

std::map<std::string, std::string> secret_data(const Json& object) {
    std::map<std::string, std::string> out;
    add_base64(object_at(object, {"data"}), out);
    return out;
}

}  // namespace kin::netns
