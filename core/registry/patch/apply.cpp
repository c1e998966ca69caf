#include <algorithm>

#include "core/base/strings.h"
#include "core/registry/patch.h"
#include "core/registry/patch/managed_fields.h"
#include "core/registry/patch/typed_value.h"

namespace kin {
namespace {

constexpr std::string_view kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

struct Conflict {
    std::string manager;
    std::string path;
};

Status conflicting(std::vector<Conflict> conflicts) {
    std::stable_sort(conflicts.begin(), conflicts.end(),
                     [](const Conflict& a, const Conflict& b) { return a.manager < b.manager; });
    Status status;
    status.code = 409;
    status.reason = "Conflict";
    for (const Conflict& one : conflicts)
        status.causes.push_back(
            {"FieldManagerConflict", cat("conflict with ", one.manager), one.path});
    if (conflicts.size() == 1) {
        status.message = cat("Apply failed with 1 conflict: conflict with ", conflicts[0].manager,
                             ": ", conflicts[0].path);
        return status;
    }
    status.message = cat("Apply failed with ", conflicts.size(), " conflicts:");
    const std::string* manager = nullptr;
    for (const Conflict& one : conflicts) {
        if (!manager || *manager != one.manager)
            status.message += cat(manager ? "\n" : " ", "conflicts with ", one.manager, ':');
        manager = &one.manager;
        status.message += cat("\n- ", one.path);
    }
    return status;
}

void drop_nulls(Json& json) {
    if (json.is_object()) {
        auto& members = json.get_ref<Json::object_t&>();
        std::erase_if(members, [](const auto& member) { return member.second.is_null(); });
    }
    if (json.is_structured())
        for (Json& child : json) drop_nulls(child);
}

/// One apply: what goes in, and the managers as they become.
class ServerSideApply {
public:
    ServerSideApply(const Kind& kind, const Message& message, const Json* live,
                    const FieldWriter& writer)
        : kind_(kind), type_(ApplyType::of(message)), live_(live), writer_(writer) {}

    Answer<Json> apply(const Json& applied, ApplyForce force) {
        TRY(check(applied));
        if (live_) managed_ = ManagedFields::of(*live_);
        for (ManagedEntry& entry : managed_.entries) entry.written = nullptr;  // All may change.
        if (live_ && managed_.entries.empty()) own_what_was_there_before();

        FieldSet last;
        if (const ManagedEntry* known = managed_.find("Apply", kind_.api_version(), writer_))
            last = known->fields;
        ManagedEntry& own = managed_.get("Apply", kind_.api_version(), writer_);
        own.api_version = kind_.api_version();
        own.fields = fields_of(type_, applied);
        drop_untracked(kind_, writer_.subresource, own.fields);

        Json result = live_ ? merged(type_, *live_, applied) : applied;
        if (!last.empty()) result = pruned(result, last);
        Comparison changes = changes_between(kind_, live_, result);
        for (FieldSet* set : {&changes.added, &changes.modified, &changes.removed})
            drop_untracked(kind_, writer_.subresource, *set);
        TRY(settle_conflicts(changes, force));
        return finished(std::move(result), applied, changes);
    }

private:
    Answer<Ok> check(const Json& applied) const {
        const Json* managed = find(applied, {"metadata", "managedFields"});
        if (managed && !managed->is_null())
            return bad_request("metadata.managedFields must be nil");
        auto checked = check_applied(type_, applied, "");
        if (checked) return checked;
        const std::string ns = string_at(applied, {"metadata", "namespace"});
        return bad_request(cat("failed to create typed patch object (", ns, '/',
                               string_at(applied, {"metadata", "name"}), "; ", kind_.api_version(),
                               ", Kind=", kind_.kind, "): ", checked.error().message));
    }

    /// An object whose fields are nobody's gets an owner, so that taking them over is a conflict.
    void own_what_was_there_before() {
        Comparison all = changes_between(kind_, nullptr, *live_);
        FieldSet fields = united(all.added, all.modified);
        drop_untracked(kind_, "", fields);
        managed_.entries.push_back({"before-first-apply", "Update", kind_.api_version(), "",
                                    writer_.time, std::move(fields)});
    }

