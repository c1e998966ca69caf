#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "core/base/strings.h"
#include "core/registry/patch.h"

namespace kin {
namespace {

constexpr std::string_view kPatch = "$patch";
constexpr std::string_view kRetainKeys = "$retainKeys";
constexpr std::string_view kElementOrder = "$setElementOrder/";
constexpr std::string_view kDeleteFromList = "$deleteFromPrimitiveList/";

bool is_directive(std::string_view key) {
    return key == kPatch || key == kRetainKeys || key.starts_with(kElementOrder) ||
           key.starts_with(kDeleteFromList);
}

/// A value of the patch that meets nothing in the object: without directives, and without nulls
/// in maps, which would delete what is not there.
Json plain_value(const Json& value) {
    if (value.is_array()) {
        Json out = Json::array();
        for (const Json& element : value) {
            // "$patch: delete" on something that is not there leaves nothing.
            if (element.is_object() && string_at(element, {kPatch}) == "delete") continue;
            Json plain = plain_value(element);
            if (!plain.empty() || !find(element, kPatch)) out.push_back(std::move(plain));
        }
        return out;
    }
    if (!value.is_object()) return value;
    Json out = Json::object();
    for (const auto& [key, child] : value.get_ref<const Json::object_t&>())
        if (!child.is_null() && !is_directive(key)) out[key] = plain_value(child);
    return out;
}

/// How two elements of a list are the same one: by the merge key, or scalars by themselves.
class Identity {
public:
    explicit Identity(const Field* field) : merge_key_(field ? field->patch_merge_key : "") {}

    const std::string& key() const { return merge_key_; }
    /// nullptr if an object lacks the merge key.
    const Json* of(const Json& element) const {
        return merge_key_.empty() ? &element : find(element, merge_key_);
    }

private:
    std::string merge_key_;
};

/// The places of a list's elements, found by their identity.
class Positions {
public:
    Positions(const Json& list, const Identity& identity) : identity_(identity) {
        for (size_t i = 0; i < list.size(); ++i) add(list[i], i);
    }
    void add(const Json& element, size_t place) {
        if (const Json* id = identity_.of(element)) place_.emplace(id->dump(), place);
    }
    std::optional<size_t> of(const Json& element) const {
        const Json* id = identity_.of(element);
        const auto found = id ? place_.find(id->dump()) : place_.end();
        if (found == place_.end()) return {};
        return found->second;
    }

private:
    const Identity& identity_;
    std::map<std::string, size_t> place_;
};

/// Puts `merged` into the order wished for. Elements named in `wished` stand in its order; the
/// others keep the order of `live`; where both meet, a live element goes first if `live` says so.
Json ordered(const Json& merged, const Json& wished, const Json& live, const Identity& identity) {
    const Positions wish(wished, identity);
    const Positions server(live, identity);
    std::vector<const Json*> named, others;
    for (const Json& element : merged) (wish.of(element) ? named : others).push_back(&element);
    const auto by = [](const Positions& positions) {
        return [&positions](const Json* a, const Json* b) {
            return positions.of(*a).value_or(SIZE_MAX) < positions.of(*b).value_or(SIZE_MAX);
        };
    };
    std::stable_sort(named.begin(), named.end(), by(wish));
    std::stable_sort(others.begin(), others.end(), by(server));
    Json out = Json::array();
    auto other = others.begin();
    for (const Json* element : named) {
        const auto here = server.of(*element);
        while (here && other != others.end()) {
            const auto there = server.of(**other);
            if (!there || *there > *here) break;
            out.push_back(**other++);
        }
        out.push_back(*element);
    }
    for (; other != others.end(); ++other) out.push_back(**other);
    return out;
}

Status no_merge_key(const Identity& identity, const Json& element) {
    return bad_request(
        cat("map: ", to_text(element), " does not contain declared merge key: ", identity.key()));
}

class StrategicMerge {
public:
    /// `type` is nullptr for maps and for values that the schema does not know.
    Answer<Ok> merge(const Message* type, Json& live, const Json& patch) {
        if (const Json* directive = find(patch, kPatch))
            return replace_or_clear(*directive, live, patch);
        TRY(retain_keys(live, patch));
        std::set<std::string> done;
        TRY(set_element_orders(type, live, patch, done));
        for (const auto& [key, value] : patch.get_ref<const Json::object_t&>()) {
            if (key.starts_with(kDeleteFromList))
                TRY(delete_from_list(live, key.substr(kDeleteFromList.size()), value));
            if (is_directive(key) || done.contains(key)) continue;
            TRY(merge_value(type, live, key, value));
        }
        return Ok{};
    }

private:
    static Answer<Ok> replace_or_clear(const Json& directive, Json& live, const Json& patch) {
        if (directive == "replace")
            live = plain_value(patch);
        else if (directive == "delete")
            live = Json::object();
        else
            return bad_request(cat("unknown patch type: ", to_text(directive), " in a map"));
        return Ok{};
    }

    static Answer<Ok> retain_keys(Json& live, const Json& patch) {
        const Json* keys = find(patch, kRetainKeys);
        if (!keys) return Ok{};
        std::set<std::string> kept;
        if (!keys->is_array()) return bad_retain_keys();
        for (const Json& key : *keys) {
            if (!key.is_string()) return bad_retain_keys();
            kept.insert(key.get<std::string>());
        }
        for (const auto& [key, value] : patch.get_ref<const Json::object_t&>())
            if (!value.is_null() && !is_directive(key) && !kept.contains(key))
                return bad_retain_keys();
        auto& members = live.get_ref<Json::object_t&>();
        std::erase_if(members, [&](const auto& member) { return !kept.contains(member.first); });
        return Ok{};
    }
    static Status bad_retain_keys() { return bad_request("invalid patch format of retainKeys"); }

