#include <algorithm>
#include <chrono>

#include "core/api/object_text.h"
#include "core/api/validation.h"
#include "core/base/strings.h"
#include "core/base/time.h"
#include "core/registry/admission.h"
#include "core/registry/delete_options.h"
#include "core/registry/metadata.h"
#include "core/registry/write.h"

namespace kin::registry {

namespace {
constexpr std::string_view kOrphan = "orphan";
constexpr std::string_view kForeground = "foregroundDeletion";

/// What happens to what the object owns if the caller does not say. For these kinds it is as it was
/// before there was a garbage collector (DefaultGarbageCollectionPolicy() upstream).
Propagation usual_propagation(const Kind& kind, const Json& object) {
    const Json& finalizers = array_at(object, {"metadata", "finalizers"});
    const bool said = std::any_of(finalizers.begin(), finalizers.end(), [](const Json& one) {
        return one == kOrphan || one == kForeground;
    });
    const bool orphans = kind.kind == "Job" || kind.kind == "ReplicationController";
    return orphans && !said ? Propagation::kOrphan : Propagation::kDefault;
}

/// Finalizers as the propagation policy wants them; both of the garbage collector's own go first.
Json finalizers_for(const Kind& kind, const Json& object, Propagation propagation) {
    if (propagation == Propagation::kDefault) propagation = usual_propagation(kind, object);
    Json out = Json::array();
    for (const Json& finalizer : array_at(object, {"metadata", "finalizers"})) {
        const bool own = finalizer == kOrphan || finalizer == kForeground;
        if (!own || propagation == Propagation::kDefault) out.push_back(finalizer);
    }
    if (propagation == Propagation::kOrphan) out.push_back(kOrphan);
    if (propagation == Propagation::kForeground) out.push_back(kForeground);
    return out;
}

/// Seconds a Pod has to end by itself. Unscheduled and finished ones have nothing to end.
int64_t grace_of(const Kind& kind, const Json& object, const DeleteOptions& options) {
    if (kind.kind != "Pod") return 0;
    const std::string phase = string_at(object, {"status", "phase"});
    if (string_at(object, {"spec", "nodeName"}).empty() || phase == "Succeeded" ||
        phase == "Failed") {
        return 0;
    }
    const int64_t asked = options.grace_period_seconds.value_or(
        int_at(object, {"spec", "terminationGracePeriodSeconds"}, 30));
    return std::max<int64_t>(asked, 0);
}

Answer<Ok> check_preconditions(const Kind& kind, const DeleteOptions& options,
                               const StoredObject& stored, const Json& object) {
    const std::string uid = string_at(object, {"metadata", "uid"});
    const auto refuse = [&](std::string_view what, std::string_view asked, std::string_view held) {
        Kind named = kind;
        named.plural = kind.kind;  // Upstream says the kind where the resource is meant.
        return conflict(
            named, stored.key.name,
            cat("the ", what, " in the precondition (", asked, ") does not match the ", what,
                " in record (", held, "). The object might have been deleted and then recreated"));
    };
    if (!options.precondition_uid.empty() && options.precondition_uid != uid) {
        return refuse("UID", options.precondition_uid, uid);
    }
    const std::string& revision = options.precondition_resource_version;
    if (!revision.empty() && revision != cat(stored.revision)) {
        return refuse("ResourceVersion", revision, cat(stored.revision));
    }
    return Ok{};
}

/// Most kinds answer a DELETE with a Status; upstream's registry lets these answer with the object.
bool answers_with_itself(const Kind& kind) {
    constexpr std::string_view kKinds[] = {
        "Pod",           "PodTemplate",      "ServiceAccount",
        "ResourceQuota", "PersistentVolume", "PersistentVolumeClaim"};
    return std::find(std::begin(kKinds), std::end(kKinds), kind.kind) != std::end(kKinds);
}

/// Notes in `object` that it is going away. False if it was noted before and nothing changes.
bool mark_deleted(const Kind& kind, Json& object, int64_t grace, Json finalizers) {
    Json& meta = object["metadata"];
    const bool deleting = !string_at(meta, {"deletionTimestamp"}).empty();
    bool changed = false;
    if (finalizers != array_at(meta, {"finalizers"})) {
        meta["finalizers"] = std::move(finalizers);
        if (meta["finalizers"].empty()) meta.erase("finalizers");
        changed = true;
    }
    const int64_t left = int_at(meta, {"deletionGracePeriodSeconds"});
    if (deleting && grace >= left) return changed;
    const auto end = std::chrono::system_clock::now() + std::chrono::seconds(grace);
    meta["deletionTimestamp"] = rfc3339(end);
    meta["deletionGracePeriodSeconds"] = grace;
    if (kind.kind == "Namespace") {
        // A Namespace has no grace of its own; its content has.
        meta.erase("deletionGracePeriodSeconds");
        object["status"]["phase"] = "Terminating";
    }
    if (!deleting && kind.has_generation) meta["generation"] = int_at(meta, {"generation"}) + 1;
    return true;
}
}  // namespace

std::string deleted_status(const Kind& kind, const Json& object) {
    Json details = {{"name", string_at(object, {"metadata", "name"})},
                    {"kind", kind.plural},
                    {"uid", string_at(object, {"metadata", "uid"})}};
    if (!kind.group.empty()) details["group"] = kind.group;
    return to_text({{"kind", "Status"},
                    {"apiVersion", "v1"},
                    {"metadata", Json::object()},
                    {"status", "Success"},
                    {"details", details}});
}

Answer<Written> remove_in(Writing& writing, const DeleteOptions& options,
                          ServiceAllocators& allocators, StoreTransaction& store) {
    const Kind& kind = writing.kind();
    const ObjectKey& key = writing.target.key;
    const StoredPtr stored = store.find(kind.resource(), key);
    if (!stored) return not_found(kind, key.name);
    Json object = *json_of(*stored);
    TRY(check_preconditions(kind, options, *stored, object));
    if (kind.kind == "Namespace" && is_immortal_namespace(key.name)) {
        return forbidden(kind, key.name, "this namespace may not be deleted");
    }
    if (kind.kind == "Job" && options.propagation == Propagation::kDefault) {
        writing.warnings.emplace_back(
            "child pods are preserved by default when jobs are deleted; set "
            "propagationPolicy=Background to remove them or set propagationPolicy=Orphan to "
            "suppress this warning");
    }
    const int64_t grace = grace_of(kind, object, options);
    const bool changed =
        mark_deleted(kind, object, grace, finalizers_for(kind, object, options.propagation));
    const bool gone = ready_to_remove(kind, object);
    Written written;
    written.warnings = std::move(writing.warnings);
    if (gone) {
        if (writing.options.dry_run == DryRun::kNo) {
            if (kind.resource() == "services") allocators.release(object);
            // Watchers of a Pod see that it goes before it is gone.
            if (kind.kind == "Pod" && changed)
                object = *put_object(writing, std::move(object), store).object;
            const StoredPtr last = store.remove(kind.resource(), key);
            written.revision = last->revision;
        }
        written.body =
            answers_with_itself(kind) ? object_text(kind, object) : deleted_status(kind, object);
        return written;
    }
    Settled settled = changed ? put_object(writing, std::move(object), store)
                              : Settled{json_of(*stored), stored->body, stored->revision};
    written.body = std::move(settled.text);
    written.object = std::move(settled.object);
    written.revision = settled.revision;
    return written;
}

}  // namespace kin::registry

