#include "controllers/eligibility.h"

#include <algorithm>
#include <cmath>

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

struct Suffix {
    std::string_view text;
    long double factor;
};
constexpr Suffix kSuffixes[] = {
    {"Ki", 1024.0L},          {"Mi", 1048576.0L},
    {"Gi", 1073741824.0L},    {"Ti", 1099511627776.0L},
    {"Pi", 1125899906842624.0L}, {"Ei", 1152921504606846976.0L},
    {"m", 1e-3L},             {"k", 1e3L},
    {"M", 1e6L},              {"G", 1e9L},
    {"T", 1e12L},             {"P", 1e15L},
    {"E", 1e18L},             {"u", 1e-6L},
    {"n", 1e-9L},
};

void add_requests(Request& sum, const Json& container) {
    for (const auto& [name, quantity] : object_at(container, {"resources", "requests"}).items()) {
        if (name == "cpu") sum.cpu_milli += milli_quantity(quantity);
        if (name == "memory") sum.memory_milli += milli_quantity(quantity);
    }
}
}  // namespace

std::vector<Taint> taints_of(const Node& node) {
    std::vector<Taint> taints;
    for (const Json& taint : array_at(node.spec(), {"taints"})) {
        taints.push_back({string_at(taint, {"key"}), string_at(taint, {"value"}),
                          string_at(taint, {"effect"})});
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
    const Json* required = find(pod_spec, {"affinity", "nodeAffinity",
                                           "requiredDuringSchedulingIgnoredDuringExecution"});
    if (!required) return true;
    const Json& terms = array_at(*required, {"nodeSelectorTerms"});
    return std::any_of(terms.begin(), terms.end(),
                       [&](const Json& term) { return term_matches(term, node); });
}

int64_t node_preference(const Json& pod_spec, const Node& node) {
    int64_t sum = 0;
    for (const Json& preferred :
         array_at(pod_spec, {"affinity", "nodeAffinity",
                             "preferredDuringSchedulingIgnoredDuringExecution"})) {
        if (term_matches(object_at(preferred, {"preference"}), node)) {
            sum += int_at(preferred, {"weight"});
        }
    }
    return sum;
}

int64_t milli_quantity(const Json& quantity) {
    if (quantity.is_number()) return static_cast<int64_t>(std::ceil(quantity.get<double>() * 1000));
    if (!quantity.is_string()) return 0;
    std::string text = quantity.get<std::string>();
    long double factor = 1;
    for (const Suffix& suffix : kSuffixes) {
        if (!text.ends_with(suffix.text)) continue;
        factor = suffix.factor;
        text.resize(text.size() - suffix.text.size());
        break;
    }
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return 0;
    const long double milli = std::ceil(static_cast<long double>(number) * factor * 1000.0L);
    return milli > 9.2e18L ? INT64_MAX : static_cast<int64_t>(milli);
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
        largest.memory_milli = std::max(largest.memory_milli, own.memory_milli);
    }
    sum.cpu_milli = std::max(sum.cpu_milli + sidecars.cpu_milli, largest.cpu_milli);
    sum.memory_milli = std::max(sum.memory_milli + sidecars.memory_milli, largest.memory_milli);
    return sum;
}

}  // namespace kin::controllers