    /// Handles all lists that come with an order; their names go to `done`.
    Answer<Ok> set_element_orders(const Message* type, Json& live, const Json& patch,
                                  std::set<std::string>& done) {
        for (const auto& [key, order] : patch.get_ref<const Json::object_t&>()) {
            if (!key.starts_with(kElementOrder)) continue;
            const std::string name = key.substr(kElementOrder.size());
            const Field* field = type ? type->find(name) : nullptr;
            const Identity identity(field);
            const Json* changes = find(patch, name);
            if (changes && changes->is_null()) continue;
            if (!order.is_array() || (changes && !changes->is_array()))
                return bad_request("invalid patch format of setElementOrder list");
            if (changes) TRY(check_order(*changes, order, identity));
            const Json before = live.contains(name) ? live[name] : Json(nullptr);
            if (!before.is_null() && !before.is_array())
                return bad_request(cat("expected a list, but got: ", to_text(before)));
            if (before.is_null() && !changes) continue;
            done.insert(name);
            Json& list = live[name];
            if (before.is_null())
                list = plain_value(*changes);
            else if (changes)
                TRY(merge_list(field, list, *changes));
            list = ordered(list, order, before.is_null() ? Json::array() : before, identity);
        }
        return Ok{};
    }

    /// The patch's elements must stand in the order that comes with them.
    static Answer<Ok> check_order(const Json& changes, const Json& order,
                                  const Identity& identity) {
        size_t at = 0;
        for (const Json& element : changes) {
            if (find(element, kPatch)) continue;
            const Json* id = identity.of(element);
            if (!id) return no_merge_key(identity, element);
            while (at < order.size()) {
                const Json* wished = identity.of(order[at++]);
                if (wished && *wished == *id) {
                    id = nullptr;
                    break;
                }
            }
            if (id)
                return bad_request(cat("The order in patch list:\n", to_text(changes),
                                       "\n doesn't match $setElementOrder list:\n", to_text(order),
                                       "\n"));
        }
        return Ok{};
    }

    static Answer<Ok> delete_from_list(Json& live, const std::string& name, const Json& gone) {
        if (!gone.is_array()) return bad_request("invalid patch format of primitive list");
        const auto list = live.find(name);
        if (list == live.end() || !list->is_array()) return Ok{};
        Json kept = Json::array();
        for (const Json& element : *list)
            if (std::find(gone.begin(), gone.end(), element) == gone.end()) kept.push_back(element);
        *list = std::move(kept);
        return Ok{};
    }

    Answer<Ok> merge_value(const Message* type, Json& live, const std::string& key,
                           const Json& value) {
        const auto at = live.find(key);
        if (value.is_null()) {
            if (at != live.end()) live.erase(at);
            return Ok{};
        }
        const Field* field = type ? type->find(key) : nullptr;
        if (at == live.end() || at->type() != value.type()) {
            live[key] = plain_value(value);
            return Ok{};
        }
        if (value.is_object()) {
            const bool message = field && field->shape == FieldShape::kOne;
            return merge(message ? field->message : nullptr, *at, value);
        }
        if (value.is_array() && field && field->patch_merge) {
            const Json before = *at;
            TRY(merge_list(field, *at, value));
            *at = ordered(*at, value, before, Identity(field));
            return Ok{};
        }
        *at = plain_value(value);
        return Ok{};
    }

    /// Merges elements and appends new ones; the order is set afterwards.
    Answer<Ok> merge_list(const Field* field, Json& live, const Json& patch) {
        const Identity identity(field);
        if (!field || !field->patch_merge) {
            live = plain_value(patch);
            return Ok{};
        }
        if (identity.key().empty()) {
            Positions known(live, identity);
            for (const Json& element : patch) {
                if (known.of(element)) continue;
                known.add(element, live.size());
                live.push_back(element);
            }
            return Ok{};
        }
        bool replace = false;
        Json additions = Json::array();
        for (const Json& element : patch) {
            const Json* directive = find(element, kPatch);
            if (!directive) {
                additions.push_back(element);
                continue;
            }
            if (*directive == "replace")
                replace = true;
            else
                TRY(delete_matching(identity, live, element, *directive));
        }
        if (replace) {
            live = plain_value(additions);
            return Ok{};
        }
        Positions known(live, identity);
        for (const Json& element : additions) {
            if (!element.is_object() || !identity.of(element))
                return no_merge_key(identity, element);
            if (const auto place = known.of(element)) {
                TRY(merge(field->message, live[*place], element));
                continue;
            }
            known.add(element, live.size());
            live.push_back(plain_value(element));
        }
        return Ok{};
    }

    static Answer<Ok> delete_matching(const Identity& identity, Json& live, const Json& element,
                                      const Json& directive) {
        if (directive == "merge")
            return bad_request("merging lists cannot yet be specified in the patch");
        if (directive != "delete")
            return bad_request(cat("unknown patch type: ", to_text(directive), " in a list"));
        const Json* id = identity.of(element);
        if (!id) return no_merge_key(identity, element);
        auto& elements = live.get_ref<Json::array_t&>();
        std::erase_if(elements, [&](const Json& one) {
            const Json* found = identity.of(one);
            return found && *found == *id;
        });
        return Ok{};
    }
};

}  // namespace

Answer<Json> strategic_merge_patch(const Message& type, const Json& object, const Json& patch) {
    if (patch.is_null()) return object;  // Nothing is to change.
    if (!patch.is_object()) return bad_request("a strategic merge patch is an object");
    Json result = object.is_object() ? object : Json::object();
    auto merged = StrategicMerge().merge(&type, result, patch);
    if (!merged) return std::move(merged).error();
    return result;
}

}  // namespace kin