    /// Takes out what this manager applied the last time, does not apply now, and nobody else owns.
    Json pruned(const Json& result, const FieldSet& last) const {
        FieldSet owned;
        for (const ManagedEntry& entry : managed_.entries) owned = united(owned, entry.fields);
        const FieldSet all = with_named_parents(type_, fields_of(type_, result));
        FieldSet before = with_named_parents(type_, last);
        // An object does not lose its name with its last label.
        for (FieldSet::Child& child : before.children)
            if (child.step == "f:metadata") child.set.member = false;
        // What stays beside the manager's old fields, then what somebody owns among them.
        const Json beside = removed(type_, result, before);
        const FieldSet kept = united(with_named_parents(type_, fields_of(type_, beside)),
                                     with_named_parents(type_, owned));
        const Json with_owned = removed(type_, result, without(all, kept));
        // Of the rest, only what was the manager's own goes: defaults around it stay.
        const FieldSet left = with_named_parents(type_, fields_of(type_, with_owned));
        return removed(type_, result, common(without(all, left), before));
    }

    /// The other managers lose what changes; that is a conflict unless forced.
    Answer<Ok> settle_conflicts(const Comparison& changes, ApplyForce force) {
        const FieldSet taken = united(changes.added, changes.modified);
        const FieldSet allowed = force == ApplyForce::kNo ? last_applied_fields() : FieldSet{};
        std::vector<Conflict> conflicts;
        for (ManagedEntry& entry : managed_.entries) {
            if (is_own(entry)) continue;
            const FieldSet clash = common(entry.fields, taken);
            if (force == ApplyForce::kNo)
                for (std::string& path : paths_of(without(clash, allowed)))
                    conflicts.push_back({entry.to_string(), std::move(path)});
            entry.fields = without(without(entry.fields, clash), changes.removed);
        }
        if (!conflicts.empty()) return conflicting(std::move(conflicts));
        return Ok{};
    }

    bool is_own(const ManagedEntry& entry) const {
        return entry.applies() && entry.manager == writer_.manager &&
               entry.subresource == writer_.subresource;
    }

    /// kubectl may take over, without force, what it applied client-side: the fields of its
    /// annotation that still have the values noted there.
    FieldSet last_applied_fields() const {
        if (writer_.manager != "kubectl" || !live_) return {};
        const std::string text = string_at(*live_, {"metadata", "annotations", kLastApplied});
        const auto noted = parse_json(text);
        if (!noted || !noted->is_object()) return {};
        const Comparison since = compare(type_, &*noted, live_);
        return without(fields_of(type_, *noted), united(since.modified, since.removed));
    }

    Answer<Json> finished(Json result, const Json& applied, const Comparison& changes) {
        ManagedEntry& own = managed_.get("Apply", kind_.api_version(), writer_);
        // A new order of a list's elements alone is no change.
        if (live_ && changes.same())
            result = *live_;
        else
            own.time = writer_.time;
        if (own.time.empty()) own.time = writer_.time;
        for (const char* precondition : {"resourceVersion", "uid"})
            if (const Json* value = find(applied, {"metadata", precondition}))
                result["metadata"][precondition] = *value;
        drop_nulls(result);
        if (live_) renew_last_applied(result, applied);
        managed_.put_into(result);
        return result;
    }

    /// Keeps kubectl's annotation true, where there is one, so that client-side apply goes on.
    void renew_last_applied(Json& result, const Json& applied) const {
        if (writer_.manager != "kubectl" || !writer_.subresource.empty()) return;
        Json* annotation = find(result, {"metadata", "annotations", kLastApplied});
        if (!annotation) return;
        Json noted = applied;
        if (Json* annotations = find(noted, {"metadata", "annotations"});
            annotations && annotations->is_object())
            annotations->erase(std::string(kLastApplied));
        *annotation = to_text(noted) + '\n';
    }

    const Kind& kind_;
    ApplyType type_;
    const Json* live_;
    const FieldWriter& writer_;
    ManagedFields managed_;
};

}  // namespace

Answer<Json> server_side_apply(const Kind& kind, const Json* live, const Json& applied,
                               const FieldWriter& writer, ApplyForce force) {
    const Message* message = Schema::builtin().find(kind.message);
    if (!message) return internal_error(cat("there is no schema for ", kind.kind));
    if (!applied.is_object()) return bad_request("the applied configuration is an object");
    ServerSideApply run(kind, *message, live, writer);
    // Status has its own door; what comes here is not looked at.
    if (!kind.has_status || writer.subresource == "status" || !applied.contains("status"))
        return run.apply(applied, force);
    Json without_status = applied;
    without_status.erase("status");
    return run.apply(without_status, force);
}

}  // namespace kin
