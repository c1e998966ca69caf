#include "apiserver/table_columns.h"

#include <set>

#include "core/api/selectors.h"
#include "core/base/strings.h"

namespace kin::apiserver::table {
namespace {

/// A path that outlives the braces it was written in.
using Path = std::vector<std::string>;

Path kept(JsonPath path) { return {path.begin(), path.end()}; }

const Json* at(const Json& object, const Path& path) {
    const Json* json = &object;
    for (const std::string& key : path) {
        json = find(*json, key);
        if (!json) return nullptr;
    }
    return json;
}

Column of_containers(std::string_view name, JsonPath path, const char* field) {
    Column column{name, [path = kept(path), field](const Row& row) -> Json {
                      std::vector<std::string> parts;
                      const Json* holder = at(row.object, path);
                      if (!holder) return "";
                      for (const Json& container : array_at(*holder, {"spec", "containers"})) {
                          parts.push_back(string_at(container, {field}));
                      }
                      return join(parts, ",");
                  }};
    return wide(std::move(column));
}

}  // namespace

Column wide(Column column) {
    column.priority = 1;
    return column;
}

Column integer(std::string_view name, JsonPath path) {
    return {name,
            [path = kept(path)](const Row& row) -> Json {
                const Json* value = at(row.object, path);
                return value && value->is_number() ? *value : Json(0);
            },
            "integer"};
}

Column text(std::string_view name, JsonPath path, std::string_view otherwise) {
    return {name, [path = kept(path), otherwise](const Row& row) -> Json {
                const Json* value = at(row.object, path);
                const bool there = value && value->is_string() && *value != "";
                return there ? *value : Json(otherwise);
            }};
}

Column name_column() {
    Column column = text("Name", {"metadata", "name"});
    column.format = "name";
    return column;
}

Column age_column() {
    return {"Age", [](const Row& row) -> Json {
                return human_age(string_at(row.object, {"metadata", "creationTimestamp"}), row.now);
            }};
}

Column created_column() {
    Column column = text("Created At", {"metadata", "creationTimestamp"});
    column.type = "date";
    return column;
}

Column containers_column(JsonPath path) { return of_containers("Containers", path, "name"); }
Column images_column(JsonPath path) { return of_containers("Images", path, "image"); }

Column selector_column(std::string_view name, JsonPath path) {
    return {name, [path = kept(path)](const Row& row) -> Json {
                const Json* selector = at(row.object, path);
                return selector ? selector_text(*selector) : "<none>";
            }};
}

Column labels_column(std::string_view name, JsonPath path) {
    return {name, [path = kept(path)](const Row& row) -> Json {
                const Json* labels = at(row.object, path);
                return labels ? labels_text(*labels) : "<none>";
            }};
}

std::string labels_text(const Json& labels) {
    std::vector<std::string> parts;
    if (labels.is_object()) {
        for (const auto& [key, value] : labels.items()) {
            parts.push_back(cat(key, '=', scalar_text(value)));
        }
    }
    return parts.empty() ? "<none>" : join(parts, ",");
}

std::string selector_text(const Json& selector) {
    const auto parsed = LabelSelector::from_json(selector);
    return parsed.empty() ? "<none>" : parsed.to_string();
}

std::string some_of(const std::vector<std::string>& parts, size_t max, std::string_view otherwise) {
    if (parts.empty()) return std::string(otherwise);
    if (parts.size() <= max) return join(parts, ",");
    const std::vector<std::string> first(parts.begin(), parts.begin() + static_cast<long>(max));
    return cat(join(first, ","), " + ", parts.size() - max, " more...");
}

std::vector<std::string> load_balancer_addresses(const Json& object) {
    std::set<std::string> sorted;
    for (const Json& ingress : array_at(object, {"status", "loadBalancer", "ingress"})) {
        const std::string ip = string_at(ingress, {"ip"});
        const std::string address = ip.empty() ? string_at(ingress, {"hostname"}) : ip;
        if (!address.empty()) sorted.insert(address);
    }
    return {sorted.begin(), sorted.end()};
}

std::string number_text(const Json& object, JsonPath path) { return cat(int_at(object, path)); }

std::string scalar_text(const Json& value) {
    return value.is_string() ? value.get<std::string>() : to_text(value);
}

std::string human_age(std::string_view since, WallTime now) {
    const auto time = parse_rfc3339(since);
    if (!time) return "<unknown>";
    return human_duration(std::chrono::duration_cast<std::chrono::seconds>(now - *time));
}

const Json* condition(const Json& object, std::string_view type) {
    for (const Json& one : array_at(object, {"status", "conditions"})) {
        if (string_at(one, {"type"}) == type) return &one;
    }
    return nullptr;
}

bool condition_is_true(const Json& object, std::string_view type) {
    const Json* found = condition(object, type);
    return found && string_at(*found, {"status"}) == "True";
}

}  // namespace kin::apiserver::table
