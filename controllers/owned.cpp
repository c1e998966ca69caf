#include "controllers/owned.h"

#include <algorithm>

#include "core/base/strings.h"

namespace kin::controllers {

namespace {
// No vowels and no 0, 1, 3: hashes cannot spell words or be misread.
constexpr std::string_view kSafeAlphabet = "bcdfghjklmnpqrstvwxz2456789";

uint32_t fnv1a(std::string_view bytes) {
    uint32_t hash = 2166136261U;
    for (const char c : bytes) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 16777619U;
    }
    return hash;
}

std::string owner_uid(const Pod& pod) {
    const OwnerReference* owner = pod.meta.controller();
    return owner ? owner->uid : "";
}
}  // namespace

Json owner_reference(std::string_view api_version, std::string_view kind, const Metadata& owner) {
    return {{"apiVersion", api_version}, {"kind", kind},       {"name", owner.key.name},
            {"uid", owner.uid},          {"controller", true}, {"blockOwnerDeletion", true}};
}

Json pod_from_template(const Json& pod_template, std::string_view api_version,
                       std::string_view kind, const Metadata& owner) {
    Json pod = {{"apiVersion", "v1"}, {"kind", "Pod"}, {"spec", object_at(pod_template, {"spec"})}};
    Json& meta = pod["metadata"];
    meta = {{"namespace", owner.key.ns}, {"generateName", owner.key.name + "-"}};
    for (const char* field : {"labels", "annotations", "finalizers"}) {
        if (const Json* value = find(pod_template, {"metadata", field})) meta[field] = *value;
    }
    meta["ownerReferences"] = Json::array({owner_reference(api_version, kind, owner)});
    return pod;
}

bool is_active(const Pod& pod) { return !pod.finished() && !pod.meta.deleting(); }

std::optional<WallTime> available_at(const Pod& pod, int64_t min_ready_seconds) {
    if (!pod.ready) return {};
    if (min_ready_seconds <= 0) return WallTime{};  // However long: nobody waits for it.
    const Json* ready = find_condition(pod.status(), "Ready");
    const auto since = ready ? parse_rfc3339(string_at(*ready, {"lastTransitionTime"}))
                             : std::optional<WallTime>{};
    if (!since) return {};
    return *since + std::chrono::seconds(min_ready_seconds);
}

std::string safe_hash(std::string_view bytes) {
    std::string out;
    for (const char digit : std::to_string(fnv1a(bytes))) {
        out += kSafeAlphabet[static_cast<unsigned char>(digit) % kSafeAlphabet.size()];
    }
    return out;
}

std::string template_hash(const Json& pod_template, int64_t collisions) {
    std::string text = to_text(pod_template);
    if (collisions > 0) text += std::to_string(collisions);
    return safe_hash(text);
}

int scaled_value(const Json& number_or_percent, int total, Round round) {
    if (number_or_percent.is_number_integer()) return number_or_percent.get<int>();
    if (!number_or_percent.is_string()) return 0;
    std::string_view text = number_or_percent.get_ref<const std::string&>();
    if (text.empty() || text.back() != '%') return 0;
    text.remove_suffix(1);
    const int64_t hundredths = parse_number<int64_t>(text).value_or(0) * total;
    return static_cast<int>(round == Round::kUp ? (hundredths + 99) / 100 : hundredths / 100);
}

const Json* find_condition(const Json& status, std::string_view type) {
    for (const Json& condition : array_at(status, {"conditions"})) {
        if (string_at(condition, {"type"}) == type) return &condition;
    }
    return nullptr;
}

Json difference(const Json& stored, const Json& wanted) {
    Json patch = Json::object();
    for (const auto& [field, value] : wanted.items()) {
        const Json* now = find(stored, field);
        if (value.is_null() ? now != nullptr : !now || *now != value) patch[field] = value;
    }
    return patch;
}

void OwnedPods::note(const CacheChange<Pod>& change) {
    const std::string before = change.before ? owner_uid(*change.before) : "";
    const std::string now = change.now ? owner_uid(*change.now) : "";
    if (change.before && (!change.now || before != now)) {
        const auto found = by_owner_.find(before);
        if (found != by_owner_.end()) {
            found->second.erase(change.before->key());
            if (found->second.empty()) by_owner_.erase(found);
        }
    }
    if (change.now) by_owner_[now].insert(change.now->key());
}

std::vector<const Pod*> OwnedPods::of(const std::string& owner_uid) const {
    std::vector<const Pod*> out;
    const auto found = by_owner_.find(owner_uid);
    if (found == by_owner_.end()) return out;
    for (const ObjectKey& key : found->second) {
        if (const Pod* pod = pods_.find(key)) out.push_back(pod);
    }
    return out;
}

std::vector<const Pod*> OwnedPods::orphans(const std::string& ns,
                                           const LabelSelector& selector) const {
    std::vector<const Pod*> out;
    for (const Pod* pod : of("")) {
        if (pod->key().ns == ns && selector.matches(pod->meta.labels)) out.push_back(pod);
    }
    return out;
}

}  // namespace kin::controllers
