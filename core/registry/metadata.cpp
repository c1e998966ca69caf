#include "core/registry/metadata.h"

#include <openssl/rand.h>

#include <array>
#include <chrono>

#include "core/base/assert.h"
#include "core/base/strings.h"
#include "core/base/time.h"

namespace kin {

namespace {
void random_bytes(unsigned char* out, size_t size) {
    KIN_ASSERT(RAND_bytes(out, static_cast<int>(size)) == 1);
}

void take_over(Json& to, const Json& from, std::string_view field) {
    if (const Json* value = find(from, field)) {
        to[std::string(field)] = *value;
    } else {
        to.erase(std::string(field));
    }
}

/// Of what generation counts: everything but metadata, status and the type.
bool counts(std::string_view field) {
    return field != "metadata" && field != "status" && field != "kind" && field != "apiVersion";
}

bool generation_changes(const Json& old, const Json& object) {
    for (const auto& [field, value] : object.items()) {
        if (!counts(field)) continue;
        const Json* before = find(old, field);
        if (!before || *before != value) return true;
    }
    for (const auto& [field, value] : old.items()) {
        if (counts(field) && !object.contains(field)) return true;
    }
    return false;
}

/// Makes `object` the same as `from` but for `kept`; copies what differs only.
void take_over_all_but(std::string_view kept, const Json& from, Json& object) {
    std::vector<std::string> gone;
    for (const auto& [field, value] : object.items()) {
        if (field != kept && !from.contains(field)) gone.push_back(field);
    }
    for (const std::string& field : gone) object.erase(field);
    for (const auto& [field, value] : from.items()) {
        if (field == kept) continue;
        Json& now = object[field];
        if (now != value) now = value;
    }
}

/// The same, except that who owns what may be said by every write.
void take_over_all_but_part(std::string_view kept, const Json& old, Json& object) {
    Json tracked;
    const JsonPath kTracked = {"metadata", "managedFields"};
    const Json* held = find(old, kTracked);
    if (Json* sent = find(object, kTracked); sent && (!held || *held != *sent))
        tracked = std::move(*sent);
    take_over_all_but(kept, old, object);
    if (!tracked.is_null()) object["metadata"]["managedFields"] = std::move(tracked);
}
}  // namespace

std::string new_uid() {
    std::array<unsigned char, 16> bytes{};
    random_bytes(bytes.data(), bytes.size());
    bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0F) | 0x40);
    bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3F) | 0x80);
    const std::string digits =
        hex(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    return cat(digits.substr(0, 8), '-', digits.substr(8, 4), '-', digits.substr(12, 4), '-',
               digits.substr(16, 4), '-', digits.substr(20));
}

std::string random_suffix() {
    constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";
    std::array<unsigned char, 5> bytes{};
    random_bytes(bytes.data(), bytes.size());
    std::string out;
    for (const unsigned char byte : bytes) out.push_back(kAlphabet[byte % kAlphabet.size()]);
    return out;
}

void prepare_create(const Kind& kind, const ObjectKey& key, Json& object) {
    Json& meta = object["metadata"];
    for (const char* field : {"selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"}) {
        meta.erase(field);
    }
    meta["name"] = key.name;
    if (kind.namespaced) meta["namespace"] = key.ns;
    meta["uid"] = new_uid();
    meta["creationTimestamp"] = rfc3339(std::chrono::system_clock::now());
    if (kind.has_generation) meta["generation"] = 1;
    meta["resourceVersion"] = "";
    // A node agent registers its Node with a status; all other statuses are written by /status.
    if (kind.has_status && kind.kind != "Node") object.erase("status");
}

void prepare_update(const Kind& kind, const Json& old, std::string_view subresource, Json& object) {
    if (subresource == "status") {
        take_over_all_but_part("status", old, object);
        if (const Json* status = find(object, "status"); status && status->is_null())
            object.erase("status");
        return;
    }
    if (subresource == "ephemeralcontainers") {
        take_over_all_but_part("spec", old, object);
        Json spec = object_at(old, {"spec"});
        take_over(spec, object_at(object, {"spec"}), "ephemeralContainers");
        object["spec"] = std::move(spec);
        return;
    }
    Json& meta = object["metadata"];
    const Json& old_meta = object_at(old, {"metadata"});
    for (const char* field :
         {"name", "namespace", "uid", "creationTimestamp", "generation", "generateName",
          "deletionTimestamp", "deletionGracePeriodSeconds", "resourceVersion"}) {
        take_over(meta, old_meta, field);
    }
    meta.erase("selfLink");
    if (kind.has_status) take_over(object, old, "status");
    // Only /finalize changes them: a Namespace must not go before what is in it.
    if (kind.kind == "Namespace" && subresource != "finalize") {
        Json& spec = object["spec"];
        if (!spec.is_object()) spec = Json::object();
        take_over(spec, object_at(old, {"spec"}), "finalizers");
    }
}

void count_generation(const Kind& kind, const Json& old, Json& object) {
    if (!kind.has_generation) return;
    bool changed = generation_changes(old, object);
    // A Deployment's annotations go on to its ReplicaSets.
    if (kind.kind == "Deployment" && object_at(object, {"metadata", "annotations"}) !=
                                         object_at(old, {"metadata", "annotations"}))
        changed = true;
    if (changed) object["metadata"]["generation"] = int_at(old, {"metadata", "generation"}) + 1;
}

bool ready_to_remove(const Kind& kind, const Json& object) {
    const Json& meta = object_at(object, {"metadata"});
    if (string_at(meta, {"deletionTimestamp"}).empty()) return false;
    if (!array_at(meta, {"finalizers"}).empty()) return false;
    if (kind.kind == "Namespace") return array_at(object, {"spec", "finalizers"}).empty();
    if (kind.kind == "Pod") return int_at(meta, {"deletionGracePeriodSeconds"}) == 0;
    return true;
}

}  // namespace kin
