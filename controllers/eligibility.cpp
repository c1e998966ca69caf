#include "controllers/eligibility.h"

#include <algorithm>

#include "core/api/quantity.h"
#include "core/base/strings.h"

namespace kin::controllers {

namespace {
bool has_taint(const std::vector<Taint>& taints, std::string_view key) {
    return std::any_of(taints.begin(), taints.end(),
                       [&](const Taint& taint) { return taint.key == key; });
}

/// One expression of a node selector term, on the value found (nullptr: there is none).
bool expression_holds(const Json& expression, const std::string* value) {
    const std::string op = string_at(expression, {"operator"});
    const Json& values = array_at(expression, {"values"});
    const bool listed = value && std::any_of(values.begin(), values.end(), [&](const Json& item) {
                            return item.is_string() && item.get_ref<const std::string&>() == *value;
                        });
    if (op == "In") return listed;
    if (op == "NotIn") return !listed;
    if (op == "Exists") return value != nullptr;
    if (op == "DoesNotExist") return value == nullptr;
    if (!value || values.size() != 1 || !values[0].is_string()) return false;
    const auto have = parse_number<int64_t>(*value);
    const auto limit = parse_number<int64_t>(values[0].get_ref<const std::string&>());
    if (!have || !limit) return false;
    if (op == "Gt") return *have > *limit;
    return op == "Lt" && *have < *limit;
}

bool term_matches(const Json& term, const Node& node) {
    const Json& by_label = array_at(term, {"matchExpressions"});
    const Json& by_field = array_at(term, {"matchFields"});
    // A term that asks for nothing selects nothing.
    if (by_label.empty() && by_field.empty()) return false;
    for (const Json& expression : by_label) {
        const auto found = node.meta.labels.find(string_at(expression, {"key"}));
        const std::string* value = found == node.meta.labels.end() ? nullptr : &found->second;
        if (!expression_holds(expression, value)) return false;
    }
    for (const Json& expression : by_field) {
        const bool name = string_at(expression, {"key"}) == "metadata.name";
        if (!expression_holds(expression, name ? &node.key().name : nullptr)) return false;
    }
    return true;
}

Quantity quantity_of(const Json& json) {
    const std::string text = json.is_string() ? json.get<std::string>() : json.dump();
    return Quantity::parse(text).value_or(Quantity{});
}

void add_requests(Request& sum, const Json& container) {
    for (const auto& [name, quantity] : object_at(container, {"resources", "requests"}).items()) {
        if (name == "cpu") sum.cpu_milli += quantity_of(quantity).milli_value();
        if (name == "memory") sum.memory_bytes += quantity_of(quantity).value();
    }
}
}  // namespace

std::vector<Taint> taints_of(const Node& node) {
    std::vector<Taint> taints;
    for (const Json& taint : array_at(node.spec(), {"taints"})) {
        taints.push_back(
            {string_at(taint, {"key"}), string_at(taint, {"value"}), string_at(taint, {"effect"})});
    }
    if (!node.ready && !has_taint(taints, "node.kubernetes.io/not-ready")) {
        taints.push_back({"node.kubernetes.io/not-ready", "", "NoSchedule"});
    }
    if (node.unschedulable && !has_taint(taints, "node.kubernetes.io/unschedulable")) {
        taints.push_back({"node.kubernetes.io/unschedulable", "", "NoSchedule"});
    }
    return taints;
}

bool tolerates(const Json& tolerations, const Taint& taint) {
    return std::any_of(tolerations.begin(), tolerations.end(), [&](const Json& toleration) {
        const std::string effect = string_at(toleration, {"effect"});
        if (!effect.empty() && effect != taint.effect) return false;
        const std::string key = string_at(toleration, {"key"});
        const std::string op = string_at(toleration, {"operator"}, "Equal");
        if (key.empty()) return op == "Exists";
        if (key != taint.key) return false;
        return op == "Exists" || string_at(toleration, {"value"}) == taint.value;
    });
}

const Taint* find_untolerated(const std::vector<Taint>& taints, const Json& tolerations,
                              std::initializer_list<std::string_view> effects) {
    for (const Taint& taint : taints) {
        if (std::find(effects.begin(), effects.end(), taint.effect) == effects.end()) continue;
        if (!tolerates(tolerations, taint)) return &taint;
    }
    return nullptr;
}

bool selects_node(const Json& pod_spec, const Node& node) {
    for (const auto& [key, value] : string_map_at(pod_spec, {"nodeSelector"})) {
        const auto found = node.meta.labels.find(key);
        if (found == node.meta.labels.end() || found->second != value) return false;
    }
    const Json* required = find(
        pod_spec, {"affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"});
    if (!required) return true;
    const Json& terms = array_at(*required, {"nodeSelectorTerms"});
    return std::any_of(terms.begin(), terms.end(),
                       [&](const Json& term) { return term_matches(term, node); });
}

int64_t node_preference(const Json& pod_spec, const Node& node) {
    int64_t sum = 0;
    for (const Json& preferred : array_at(
             pod_spec,
             {"affinity", "nodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution"})) {
        if (term_matches(object_at(preferred, {"preference"}), node)) {
            sum += int_at(preferred, {"weight"});
        }
    }
    return sum;
}

Request request_of(const Json& pod_spec) {
    Request sum;
    for (const Json& container : array_at(pod_spec, {"containers"})) add_requests(sum, container);
    Request sidecars, largest;
    for (const Json& container : array_at(pod_spec, {"initContainers"})) {
        Request own = sidecars;
        add_requests(own, container);
        if (string_at(container, {"restartPolicy"}) == "Always") sidecars = own;
        largest.cpu_milli = std::max(largest.cpu_milli, own.cpu_milli);
        largest.memory_bytes = std::max(largest.memory_bytes, own.memory_bytes);
    }
    sum.cpu_milli = std::max(sum.cpu_milli + sidecars.cpu_milli, largest.cpu_milli);
    sum.memory_bytes = std::max(sum.memory_bytes + sidecars.memory_bytes, largest.memory_bytes);
    return sum;
}

}  // namespace kin::controllers
