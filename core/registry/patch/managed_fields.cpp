#include "core/registry/patch/managed_fields.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <unordered_map>

#include "core/base/strings.h"
#include "core/registry/patch/typed_value.h"

namespace kin {
namespace {

constexpr size_t kMostUpdaters = 10;
constexpr std::string_view kAncient = "ancient-changes";

constexpr std::array<std::string_view, 8> kUntrackedMetadata = {
    "f:creationTimestamp", "f:generation",      "f:managedFields", "f:name",
    "f:namespace",         "f:resourceVersion", "f:selfLink",      "f:uid"};

template <class Unwanted>
void drop_children(FieldSet& set, Unwanted&& unwanted) {
    std::erase_if(set.children, [&](const FieldSet::Child& child) { return unwanted(child.step); });
}

/// Zero objects of all kinds: what an object that is being created is compared with.
const Json& zero_object(const Kind& kind) {
    static const auto kZeroes = [] {
        std::unordered_map<std::string_view, Json> out;
        for (const Kind& one : all_kinds())
            if (const Message* message = Schema::builtin().find(one.message))
                out.emplace(one.message, zero_value(*message));
        return out;
    }();
    static const Json kNone = Json::object();
    const auto found = kZeroes.find(kind.message);
    return found == kZeroes.end() ? kNone : found->second;
}

/// True if the client asks to forget who owns what: [] or [{}].
bool asks_for_reset(const Json* list) {
    if (!list || !list->is_array()) return false;
    return list->empty() || (list->size() == 1 && (*list)[0].is_object() && (*list)[0].empty());
}

/// Every updater has an entry, so a cluster with many short-lived names would collect them: the
/// oldest are put together.
void cap_updaters(ManagedFields& managed) {
    std::vector<ManagedEntry*> updaters;
    for (ManagedEntry& entry : managed.entries)
        if (!entry.applies() && !entry.fields.empty()) updaters.push_back(&entry);
    if (updaters.size() <= kMostUpdaters) return;
    std::sort(updaters.begin(), updaters.end(), [](const ManagedEntry* a, const ManagedEntry* b) {
        return std::tie(a->time, a->manager) < std::tie(b->time, b->manager);
    });
    updaters.resize(updaters.size() - kMostUpdaters + 1);
    ManagedEntry ancient{std::string(kAncient), "Update", updaters[0]->api_version, "",
                         updaters[0]->time,     {}};
    for (ManagedEntry* entry : updaters) {
        if (entry->api_version != ancient.api_version) continue;
        ancient.fields = united(ancient.fields, entry->fields);
        ancient.time = std::max(ancient.time, entry->time);
        entry->fields = {};
        entry->written = nullptr;
    }
    managed.entries.push_back(std::move(ancient));
}

}  // namespace

std::string ManagedEntry::to_string() const {
    std::string out = Json(manager).dump(-1, ' ', false, Json::error_handler_t::replace);
    if (!subresource.empty()) out += cat(" with subresource \"", subresource, '"');
    if (!applies()) out += cat(" using ", api_version);
    return out;
}

std::optional<ManagedFields> ManagedFields::parse(const Json& json) {
    if (!json.is_array()) return {};
    ManagedFields out;
    out.entries.reserve(json.size());
    for (const Json& one : json) {
        ManagedEntry entry{string_at(one, {"manager"}),    string_at(one, {"operation"}),
                           string_at(one, {"apiVersion"}), string_at(one, {"subresource"}),
                           string_at(one, {"time"}),       {}};
        if (entry.operation != "Apply" && entry.operation != "Update") return {};
        if (const Json* fields = kin::find(one, "fieldsV1")) {
            entry.fields = parse_fields_v1(*fields);
            entry.written = fields;
        }
        out.entries.push_back(std::move(entry));
    }
    return out;
}

ManagedFields ManagedFields::of(const Json& object) {
    const Json* list = kin::find(object, {"metadata", "managedFields"});
    if (!list) return {};
    return parse(*list).value_or(ManagedFields{});
}

Json ManagedFields::to_json() const {
    std::vector<const ManagedEntry*> sorted;
    for (const ManagedEntry& entry : entries)
        if (!entry.fields.empty()) sorted.push_back(&entry);
    std::sort(sorted.begin(), sorted.end(), [](const ManagedEntry* a, const ManagedEntry* b) {
        return std::tie(a->operation, a->time, a->manager, a->api_version, a->subresource) <
               std::tie(b->operation, b->time, b->manager, b->api_version, b->subresource);
    });
    Json out = Json::array();
    for (const ManagedEntry* entry : sorted) {
        Json& one = out.emplace_back(Json::object());
        one["apiVersion"] = entry->api_version;
        one["fieldsType"] = "FieldsV1";
        one["fieldsV1"] = entry->written ? *entry->written : to_fields_v1(entry->fields);
        one["manager"] = entry->manager;
        one["operation"] = entry->operation;
        if (!entry->subresource.empty()) one["subresource"] = entry->subresource;
        if (!entry->time.empty()) one["time"] = entry->time;
    }
    return out;
}

void ManagedFields::put_into(Json& object) const {
    Json list = to_json();
    Json& metadata = object["metadata"];
    if (list.empty() && metadata.is_object())
        metadata.erase("managedFields");
    else if (!list.empty())
        metadata["managedFields"] = std::move(list);
}

ManagedEntry* ManagedFields::find(const std::string& operation, const std::string& api_version,
                                  const FieldWriter& writer) {
    for (ManagedEntry& entry : entries)
        if (entry.manager == writer.manager && entry.operation == operation &&
            entry.subresource == writer.subresource &&
            (entry.applies() || entry.api_version == api_version))
            return &entry;
    return nullptr;
}

ManagedEntry& ManagedFields::get(const std::string& operation, const std::string& api_version,
                                 const FieldWriter& writer) {
    if (ManagedEntry* known = find(operation, api_version, writer)) return *known;
    return entries.emplace_back(
        ManagedEntry{writer.manager, operation, api_version, writer.subresource, "", {}});
}

void drop_untracked(const Kind& kind, const std::string& subresource, FieldSet& set) {
    if (subresource == "status") {
        drop_children(set, [](const std::string& step) { return step != "f:status"; });
        return;
    }
    drop_children(set, [&](const std::string& step) {
        return step == "f:apiVersion" || step == "f:kind" ||
               (step == "f:status" && kind.has_status);
    });
    for (FieldSet::Child& child : set.children) {
        if (child.step != "f:metadata") continue;
        child.set.member = false;
        drop_children(child.set, [](const std::string& step) {
            return std::find(kUntrackedMetadata.begin(), kUntrackedMetadata.end(), step) !=
                   kUntrackedMetadata.end();
        });
    }
    std::erase_if(set.children, [](const FieldSet::Child& child) { return child.set.empty(); });
}

Comparison changes_between(const Kind& kind, const Json* live, const Json& updated) {
    const Message* message = Schema::builtin().find(kind.message);
    if (!message) return {};
    return compare(ApplyType::of(*message), live ? live : &zero_object(kind), &updated);
}

Json track_update(const Kind& kind, const Json* live, Json updated, const FieldWriter& writer) {
    if (!updated.is_object()) return updated;
    const Json* sent = find(updated, {"metadata", "managedFields"});
    const bool reset = asks_for_reset(sent);
    std::optional<ManagedFields> managed;
    if (reset)
        managed.emplace();
    else if (sent)
        managed = ManagedFields::parse(*sent);
    const bool changed_by_hand = managed.has_value() && !reset && live &&
                                 *sent != array_at(*live, {"metadata", "managedFields"});
    if (!managed) managed = live ? ManagedFields::of(*live) : ManagedFields{};
    if (live && managed->entries.empty()) {
        // Nobody's: only creation and apply begin to track.
        managed->put_into(updated);
        return updated;
    }
    Comparison changes = changes_between(kind, live, updated);
    for (FieldSet* set : {&changes.added, &changes.modified, &changes.removed})
        drop_untracked(kind, writer.subresource, *set);
    if (live && changes.same() && !changed_by_hand) {
        updated["metadata"]["managedFields"] = array_at(*live, {"metadata", "managedFields"});
        return updated;
    }
    const FieldSet taken = united(changes.added, changes.modified);
    const FieldSet lost = united(taken, changes.removed);
    for (ManagedEntry& entry : managed->entries) {
        if (!share_a_step(entry.fields, lost)) continue;
        entry.fields = without(entry.fields, lost);
        entry.written = nullptr;
    }
    if (!taken.empty()) {
        ManagedEntry& own = managed->get("Update", kind.api_version(), writer);
        own.fields = united(own.fields, taken);
        own.written = nullptr;
        own.time = writer.time;
    }
    cap_updaters(*managed);
    managed->put_into(updated);
    return updated;
}

}  // namespace kin
