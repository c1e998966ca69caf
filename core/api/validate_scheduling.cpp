#include <map>
#include <set>

#include "core/api/validate.h"
#include "core/base/strings.h"

namespace kin {

namespace {

// In upstream's order: messages list them so.
const std::vector<std::string> kTaintEffects = {"NoSchedule", "PreferNoSchedule", "NoExecute"};

void validate_toleration(const Json& toleration, const FieldPath& path, Findings& out) {
    const std::string key = string_at(toleration, {"key"});
    const std::string op = string_at(toleration, {"operator"});
    const std::string effect = string_at(toleration, {"effect"});
    const std::string value = string_at(toleration, {"value"});
    const FieldPath at = path.child("operator");
    if (!key.empty()) out.invalid(path.child("key"), key, check_qualified_name(key));
    if (key.empty() && op != "Exists")
        out.invalid(at, op,
                    "operator must be Exists when `key` is empty, which means \"match all values "
                    "and all keys\"");
    if (toleration.contains("tolerationSeconds") && effect != "NoExecute")
        out.invalid(path.child("effect"), effect,
                    "effect must be 'NoExecute' when `tolerationSeconds` is set");
    if (op.empty() || op == "Equal") {
        out.invalid(at, value, check_label_value(value));
    } else if (op == "Exists") {
        if (!value.empty())
            out.invalid(at, toleration, "value must be empty when `operator` is 'Exists'");
    } else {
        out.not_supported(at, op, {"Equal", "Exists"});
    }
    out.check_one_of(path.child("effect"), effect, kTaintEffects);
}

void validate_node_expression(const Json& expression, const FieldPath& path, Findings& out) {
    const std::string op = string_at(expression, {"operator"});
    const size_t count = array_at(expression, {"values"}).size();
    const FieldPath values = path.child("values");
    if (op == "In" || op == "NotIn") {
        if (count == 0)
            out.required(values, "must be specified when `operator` is 'In' or 'NotIn'");
    } else if (op == "Exists" || op == "DoesNotExist") {
        if (count > 0)
            out.forbidden(values,
                          "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    } else if (op == "Gt" || op == "Lt") {
        if (count != 1)
            out.required(values, "must be specified single value when `operator` is 'Lt' or 'Gt'");
    } else {
        out.invalid(path.child("operator"), op, "not a valid selector operator");
    }
    const std::string key = string_at(expression, {"key"});
    out.invalid(path.child("key"), key, check_qualified_name(key));
}

void validate_node_term(const Json& term, const FieldPath& path, Findings& out) {
    each(term, "matchExpressions", path,
         [&](const Json& one, const FieldPath& at) { validate_node_expression(one, at, out); });
    each(term, "matchFields", path, [&](const Json& one, const FieldPath& at) {
        const std::string key = string_at(one, {"key"});
        if (key != "metadata.name")
            out.invalid(at.child("key"), key, "not a valid field selector key");
        if (array_at(one, {"values"}).size() != 1)
            out.required(at.child("values"),
                         "must be only one value when `operator` is 'In' or 'NotIn' for node "
                         "field selector");
    });
}

void validate_weight(const Json& term, const FieldPath& path, Findings& out) {
    const int64_t weight = int_at(term, {"weight"});
    if (weight < 1 || weight > 100)
        out.invalid(path.child("weight"), weight, "must be in the range 1-100");
}

constexpr const char* kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
constexpr const char* kPreferred = "preferredDuringSchedulingIgnoredDuringExecution";

void validate_node_affinity(const Json& affinity, const FieldPath& path, Findings& out) {
    if (const Json* required = find(affinity, kRequired)) {
        const FieldPath at = path.child(kRequired);
        if (array_at(*required, {"nodeSelectorTerms"}).empty())
            out.required(at.child("nodeSelectorTerms"),
                         "must have at least one node selector term");
        each(*required, "nodeSelectorTerms", at,
             [&](const Json& term, const FieldPath& here) { validate_node_term(term, here, out); });
    }
    each(affinity, kPreferred, path, [&](const Json& term, const FieldPath& at) {
        validate_weight(term, at, out);
        validate_node_term(object_at(term, {"preference"}), at.child("preference"), out);
    });
}

void validate_pod_term(const Json& term, const FieldPath& path, Findings& out) {
    for (const char* key : {"labelSelector", "namespaceSelector"})
        if (const Json* selector = find(term, key))
            validate_label_selector(*selector, path.child(key), out);
    for (const Json& ns : array_at(term, {"namespaces"}))
        out.invalid(path.child("namespace"), ns,
                    check_dns1123_label(ns.get_ref<const std::string&>()));
    const std::string key = string_at(term, {"topologyKey"});
    if (key.empty()) out.required(path.child("topologyKey"), "can not be empty");
    out.invalid(path.child("topologyKey"), key, check_qualified_name(key));
}

void validate_pod_affinity(const Json& affinity, const FieldPath& path, Findings& out) {
    each(affinity, kRequired, path,
         [&](const Json& term, const FieldPath& at) { validate_pod_term(term, at, out); });
    each(affinity, kPreferred, path, [&](const Json& term, const FieldPath& at) {
        validate_weight(term, at, out);
        validate_pod_term(object_at(term, {"podAffinityTerm"}), at.child("podAffinityTerm"), out);
    });
}

void validate_spreading(const Json& spec, const FieldPath& path, Findings& out) {
    // A repetition is told where the pair stands first.
    std::map<std::string, size_t> seen;
    const FieldPath list = path.child("topologySpreadConstraints");
    each(spec, "topologySpreadConstraints", path, [&](const Json& one, const FieldPath& at) {
        const int64_t skew = int_at(one, {"maxSkew"});
        if (skew <= 0) out.invalid(at.child("maxSkew"), skew, "must be greater than zero");
        const std::string key = string_at(one, {"topologyKey"});
        if (key.empty()) {
            out.required(at.child("topologyKey"), "can not be empty");
        } else {
            out.invalid(at.child("topologyKey"), key, check_qualified_name(key));
        }
        const std::string action = string_at(one, {"whenUnsatisfiable"});
        if (action != "DoNotSchedule" && action != "ScheduleAnyway")
            out.not_supported(at.child("whenUnsatisfiable"), action,
                              {"DoNotSchedule", "ScheduleAnyway"});
        const std::string pair = cat('{', key, ", ", action, '}');
        const auto [first, fresh] = seen.emplace(pair, seen.size());
        if (!fresh)
            out.duplicate(list.index(first->second).child("{topologyKey, whenUnsatisfiable}"),
                          pair);
        if (const Json* selector = find(one, "labelSelector"))
            validate_label_selector(*selector, at.child("labelSelector"), out);
        if (const Json* domains = find(one, "minDomains"); domains && domains->get<int64_t>() <= 0)
            out.invalid(at.child("minDomains"), *domains, "must be greater than zero");
    });
}

}  // namespace

void validate_scheduling(const Json& spec, const FieldPath& path, Findings& out) {
    validate_labels(object_at(spec, {"nodeSelector"}), path.child("nodeSelector"), out);
    const FieldPath affinity = path.child("affinity");
    validate_node_affinity(object_at(spec, {"affinity", "nodeAffinity"}),
                           affinity.child("nodeAffinity"), out);
    for (const char* key : {"podAffinity", "podAntiAffinity"})
        validate_pod_affinity(object_at(spec, {"affinity", key}), affinity.child(key), out);
    each(spec, "tolerations", path, [&](const Json& toleration, const FieldPath& at) {
        validate_toleration(toleration, at, out);
    });
    validate_spreading(spec, path, out);
}

void validate_taints(const Json& taints, const FieldPath& path, Findings& out) {
    std::set<std::string> seen;
    for (size_t i = 0; i < taints.size(); ++i) {
        const FieldPath at = path.index(i);
        const std::string key = string_at(taints[i], {"key"});
        const std::string value = string_at(taints[i], {"value"});
        const std::string effect = string_at(taints[i], {"effect"});
        out.invalid(at.child("key"), key, check_qualified_name(key));
        out.invalid(at.child("value"), value, check_label_value(value));
        out.check_required_one_of(at.child("effect"), effect, kTaintEffects);
        if (!seen.insert(cat(key, '=', effect)).second) out.duplicate(at, taints[i]);
    }
}

}  // namespace kin
