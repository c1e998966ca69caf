#include "core/registry/patch/typed_value.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "core/base/strings.h"

namespace kin {
namespace {

using Shape = ApplyType::Shape;

ApplyType of_one(const Field& field) {
    if (field.atomic_map) return {};
    if (field.type == FieldType::kRaw) return {Shape::kObject, nullptr, nullptr};
    if (field.type != FieldType::kMessage) return {};
    if (field.message->name.ends_with(".ExtraValue")) return {};  // A list in JSON.
    return {Shape::kObject, field.message, nullptr};
}

/// True if the value has the JSON type that the shape speaks of; null is empty.
bool fits(Shape shape, const Json& value) {
    if (value.is_null()) return true;
    if (shape == Shape::kObject || shape == Shape::kMap) return value.is_object();
    return (shape == Shape::kSet || shape == Shape::kKeyed) && value.is_array();
}

bool is_empty(const Json* value) { return !value || value->empty(); }

/// Elements of a list by their step. Of equal steps the first counts; elements without one are
/// left out.
struct Elements {
    std::vector<std::pair<std::string, const Json*>> in_order;
    std::unordered_map<std::string_view, const Json*> by_step;

    Elements(const ApplyType& type, const Json* list) {
        if (!list || !list->is_array()) return;
        in_order.reserve(list->size());
        for (const Json& element : *list)
            if (auto step = type.step_to(element))
                in_order.emplace_back(*std::move(step), &element);
        for (const auto& [step, element] : in_order) by_step.emplace(step, element);
    }
    const Json* find(std::string_view step) const {
        const auto found = by_step.find(step);
        return found == by_step.end() ? nullptr : found->second;
    }
};

/// Fills the three sets for one place at a time, where the values are not the same.
class Comparer {
public:
    static void visit(const ApplyType& type, const Json* before, const Json* after,
                      Comparison& out) {
        const bool leaf = type.shape == Shape::kLeaf || (is_empty(before) && is_empty(after)) ||
                          (before && !fits(type.shape, *before)) ||
                          (after && !fits(type.shape, *after));
        if (!before) out.added.member = true;
        if (!after) out.removed.member = true;
        if (leaf) {
            out.modified.member = before && after;
            return;
        }
        if (type.shape == Shape::kObject || type.shape == Shape::kMap)
            visit_members(type, before, after, out);
        else
            visit_elements(type, before, after, out);
    }

private:
    static void visit_child(const ApplyType& type, std::string step, const Json* before,
                            const Json* after, Comparison& out) {
        Comparison below;
        visit(type, before, after, below);
        if (!below.removed.empty()) out.removed.add(step, std::move(below.removed));
        if (!below.modified.empty()) out.modified.add(step, std::move(below.modified));
        if (!below.added.empty()) out.added.add(std::move(step), std::move(below.added));
    }

    static void visit_members(const ApplyType& type, const Json* before, const Json* after,
                              Comparison& out) {
        static const Json::object_t kNone;
        const auto& left =
            before && before->is_object() ? before->get_ref<const Json::object_t&>() : kNone;
        const auto& right =
            after && after->is_object() ? after->get_ref<const Json::object_t&>() : kNone;
        auto l = left.begin();
        auto r = right.begin();
        while (l != left.end() || r != right.end()) {
            const int order = l == left.end()    ? 1
                              : r == right.end() ? -1
                                                 : l->first.compare(r->first);
            const std::string& name = order <= 0 ? l->first : r->first;
            const Json* from = order <= 0 ? &l->second : nullptr;
            const Json* to = order >= 0 ? &r->second : nullptr;
            if (!from || !to || *from != *to)
                visit_child(type.child(name), "f:" + name, from, to, out);
            if (order <= 0) ++l;
            if (order >= 0) ++r;
        }
    }

