#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "apiserver/table.h"

namespace kin::apiserver::table {

/// What a cell is made of.
struct Row {
    const Json& object;
    WallTime now;
};

/// One column: how it is announced, and how each of its cells is made.
struct Column {
    std::string_view name;
    std::function<Json(const Row&)> cell;
    std::string_view type = "string";
    int priority = 0;
    std::string_view format = "";
};
using Columns = std::vector<Column>;

// Shown with -o wide only; numbers; truths.
Column wide(Column column);
Column integer(std::string_view name, JsonPath path);
/// The text at `path`, or `otherwise`.
Column text(std::string_view name, JsonPath path, std::string_view otherwise = "");

// Columns that many kinds have.
Column name_column();
Column age_column();
Column created_column();
/// Containers and Images of a pod template at `path` (the object that holds "spec").
Column containers_column(JsonPath path);
Column images_column(JsonPath path);
/// A metav1.LabelSelector, or a plain map of labels.
Column selector_column(std::string_view name, JsonPath path);
Column labels_column(std::string_view name, JsonPath path);

/// "a=b,c=d"; "<none>" if empty.
std::string labels_text(const Json& labels);
std::string selector_text(const Json& selector);
/// The first `max` of `parts`, then "... + 2 more..."; `otherwise` if there are none.
std::string some_of(const std::vector<std::string>& parts, size_t max, std::string_view otherwise);
/// Addresses of status.loadBalancer.ingress, sorted: IPs or names.
std::vector<std::string> load_balancer_addresses(const Json& object);
/// A whole number at `path` as text.
std::string number_text(const Json& object, JsonPath path);
/// Any scalar as text: IntOrString, quantities.
std::string scalar_text(const Json& value);
/// From an RFC 3339 time to `now`; "<unknown>" without one.
std::string human_age(std::string_view since, WallTime now);
const Json* condition(const Json& object, std::string_view type);
bool condition_is_true(const Json& object, std::string_view type);

// The kinds, by what they are about; empty if the kind is not among them.
Columns pod_columns(std::string_view kind);
Columns workload_columns(std::string_view kind);
Columns network_columns(std::string_view kind);
Columns other_columns(std::string_view kind);

}  // namespace kin::apiserver::table
