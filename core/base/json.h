#pragma once

#include <initializer_list>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

// Compiled once, in json.cpp, instead of in every file that uses them.
extern template class nlohmann::basic_json<>;
extern template class std::vector<nlohmann::json>;
extern template class std::map<std::string, nlohmann::json, std::less<>>;

namespace kin {

/// Objects keep their keys sorted, so equal objects have equal texts.
using Json = nlohmann::json;

/// A path into an object: {"spec", "clusterIP"}.
using JsonPath = std::initializer_list<std::string_view>;

/// The value at `path`, or nullptr if any step is missing or no object. Never throws.
const Json* find(const Json& json, JsonPath path);
Json* find(Json& json, JsonPath path);
inline const Json* find(const Json& json, std::string_view key) { return find(json, JsonPath{key}); }
inline Json* find(Json& json, std::string_view key) { return find(json, JsonPath{key}); }

/// The string, number or truth at `path`; `otherwise` if it is missing or of another type.
std::string string_at(const Json& json, JsonPath path, std::string_view otherwise = "");
int64_t int_at(const Json& json, JsonPath path, int64_t otherwise = 0);
bool bool_at(const Json& json, JsonPath path, bool otherwise = false);
/// The object or array at `path`; an empty one if it is missing or of another type.
const Json& object_at(const Json& json, JsonPath path);
const Json& array_at(const Json& json, JsonPath path);

/// Parses text whose arrays and objects nest at most `max_depth` deep (nlohmann's dump, copy and ==
/// recurse, so depth is bounded here). Fails with kInvalid. Of duplicate keys the last one wins.
Result<Json> parse_json(std::string_view text, int max_depth = 200);
/// Compact text; bytes that are no UTF-8 become U+FFFD instead of an exception.
std::string to_text(const Json& json);

}  // namespace kin
