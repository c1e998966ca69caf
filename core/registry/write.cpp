#include "core/registry/write.h"

#include <chrono>

#include "core/api/findings.h"
#include "core/api/object_text.h"
#include "core/api/schema.h"
#include "core/api/validation.h"
#include "core/base/strings.h"
#include "core/base/time.h"
#include "core/registry/admission.h"
#include "core/registry/metadata.h"
#include "core/registry/policy_warnings.h"

namespace kin::registry {

namespace {
/// metadata.resourceVersion and uid of a body are preconditions.
Answer<Ok> check_preconditions(const Kind& kind, const StoredObject& stored, const Json& old,
                               const Json& body) {
    const std::string revision = string_at(body, {"metadata", "resourceVersion"});
    const std::string name = stored.key.name;
    // "0" is any version, as everywhere.
    if (!revision.empty() && revision != "0" && revision != cat(stored.revision)) {
        return conflict(kind, name,
                        "the object has been modified; please apply your changes to the latest "
                        "version and try again");
    }
    const std::string uid = string_at(body, {"metadata", "uid"});
    const std::string held = string_at(old, {"metadata", "uid"});
    if (!uid.empty() && uid != held) {
        return conflict(
            kind, name,
            cat("Precondition failed: UID in precondition: ", uid, ", UID in object meta: ", held));
    }
    return Ok{};
}

Answer<Ok> settle_name(const Writing& writing, ObjectKey& key, const StoreTransaction& store) {
    key.name = string_at(writing.body, {"metadata", "name"});
    if (!key.name.empty()) return Ok{};
    std::string prefix = string_at(writing.body, {"metadata", "generateName"});
    if (prefix.empty()) {
        return invalid(writing.kind(), "",
                       {field_required("metadata.name", "name or generateName is required")});
    }
    constexpr size_t kLongestPrefix = 58;  // 63 of a label less the suffix
    prefix.resize(std::min(prefix.size(), kLongestPrefix));
    for (int attempt = 0; attempt < 8; ++attempt) {
        key.name = prefix + random_suffix();
        if (!store.find(writing.kind().resource(), key)) return Ok{};
    }
    return already_exists(writing.kind(), key.name);
}

Answer<Ok> check_new_finalizers(const Writing& writing, const Json& old, const Json& object) {
    if (string_at(old, {"metadata", "deletionTimestamp"}).empty()) return Ok{};
    const Json& before = array_at(old, {"metadata", "finalizers"});
    Json added = Json::array();
    for (const Json& finalizer : array_at(object, {"metadata", "finalizers"})) {
        if (std::find(before.begin(), before.end(), finalizer) == before.end()) {
            added.push_back(finalizer);
        }
    }
    if (added.empty()) return Ok{};
    return invalid(writing.kind(), string_at(old, {"metadata", "name"}),
                   {field_forbidden("metadata.finalizers",
                                    cat("no new finalizers can be added if the object is being "
                                        "deleted, found new finalizers ",
                                        to_text(added)))});
}

Written answer_with(Writing& writing, int code, Settled settled) {
    Written written;
    written.code = code;
    written.revision = settled.revision;
    written.changed = settled.changed;
    if (writing.target.subresource == "scale") {
        written.body = to_text(Registry::scale_of(writing.kind(), *settled.object));
    } else {
        written.body = std::move(settled.text);
        if (writing.options.dry_run == DryRun::kNo) written.object = std::move(settled.object);
    }
    written.warnings = std::move(writing.warnings);
    return written;
}

void add_warnings(Writing& writing, const Json& object, const Json* old,
                  const StoreTransaction& store) {
    for (std::string& text : warnings_for(writing.kind(), object, old)) {
        writing.warnings.push_back(std::move(text));
    }
    if (writing.kind().kind != "NetworkPolicy") return;
    for (std::string& text : network_policy_warnings(object, store)) {
        writing.warnings.push_back(std::move(text));
    }
}
}  // namespace

Answer<Ok> Writing::conform(Json& object) {
    // An empty list here means "forget who owns what", and would be dropped as without meaning.
    const Json* managed = find(object, {"metadata", "managedFields"});
    const bool resets = managed && managed->is_array() && managed->empty();
    auto found = kin::conform(kind(), object);
    if (!found) return std::move(found).error();
    if (resets) object["metadata"]["managedFields"] = Json::array();
    std::vector<std::string> errors = std::move(found->unknown);
    errors.insert(errors.end(), options.body_errors.begin(), options.body_errors.end());
    if (errors.empty() || options.field_validation == FieldValidation::kIgnore) return Ok{};
    if (options.field_validation == FieldValidation::kWarn) {
        warnings.insert(warnings.end(), errors.begin(), errors.end());
        return Ok{};
    }
    return bad_request(cat(kind().kind, " in version \"", kind().version,
                           "\" cannot be handled as a ", kind().kind,
                           ": strict decoding error: ", join(errors, ", ")));
}

Answer<Ok> Writing::conform_strictly() {
    auto found = kin::conform(kind(), body);
    if (!found) return std::move(found).error();
    if (found->unknown.empty()) return Ok{};
    std::string fields;
    for (const std::string& text : found->unknown) {
        // `unknown field "spec.foo"` -> `.spec.foo: field not declared in schema`
        const auto parts = split(text, '"');
        if (!fields.empty()) fields += ", ";
        fields += cat('.', parts.size() > 1 ? parts[1] : text, ": field not declared in schema");
    }
    return bad_request(cat("failed to create typed patch object (", target.key, "; ",
                           kind().api_version(), ", Kind=", kind().kind, "): ", fields));
}

FieldWriter Writing::writer() const {
    return {options.field_manager.empty() ? "unknown" : options.field_manager, target.subresource,
            rfc3339(std::chrono::system_clock::now())};
}

Settled put_object(const Writing& writing, Json object, StoreTransaction& store) {
    const ObjectKey key{string_at(object, {"metadata", "namespace"}),
                        string_at(object, {"metadata", "name"})};
    if (writing.options.dry_run == DryRun::kYes) {
        const StoredPtr stored = store.find(writing.kind().resource(), key);
        if (stored) {
            object["metadata"]["resourceVersion"] = cat(stored->revision);
        } else {
            object["metadata"].erase("resourceVersion");
        }
        std::string text = object_text(writing.kind(), object);
        return {std::make_shared<const Json>(std::move(object)), std::move(text),
                stored ? stored->revision : 0};
    }
    const Revision revision = store.next_revision();
    object["metadata"]["resourceVersion"] = cat(revision);
    const StoredPtr stored =
        store.put({writing.kind().resource(), key, object_text(writing.kind(), object),
                   labels_of(object), revision});
    auto parsed = std::make_shared<const Json>(std::move(object));
    stored->parsed.set(parsed);
    return {std::move(parsed), stored->body, stored->revision};
}

Answer<Written> create_in(Writing& writing, ServiceAllocators& allocators,
                          StoreTransaction& store) {
    const Kind& kind = writing.kind();
    Json& object = writing.body;
    ObjectKey key = writing.target.key;
    TRY(settle_name(writing, key, store));
    TRY(admit_create(kind, key, object, store));
    prepare_create(kind, key, object);
    set_defaults(kind, object, nullptr);
    // What follows is the cluster's: the writer does not own it.
    const bool applied =
        object["metadata"].contains("managedFields") && writing.options.force_apply;
    if (!applied) object = track_update(kind, nullptr, std::move(object), writing.writer());
    TRY(complete_create(kind, key, object, store));
    if (kind.resource() == "services") choose_families(object, nullptr);
    std::vector<Cause> causes = validate(kind, object, nullptr);
    if (!causes.empty()) return invalid(kind, key.name, std::move(causes));
    if (store.find(kind.resource(), key)) return already_exists(kind, key.name);
    if (kind.resource() == "services") {
        TRY(allocators.allocate(object, nullptr, writing.options.dry_run));
    }
    add_warnings(writing, object, nullptr, store);
    return answer_with(writing, 201, put_object(writing, std::move(object), store));
}

namespace {
/// Defaults that an apply left out make it differ from the object until they are filled in again:
/// all that is new then is the time of its manager, and that alone is no change.
bool same_but_times(const Json& old, Json object) {
    const Json* before = find(old, {"metadata", "managedFields"});
    Json* after = find(object, {"metadata", "managedFields"});
    if (!before || !after || before->size() != after->size()) return false;
    for (size_t i = 0; i < before->size(); ++i) {
        if (before->at(i).contains("time")) after->at(i)["time"] = before->at(i)["time"];
    }
    return object == old;
}

std::vector<Cause> causes_of(const Kind& kind, std::string_view subresource, const Json& object,
                             const Json& old) {
    if (subresource == "status") return validate_status(kind, object, old);
    if (subresource == "ephemeralcontainers")
        return validate_ephemeral_containers(kind, object, old);
    return validate(kind, object, &old);
}
}  // namespace

Answer<Settled> finish_update(Writing& writing, const StoredObject& stored, const Json& old,
                              Json object, Tracking tracking, ServiceAllocators& allocators,
                              StoreTransaction& store) {
    const Kind& kind = writing.kind();
    const std::string& subresource = writing.target.subresource;
    const bool is_service = kind.resource() == "services" && subresource.empty();
    if (is_service) carry_over_service(old, object);
    prepare_update(kind, old, subresource, object);
    TRY(check_new_finalizers(writing, old, object));
    set_defaults(kind, object, &old);
    if (tracking == Tracking::kUpdate) {
        object = track_update(kind, &old, std::move(object), writing.writer());
    }
    complete_update(kind, object);
    if (is_service) choose_families(object, &old);
    if (subresource != "status") count_generation(kind, old, object);
    std::vector<Cause> causes = causes_of(kind, subresource, object, old);
    if (!causes.empty()) return invalid(kind, stored.key.name, std::move(causes));
    if (is_service) TRY(allocators.allocate(object, &old, writing.options.dry_run));
    if (subresource.empty()) add_warnings(writing, object, &old, store);
    object["metadata"]["resourceVersion"] = cat(stored.revision);
    // Nothing to write: no new revision, no event.
    if (object == old || (tracking == Tracking::kAlreadyTracked && same_but_times(old, object))) {
        return Settled{json_of(stored), stored.body, stored.revision, false};
    }
    if (ready_to_remove(kind, object)) {
        if (writing.options.dry_run == DryRun::kNo) {
            if (kind.resource() == "services") allocators.release(object);
            store.remove(kind.resource(), stored.key);
        }
        std::string text = object_text(kind, object);
        return Settled{std::make_shared<const Json>(std::move(object)), std::move(text),
                       stored.revision};
    }
    return put_object(writing, std::move(object), store);
}

Answer<Written> update_in(Writing& writing, ServiceAllocators& allocators,
                          StoreTransaction& store) {
    const Kind& kind = writing.kind();
    const StoredPtr stored = store.find(kind.resource(), writing.target.key);
    if (!stored) {
        if (kind.create_on_update && writing.target.subresource.empty()) {
            writing.body["metadata"].erase("resourceVersion");
            return create_in(writing, allocators, store);
        }
        const std::string uid = string_at(writing.body, {"metadata", "uid"});
        if (uid.empty()) return not_found(kind, writing.target.key.name);
        return conflict(
            kind, writing.target.key.name,
            cat("Precondition failed: UID in precondition: ", uid, ", UID in object meta: "));
    }
    const std::shared_ptr<const Json> held = json_of(*stored);
    const Json& old = *held;
    TRY(check_preconditions(kind, *stored, old, writing.body));
    if (!kind.unconditional_update && writing.target.subresource.empty() &&
        string_at(writing.body, {"metadata", "resourceVersion"}).empty()) {
        Status status = invalid(
            kind, writing.target.key.name,
            {field_invalid("metadata.resourceVersion", "", "must be specified for an update")});
        status.kind = kind.plural;  // Said before the object is looked at: of the resource.
        return status;
    }
    Json object = writing.body;
    if (writing.target.subresource == "scale") {
        object = old;
        object["spec"]["replicas"] = int_at(writing.body, {"spec", "replicas"});
    } else if (writing.target.subresource == "finalize") {
        object = old;
        object["spec"]["finalizers"] = array_at(writing.body, {"spec", "finalizers"});
    }
    TRY_ASSIGN(Settled settled, finish_update(writing, *stored, old, std::move(object),
                                              Tracking::kUpdate, allocators, store));
    return answer_with(writing, 200, std::move(settled));
}

namespace {
Answer<Json> patched(Writing& writing, PatchType type, const Json* live) {
    const Kind& kind = writing.kind();
    const bool scale = writing.target.subresource == "scale";
    Json current = scale && live ? Registry::scale_of(kind, *live) : live ? *live : Json();
    switch (type) {
        case PatchType::kJson:
            return json_patch(current, writing.body);
        case PatchType::kMerge:
            return merge_patch(std::move(current), writing.body);
        case PatchType::kStrategic:
            if (scale) return merge_patch(std::move(current), writing.body);
            return strategic_merge_patch(*Schema::builtin().find(kind.message), current,
                                         writing.body);
        case PatchType::kApply:
            if (scale) return merge_patch(std::move(current), writing.body);
            return server_side_apply(
                kind, live, writing.body, writing.writer(),
                writing.options.force_apply ? ApplyForce::kYes : ApplyForce::kNo);
    }
    return internal_error("no such patch type");
}

/// 422: what the patch made of the object cannot be read.
Status unreadable_patch(const Writing& writing, std::string_view why) {
    return invalid_of("", "", "", {field_invalid("patch", to_text(writing.body), why)});
}

/// What a patch made of the object must still be a readable object of the same name.
Answer<Ok> check_patched(Writing& writing, PatchType type, const Json& old, Json& object) {
    if (!object.is_object() || !object_at(object, {"metadata"}).is_object()) {
        return bad_request("the patch does not result in an object");
    }
    const std::string name = string_at(object, {"metadata", "name"});
    if (name != writing.target.key.name) {
        return bad_request(cat("the name of the object (", name,
                               ") does not match the name on the URL (", writing.target.key.name,
                               ")"));
    }
    const std::string ns = string_at(object, {"metadata", "namespace"});
    if (!ns.empty() && ns != writing.target.key.ns) {
        return bad_request(cat("the namespace of the object (", ns,
                               ") does not match the namespace on the request (",
                               writing.target.key.ns, ")"));
    }
    if (type == PatchType::kApply || writing.target.subresource == "scale") return Ok{};
    if (const auto conforms = writing.conform(object); !conforms) {
        const std::string& text = conforms.error().message;
        const size_t strict = text.find("strict decoding");
        return unreadable_patch(
            writing, strict == std::string::npos ? text : std::string_view(text).substr(strict));
    }
    const Json* uid = find(object, {"metadata", "uid"});
    if (uid && !same_value(uid, find(old, {"metadata", "uid"}))) {
        return invalid(writing.kind(), name,
                       {field_invalid("metadata.uid", *uid, "field is immutable")});
    }
    return Ok{};
}
}  // namespace

Answer<Written> patch_in(Writing& writing, PatchType type, ServiceAllocators& allocators,
                         StoreTransaction& store) {
    const Kind& kind = writing.kind();
    const StoredPtr stored = store.find(kind.resource(), writing.target.key);
    if (!stored) {
        if (type != PatchType::kApply || !writing.target.subresource.empty()) {
            return not_found(kind, writing.target.key.name);
        }
        TRY_ASSIGN(writing.body, patched(writing, type, nullptr));
        writing.options.force_apply = true;  // Ownership is settled: create_in keeps it.
        return create_in(writing, allocators, store);
    }
    const std::shared_ptr<const Json> held = json_of(*stored);
    const Json& old = *held;
    TRY_ASSIGN(Json object, patched(writing, type, &old));
    TRY(check_patched(writing, type, old, object));
    TRY(check_preconditions(kind, *stored, old, object));
    if (writing.target.subresource == "scale") {
        TRY(settle_scale(writing.target, object));
        const int64_t replicas = int_at(object, {"spec", "replicas"});
        object = old;
        object["spec"]["replicas"] = replicas;
    }
    const bool tracked = type == PatchType::kApply && writing.target.subresource != "scale";
    TRY_ASSIGN(
        Settled settled,
        finish_update(writing, *stored, old, std::move(object),
                      tracked ? Tracking::kAlreadyTracked : Tracking::kUpdate, allocators, store));
    return answer_with(writing, 200, std::move(settled));
}

}  // namespace kin::registry
