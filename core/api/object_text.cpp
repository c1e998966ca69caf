#include "core/api/object_text.h"

#include "core/base/strings.h"

namespace kin {

std::string object_text(const Kind& kind, const Json& object) {
    std::string text = type_prefix(kind);
    for (const auto& [key, value] : object.items()) {
        if (key == "kind" || key == "apiVersion") continue;
        // Names of fields are plain.
        text += '"';
        text += key;
        text += "\":";
        text += to_text(value);
        text += ',';
    }
    text.back() = '}';
    return text;
}

std::string type_prefix(const Kind& kind) {
    return cat("{\"kind\":\"", kind.kind, "\",\"apiVersion\":\"", kind.api_version(), "\",");
}

}  // namespace kin
