#include "core/api/selectors.h"

#include <algorithm>

#include "core/api/kinds.h"
#include "core/base/strings.h"

namespace kin {

using Operator = Requirement::Operator;

Labels string_map_at(const Json& json, JsonPath path) {
    Labels out;
    for (const auto& [key, value] : object_at(json, path).items())
        if (value.is_string()) out.emplace(key, value.get<std::string>());
    return out;
}

Labels labels_of(const Json& object) { return string_map_at(object, {"metadata", "labels"}); }

bool Requirement::matches(const Labels& labels) const {
    const auto found = labels.find(key);
    const bool present = found != labels.end();
    const auto among = [&] {
        return present && std::find(values.begin(), values.end(), found->second) != values.end();
    };
    const auto compares = [&](bool greater) {
        if (!present || values.size() != 1) return false;
        const auto label = parse_number<int64_t>(found->second);
        const auto bound = parse_number<int64_t>(values.front());
        return label && bound && (greater ? *label > *bound : *label < *bound);
    };
    switch (op) {
        case Operator::kIn:
            return among();
        case Operator::kNotIn:
            return !among();
        case Operator::kExists:
            return present;
        case Operator::kDoesNotExist:
            return !present;
        case Operator::kGreater:
            return compares(true);
        case Operator::kLess:
            return compares(false);
    }
    return false;
}

LabelSelector LabelSelector::from_map(const Labels& labels) {
    LabelSelector selector;
    for (const auto& [key, value] : labels)
        selector.requirements_.push_back({key, Operator::kIn, {value}});
    return selector;
}

LabelSelector LabelSelector::from_json(const Json& json) {
    LabelSelector selector = from_map(string_map_at(json, {"matchLabels"}));
    for (const Json& expression : array_at(json, {"matchExpressions"})) {
        Requirement requirement;
        requirement.key = string_at(expression, {"key"});
        const std::string name = string_at(expression, {"operator"});
        if (name == "In") requirement.op = Operator::kIn;
        if (name == "NotIn") requirement.op = Operator::kNotIn;
        if (name == "DoesNotExist") requirement.op = Operator::kDoesNotExist;
        for (const Json& value : array_at(expression, {"values"}))
            if (value.is_string()) requirement.values.push_back(value.get<std::string>());
        std::sort(requirement.values.begin(), requirement.values.end());
        selector.requirements_.push_back(std::move(requirement));
    }
    std::stable_sort(selector.requirements_.begin(), selector.requirements_.end(),
                     [](const auto& a, const auto& b) { return a.key < b.key; });
    return selector;
}

bool LabelSelector::matches(const Labels& labels) const {
    return std::all_of(requirements_.begin(), requirements_.end(),
                       [&](const Requirement& one) { return one.matches(labels); });
}

std::string LabelSelector::to_string() const {
    std::vector<std::string> parts;
    for (const Requirement& one : requirements_) {
        const std::string list = join(one.values, ",");
        switch (one.op) {
            case Operator::kIn:
                parts.push_back(one.values.size() == 1 ? cat(one.key, '=', list)
                                                       : cat(one.key, " in (", list, ")"));
                break;
            case Operator::kNotIn:
                parts.push_back(one.values.size() == 1 ? cat(one.key, "!=", list)
                                                       : cat(one.key, " notin (", list, ")"));
                break;
            case Operator::kExists:
                parts.push_back(one.key);
                break;
            case Operator::kDoesNotExist:
                parts.push_back(cat('!', one.key));
                break;
            case Operator::kGreater:
                parts.push_back(cat(one.key, '>', list));
                break;
            case Operator::kLess:
                parts.push_back(cat(one.key, '<', list));
                break;
        }
    }
    return join(parts, ",");
}

namespace {

/// Field paths of a kind that can be selected besides name and namespace.
std::vector<std::string_view> selectable_fields(const Kind& kind) {
    if (kind.kind == "Job") return {"status.successful"};
    if (!kind.group.empty()) return {};
    if (kind.kind == "Pod")
        return {"spec.hostNetwork",
                "spec.nodeName",
                "spec.restartPolicy",
                "spec.schedulerName",
                "spec.serviceAccountName",
                "status.nominatedNodeName",
                "status.phase",
                "status.podIP",
                "status.podIPs"};
    if (kind.kind == "Node") return {"spec.unschedulable"};
    if (kind.kind == "Namespace") return {"name", "status.phase"};
    if (kind.kind == "Secret") return {"type"};
    if (kind.kind == "Service") return {"spec.clusterIP", "spec.type"};
    if (kind.kind == "ReplicationController") return {"status.replicas"};
    if (kind.kind == "Event")
        return {"involvedObject.apiVersion",
                "involvedObject.fieldPath",
                "involvedObject.kind",
                "involvedObject.name",
                "involvedObject.namespace",
                "involvedObject.resourceVersion",
                "involvedObject.uid",
                "reason",
                "reportingComponent",
                "source",
                "type"};
    return {};
}

/// Undoes \\ \, and \= in a value.
Answer<std::string> unescape(std::string_view text) {
    std::string out;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\') {
            out += text[i];
            continue;
        }
        const std::string_view escaped = text.substr(i + 1, 1);
        if (escaped != "\\" && escaped != "," && escaped != "=")
            return bad_request(cat("invalid field selector: invalid escape sequence: \\", escaped));
        out += escaped;
        ++i;
    }
    return out;
}

