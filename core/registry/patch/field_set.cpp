#include "core/registry/patch/field_set.h"

#include <algorithm>

#include "core/base/strings.h"

namespace kin {
namespace {

bool by_step(const FieldSet::Child& child, std::string_view step) { return child.step < step; }

/// Walks the children of both sets in order; `visit` gets nullptr where one has none.
template <class Visit>
void walk_both(const FieldSet& a, const FieldSet& b, Visit&& visit) {
    auto left = a.children.begin();
    auto right = b.children.begin();
    while (left != a.children.end() || right != b.children.end()) {
        const int order = left == a.children.end()    ? 1
                          : right == b.children.end() ? -1
                                                      : left->step.compare(right->step);
        const FieldSet* from_a = order <= 0 ? &left->set : nullptr;
        const FieldSet* from_b = order >= 0 ? &right->set : nullptr;
        visit(order <= 0 ? left->step : right->step, from_a, from_b);
        if (order <= 0) ++left;
        if (order >= 0) ++right;
    }
}

void append(FieldSet& out, const std::string& step, FieldSet child) {
    if (!child.empty()) out.children.push_back({step, std::move(child)});
}

std::string step_text(const std::string& step) {
    const std::string rest = step.substr(2);
    if (step[0] == 'f') return '.' + rest;
    if (step[0] == 'v') return cat("[=", rest, ']');
    std::string keys;
    const Json parsed = Json::parse(rest, nullptr, false);
    if (parsed.is_object())
        for (const auto& [key, value] : parsed.items())
            keys += cat(keys.empty() ? "" : ",", key, '=', to_text(value));
    return cat('[', keys, ']');
}

void collect(const FieldSet& set, const std::string& path, std::vector<std::string>& out) {
    if (set.member) out.push_back(path);
    for (const FieldSet::Child& child : set.children)
        collect(child.set, path + step_text(child.step), out);
}

bool is_step(const std::string& key) {
    return key.starts_with("f:") || key.starts_with("k:") || key.starts_with("v:");
}

}  // namespace

const FieldSet* FieldSet::find(std::string_view step) const {
    const auto at = std::lower_bound(children.begin(), children.end(), step, by_step);
    return at != children.end() && at->step == step ? &at->set : nullptr;
}

void FieldSet::add(std::string step, FieldSet child) {
    if (child.empty()) return;
    // Fields mostly come in order.
    auto at = children.end();
    if (!children.empty() && step < children.back().step)
        at = std::lower_bound(children.begin(), children.end(), step, by_step);
    children.insert(at, {std::move(step), std::move(child)});
}

FieldSet united(const FieldSet& a, const FieldSet& b) {
    FieldSet out;
    out.member = a.member || b.member;
    walk_both(a, b, [&](const std::string& step, const FieldSet* left, const FieldSet* right) {
        append(out, step, left && right ? united(*left, *right) : left ? *left : *right);
    });
    return out;
}

FieldSet common(const FieldSet& a, const FieldSet& b) {
    FieldSet out;
    out.member = a.member && b.member;
    walk_both(a, b, [&](const std::string& step, const FieldSet* left, const FieldSet* right) {
        if (left && right) append(out, step, common(*left, *right));
    });
    return out;
}

bool share_a_step(const FieldSet& a, const FieldSet& b) {
    if (a.member && b.member) return true;
    bool shared = false;
    walk_both(a, b, [&](const std::string&, const FieldSet* left, const FieldSet* right) {
        shared = shared || (left && right);
    });
    return shared;
}

FieldSet without(const FieldSet& a, const FieldSet& b) {
    FieldSet out;
    out.member = a.member && !b.member;
    walk_both(a, b, [&](const std::string& step, const FieldSet* left, const FieldSet* right) {
        if (left) append(out, step, right ? without(*left, *right) : *left);
    });
    return out;
}

FieldSet parse_fields_v1(const Json& json) {
    FieldSet out;
    if (!json.is_object()) return out;
    out.children.reserve(json.size());
    for (const auto& [key, value] : json.get_ref<const Json::object_t&>()) {
        if (key == ".") out.member = true;
        if (!is_step(key)) continue;
        FieldSet child = parse_fields_v1(value);
        if (child.empty()) child.member = true;
        out.children.push_back({key, std::move(child)});
    }
    return out;
}

Json to_fields_v1(const FieldSet& set) {
    Json out = Json::object();
    // A member without children is written as {}, one with children has a dot among them.
    if (set.member && !set.children.empty()) out["."] = Json::object();
    for (const FieldSet::Child& child : set.children)
        out.emplace(child.step, to_fields_v1(child.set));
    return out;
}

std::vector<std::string> paths_of(const FieldSet& set) {
    std::vector<std::string> out;
    collect(set, "", out);
    return out;
}

}  // namespace kin