namespace kin {

namespace {
Status invalid_option(Cause cause) {
    return invalid_of("meta.k8s.io", "DeleteOptions", "", {std::move(cause)});
}

Answer<Propagation> read_propagation(const Json& body) {
    const std::string text = string_at(body, {"propagationPolicy"});
    const Json* orphan = find(body, "orphanDependents");
    if (orphan && !text.empty()) {
        return invalid_option(field_invalid("propagationPolicy", text,
                                            "orphanDependents and deletionPropagation cannot be "
                                            "both set"));
    }
    if (orphan) return *orphan == true ? Propagation::kOrphan : Propagation::kBackground;
    if (text.empty()) return Propagation::kDefault;
    if (text == "Background") return Propagation::kBackground;
    if (text == "Foreground") return Propagation::kForeground;
    if (text == "Orphan") return Propagation::kOrphan;
    return invalid_option(
        field_not_supported("propagationPolicy", text, {"Foreground", "Background", "Orphan"}));
}
}  // namespace

Answer<DeleteOptions> read_delete_options(const Json& sent) {
    DeleteOptions options;
    if (!sent.is_object()) return bad_request("DeleteOptions must be an object");
    const std::string kind = string_at(sent, {"kind"}, "DeleteOptions");
    if (kind != "DeleteOptions") {
        return bad_request(cat(kind, " in version \"", string_at(sent, {"apiVersion"}),
                               "\" cannot be handled as DeleteOptions"));
    }
    const Message* message = Schema::builtin().find("meta.v1.DeleteOptions");
    Json body = sent;
    if (message) TRY(conform(*message, body, ZeroValues::kKeep));
    TRY_ASSIGN(options.propagation, read_propagation(body));
    if (const Json* grace = find(body, "gracePeriodSeconds"); grace && grace->is_number_integer())
        options.grace_period_seconds = grace->get<int64_t>();
    options.precondition_uid = string_at(body, {"preconditions", "uid"});
    options.precondition_resource_version = string_at(body, {"preconditions", "resourceVersion"});
    for (const Json& item : array_at(body, {"dryRun"})) {
        if (item != "All")
            return invalid_option(field_not_supported("dryRun", body["dryRun"], {"All"}));
        options.dry_run = DryRun::kYes;
    }
    return options;
}

}  // namespace kin