/// Splits at commas that no backslash precedes.
std::vector<std::string_view> split_terms(std::string_view text) {
    std::vector<std::string_view> terms;
    size_t begin = 0;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\') {
            ++i;
        } else if (text[i] == ',') {
            terms.push_back(text.substr(begin, i - begin));
            begin = i + 1;
        }
    }
    terms.push_back(text.substr(begin));
    return terms;
}

Answer<Ok> check_field(const std::string& path, const Kind& kind) {
    if (path == "metadata.name" || (path == "metadata.namespace")) return Ok{};
    const auto known = selectable_fields(kind);
    if (std::find(known.begin(), known.end(), path) != known.end()) return Ok{};
    if (!known.empty()) return bad_request(cat("field label not supported: ", path));
    return bad_request(cat('"', path,
                           "\" is not a known field selector: only \"metadata.name\", "
                           "\"metadata.namespace\""));
}

/// The text that a selector compares with.
std::string field_text(const Json& object, std::string_view path) {
    if (path == "name") return string_at(object, {"metadata", "name"});
    if (path == "status.successful") return cat(int_at(object, {"status", "succeeded"}));
    if (path == "source") return string_at(object, {"source", "component"});
    const Json* at = &object;
    for (const std::string_view step : split(path, '.')) {
        at = find(*at, step);
        if (!at) break;
    }
    const bool is_flag = path == "spec.unschedulable" || path == "spec.hostNetwork";
    if (!at) return is_flag ? "false" : path == "status.replicas" ? "0" : "";
    return at->is_string() ? at->get<std::string>() : to_text(*at);
}

bool any_pod_ip(const Json& object, const std::string& ip) {
    const Json& ips = array_at(object, {"status", "podIPs"});
    return std::any_of(ips.begin(), ips.end(),
                       [&](const Json& one) { return string_at(one, {"ip"}) == ip; });
}

}  // namespace

Answer<FieldSelector> FieldSelector::parse(std::string_view text, const Kind& kind) {
    FieldSelector selector;
    for (const std::string_view term : split_terms(text)) {
        if (term.empty()) continue;
        const size_t at = term.find('=');
        if (at == std::string_view::npos || at == 0)
            return bad_request(
                cat("invalid selector: '", text, "'; can't understand '", term, "'"));
        Term parsed;
        parsed.equal = term[at - 1] != '!';
        parsed.path = term.substr(0, parsed.equal ? at : at - 1);
        const bool doubled = parsed.equal && term.substr(at).starts_with("==");
        TRY_ASSIGN(parsed.value, unescape(term.substr(at + (doubled ? 2 : 1))));
        TRY(check_field(parsed.path, kind));
        selector.terms_.push_back(std::move(parsed));
    }
    return selector;
}

bool FieldSelector::matches(const Json& object) const {
    return std::all_of(terms_.begin(), terms_.end(), [&](const Term& term) {
        const bool same = term.path == "status.podIPs"
                              ? any_pod_ip(object, term.value)
                              : field_text(object, term.path) == term.value;
        return same == term.equal;
    });
}

bool FieldSelector::only_key() const {
    return std::all_of(terms_.begin(), terms_.end(), [](const Term& term) {
        return term.path == "metadata.name" || term.path == "metadata.namespace";
    });
}

bool FieldSelector::matches_key(std::string_view ns, std::string_view name) const {
    return std::all_of(terms_.begin(), terms_.end(), [&](const Term& term) {
        const std::string_view actual = term.path == "metadata.name" ? name : ns;
        return (actual == term.value) == term.equal;
    });
}

}  // namespace kin
