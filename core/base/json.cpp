#include "core/base/json.h"

#include "core/base/strings.h"

namespace kin {

const Json* find(const Json& json, JsonPath path) {
    const Json* at = &json;
    for (const std::string_view key : path) {
        if (!at->is_object()) return nullptr;
        const auto found = at->find(key);
        if (found == at->end()) return nullptr;
        at = &*found;
    }
    return at;
}

Json* find(Json& json, JsonPath path) {
    return const_cast<Json*>(find(std::as_const(json), path));
}

std::string string_at(const Json& json, JsonPath path, std::string_view otherwise) {
    const Json* at = find(json, path);
    return at && at->is_string() ? at->get<std::string>() : std::string(otherwise);
}

int64_t int_at(const Json& json, JsonPath path, int64_t otherwise) {
    const Json* at = find(json, path);
    return at && at->is_number_integer() ? at->get<int64_t>() : otherwise;
}

bool bool_at(const Json& json, JsonPath path, bool otherwise) {
    const Json* at = find(json, path);
    return at && at->is_boolean() ? at->get<bool>() : otherwise;
}

const Json& object_at(const Json& json, JsonPath path) {
    static const Json kEmpty = Json::object();
    const Json* at = find(json, path);
    return at && at->is_object() ? *at : kEmpty;
}

const Json& array_at(const Json& json, JsonPath path) {
    static const Json kEmpty = Json::array();
    const Json* at = find(json, path);
    return at && at->is_array() ? *at : kEmpty;
}

namespace {
/// Whether arrays and objects nest deeper than that, up to where the text stops being JSON.
bool nests_deeper(std::string_view text, int max_depth) {
    int depth = 0;
    for (size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '"') {
            for (++at; at < text.size() && text[at] != '"'; ++at) {
                if (text[at] == '\\') ++at;
            }
        } else if (c == '{' || c == '[') {
            if (++depth > max_depth) return true;
        } else if (c == '}' || c == ']') {
            --depth;
        }
    }
    return false;
}
}  // namespace

Result<Json> parse_json(std::string_view text, int max_depth) {
    // Looked at first: a parser that is asked at every value takes half as long again.
    if (nests_deeper(text, max_depth)) {
        return Error(Errc::kInvalid, cat("JSON nests deeper than ", max_depth));
    }
    Json parsed = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
    if (parsed.is_discarded()) return Error(Errc::kInvalid, "this is no valid JSON");
    return parsed;
}

std::string to_text(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace kin

template class nlohmann::basic_json<>;
template class std::vector<nlohmann::json>;
template class std::map<std::string, nlohmann::json, std::less<>>;
