#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/status.h"
#include "core/base/json.h"

namespace kin {

using Labels = std::map<std::string, std::string, std::less<>>;

/// metadata.labels (or any map of strings at `path`) of an object.
Labels labels_of(const Json& object);
Labels string_map_at(const Json& json, JsonPath path);

/// One term: key, operator, values.
struct Requirement {
    enum class Operator { kIn, kNotIn, kExists, kDoesNotExist, kGreater, kLess };
    std::string key;
    Operator op = Operator::kExists;
    std::vector<std::string> values;

    bool matches(const Labels& labels) const;
    bool operator==(const Requirement&) const = default;
};

/// A conjunction of requirements. Default: selects everything.
class LabelSelector {
public:
    LabelSelector() = default;
    /// The query form: "a=b,c in (x,y),!d". 400 with upstream's words if it cannot be read.
    static Answer<LabelSelector> parse(std::string_view text);
    /// A metav1.LabelSelector: {matchLabels, matchExpressions}. An empty one selects everything.
    static LabelSelector from_json(const Json& selector);
    /// A plain map, as in Service.spec.selector.
    static LabelSelector from_map(const Labels& labels);

    bool matches(const Labels& labels) const;
    bool empty() const { return requirements_.empty(); }
    /// As Scale.status.selector prints it: "a=b,c in (x,y)".
    std::string to_string() const;
    const std::vector<Requirement>& requirements() const { return requirements_; }
    bool operator==(const LabelSelector&) const = default;

private:
    std::vector<Requirement> requirements_;
};

/// "metadata.name=web,status.phase!=Running". Which fields a kind knows is checked on parsing:
/// 400 `field label not supported: x`.
class FieldSelector {
public:
    static Answer<FieldSelector> parse(std::string_view text, const Kind& kind);
    bool matches(const Json& object) const;
    bool empty() const { return terms_.empty(); }
    /// True if only metadata.name and metadata.namespace are asked for: then matches_key() is
    /// enough and the object need not be parsed.
    bool only_key() const;
    bool matches_key(std::string_view ns, std::string_view name) const;

private:
    struct Term {
        std::string path, value;
        bool equal = true;
    };
    std::vector<Term> terms_;
};

}  // namespace kin