    static void visit_elements(const ApplyType& type, const Json* before, const Json* after,
                               Comparison& out) {
        const Elements left(type, before);
        const Elements right(type, after);
        const ApplyType element = type.element();
        for (const auto& [step, value] : left.in_order)
            if (const Json* other = right.find(step);
                left.find(step) == value && (!other || *other != *value))
                visit_child(element, step, value, other, out);
        for (const auto& [step, value] : right.in_order)
            if (right.find(step) == value && !left.find(step))
                visit_child(element, step, nullptr, value, out);
    }
};

Json merged_list(const ApplyType& type, const Json& live, const Json& applied) {
    const Elements left(type, &live);
    const Elements right(type, &applied);
    const ApplyType element = type.element();
    Json out = Json::array();
    // Shared elements in the order of `applied`; the first that is not merged yet.
    std::vector<std::string_view> shared;
    for (const auto& [step, value] : right.in_order)
        if (left.find(step)) shared.push_back(step);
    size_t next_shared = 0;
    auto l = left.in_order.begin();
    for (const auto& [step, value] : right.in_order) {
        for (; l != left.in_order.end(); ++l) {
            if (!right.find(l->first))
                out.push_back(*l->second);
            else if (next_shared < shared.size() && l->first == shared[next_shared])
                break;
        }
        const Json* known = left.find(step);
        out.push_back(known ? merged(element, *known, *value) : *value);
        if (!known) continue;
        ++next_shared;
        if (l != left.in_order.end() && l->first == step) ++l;
    }
    for (; l != left.in_order.end(); ++l)
        if (!right.find(l->first)) out.push_back(*l->second);
    return out;
}

Status not_typed(const std::string& where, std::string_view what) {
    return bad_request(cat(where.empty() ? "." : where, ": ", what));
}

}  // namespace

ApplyType ApplyType::of(const Field* field) {
    if (!field) return {};
    switch (field->shape) {
        case FieldShape::kOne:
            return of_one(*field);
        case FieldShape::kMap:
            return field->atomic_map ? ApplyType{} : ApplyType{Shape::kMap, nullptr, field};
        case FieldShape::kList:
            if (field->list_type == ListType::kSet) return {Shape::kSet, nullptr, field};
            if (field->list_type == ListType::kMap) return {Shape::kKeyed, nullptr, field};
            return {};
    }
    return {};
}

ApplyType ApplyType::child(const std::string& name) const {
    if (shape == Shape::kMap) return of_one(*field);
    if (!message) return {Shape::kObject, nullptr, nullptr};
    return of(message->find(name));
}

ApplyType ApplyType::element() const {
    if (shape == Shape::kKeyed) return {Shape::kObject, field->message, nullptr};
    return {};
}

std::optional<std::string> ApplyType::step_to(const Json& element) const {
    if (shape == Shape::kSet) return "v:" + to_text(element);
    if (!element.is_object()) return {};
    Json keys = Json::object();
    for (const std::string& key : field->list_keys) {
        if (const Json* value = kin::find(element, key)) {
            keys[key] = *value;
            continue;
        }
        const Field* of_key = field->message ? field->message->find(key) : nullptr;
        if (!of_key || of_key->default_json.empty()) return {};
        keys[key] = Json::parse(of_key->default_json, nullptr, false);
    }
    return "k:" + to_text(keys);
}

Comparison compare(const ApplyType& type, const Json* before, const Json* after) {
    Comparison out;
    if (before && after && *before == *after) return out;
    Comparer::visit(type, before, after, out);
    return out;
}

FieldSet fields_of(const ApplyType& type, const Json& value) {
    FieldSet out;
    if (type.shape == Shape::kLeaf || !fits(type.shape, value) || value.is_null()) {
        out.member = true;
        return out;
    }
    if (value.is_object()) {
        if (value.empty()) out.member = true;
        for (const auto& [name, child] : value.get_ref<const Json::object_t&>()) {
            FieldSet below = fields_of(type.child(name), child);
            // An entry of a map is owned itself, a field of an object only through what it holds.
            if (type.shape == Shape::kMap) below.member = true;
            out.add("f:" + name, std::move(below));
        }
        return out;
    }
    for (const auto& [step, element] : Elements(type, &value).in_order) {
        if (out.find(step)) continue;
        FieldSet below = fields_of(type.element(), *element);
        below.member = true;
        out.add(step, std::move(below));
    }
    return out;
}

FieldSet with_named_parents(const ApplyType& type, const FieldSet& set) {
    FieldSet out;
    out.member = set.member;
    for (const FieldSet::Child& child : set.children) {
        const bool field = child.step.starts_with("f:");
        const std::string name = field ? child.step.substr(2) : "";
        const ApplyType below = field        ? type.child(name)
                                : type.field ? type.element()
                                             : ApplyType{};
        FieldSet inner = with_named_parents(below, child.set);
        if (field && type.message && type.message->find(name)) inner.member = true;
        out.children.push_back({child.step, std::move(inner)});
    }
    return out;
}

Json merged(const ApplyType& type, const Json& live, const Json& applied) {
    if (type.shape == Shape::kLeaf || applied.is_null() || !fits(type.shape, applied) ||
        live.is_null() || !fits(type.shape, live))
        return applied;
    if (applied.is_array()) return merged_list(type, live, applied);
    Json out = live;
    for (const auto& [name, value] : applied.get_ref<const Json::object_t&>()) {
        const auto known = out.find(name);
        if (known == out.end())
            out[name] = value;
        else
            *known = merged(type.child(name), *known, value);
    }
    return out;
}

Json removed(const ApplyType& type, const Json& value, const FieldSet& gone) {
    if (type.shape == Shape::kLeaf || !fits(type.shape, value) || gone.children.empty())
        return value;
    if (value.is_object()) {
        Json out = Json::object();
        for (const auto& [name, child] : value.get_ref<const Json::object_t&>()) {
            const FieldSet* below = gone.find("f:" + name);
            if (below && below->member) continue;
            Json kept = below ? removed(type.child(name), child, *below) : child;
            const bool emptied = below && kept.empty() && !child.empty();
            if (!emptied) out[name] = std::move(kept);
        }
        return out;
    }
    Json out = Json::array();
    for (const Json& element : value) {
        const auto step = type.step_to(element);
        const FieldSet* below = step ? gone.find(*step) : nullptr;
        if (below && below->member) continue;
        out.push_back(below ? removed(type.element(), element, *below) : element);
    }
    return out;
}

Answer<Ok> check_applied(const ApplyType& type, const Json& applied, const std::string& where) {
    if (applied.is_null()) return Ok{};
    if (type.shape == Shape::kLeaf) return Ok{};
    if (!fits(type.shape, applied))
        return not_typed(
            where, cat("expected ",
                       type.shape == Shape::kSet || type.shape == Shape::kKeyed ? "list" : "map",
                       ", got ", to_text(applied)));
    if (applied.is_object()) {
        for (const auto& [name, value] : applied.get_ref<const Json::object_t&>()) {
            const std::string here = cat(where, '.', name);
            if (type.message && !type.message->find(name))
                return not_typed(here, "field not declared in schema");
            TRY(check_applied(type.child(name), value, here));
        }
        return Ok{};
    }
    std::unordered_set<std::string> known;
    for (size_t i = 0; i < applied.size(); ++i) {
        auto step = type.step_to(applied[i]);
        if (!step)
            return not_typed(where, cat("element ", i,
                                        ": associative list with keys has an element that omits "
                                        "one of its key fields: ",
                                        join(type.field->list_keys, ", ")));
        TRY(check_applied(type.element(), applied[i], cat(where, '[', i, ']')));
        if (!known.insert(*std::move(step)).second)
            return not_typed(where, cat("duplicate entries for key ", to_text(applied[i])));
    }
    return Ok{};
}

Json zero_value(const Message& message) {
    Json out = Json::object();
    for (const Field& field : message.fields) {
        // A list that must be there is written as null while it is empty.
        const bool list = field.required && field.shape == FieldShape::kList;
        if ((!field.always_written && !list) || field.inlined) continue;
        const bool object = field.type == FieldType::kMessage && field.shape == FieldShape::kOne;
        out[field.name] = object ? zero_value(*field.message) : Json(nullptr);
    }
    return out;
}

}  // namespace kin
