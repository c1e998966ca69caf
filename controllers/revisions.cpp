#include "controllers/revisions.h"

#include <algorithm>

#include "controllers/owned.h"
#include "core/base/strings.h"

namespace kin::controllers {

namespace {

/// What is stored is a patch of the owner, which is how kubectl goes back to it.
Json data_of(const RevisionOwner& owner) {
    Json pod_template = object_at(owner.object.spec(), {"template"});
    pod_template["$patch"] = "replace";
    return {{"spec", {{"template", std::move(pod_template)}}}};
}

int64_t newest_number(const std::vector<const ControllerRevision*>& stored) {
    int64_t out = 0;
    for (const ControllerRevision* one : stored) out = std::max(out, one->revision);
    return out;
}

Json new_revision(const RevisionOwner& owner, const std::string& name, const std::string& hash,
                  Json data, int64_t number) {
    const Metadata& meta = owner.object.meta;
    Json labels = object_at(owner.object.spec(), {"template", "metadata", "labels"});
    labels["controller.kubernetes.io/hash"] = hash;
    return {{"apiVersion", "apps/v1"},
            {"kind", "ControllerRevision"},
            {"metadata",
             {{"name", name},
              {"namespace", meta.key.ns},
              {"labels", std::move(labels)},
              {"annotations", meta.annotations},
              {"ownerReferences",
               Json::array({owner_reference(owner.api_version, owner.kind, meta)})}}},
            {"data", std::move(data)},
            {"revision", number}};
}

}  // namespace

History plan_history(const RevisionOwner& owner,
                     const std::vector<const ControllerRevision*>& stored) {
    History out;
    Json data = data_of(owner);
    const int64_t newest = newest_number(stored);
    for (const ControllerRevision* one : stored) {
        if (object_at(*one->object, {"data"}) != data) continue;
        if (!out.update.empty() && one->revision <= out.number) continue;
        out.update = one->key().name;
        out.number = one->revision;
        out.raise = one->revision < newest ? one : nullptr;
    }
    if (!out.update.empty()) {
        if (out.raise) out.number = newest + 1;
        return out;
    }
    const std::string hash = template_hash(data, owner.collisions);
    out.update = cat(owner.object.key().name, '-', hash);
    out.number = newest + 1;
    out.create = new_revision(owner, out.update, hash, std::move(data), out.number);
    return out;
}

const Json* find_template(const std::vector<const ControllerRevision*>& stored,
                          const std::string& name) {
    for (const ControllerRevision* one : stored) {
        if (one->key().name == name) return find(*one->object, {"data", "spec", "template"});
    }
    return nullptr;
}

std::vector<const ControllerRevision*> surplus_revisions(
    const RevisionOwner& owner, std::vector<const ControllerRevision*> stored,
    const std::vector<std::string>& in_use) {
    std::erase_if(stored, [&](const ControllerRevision* one) {
        return std::find(in_use.begin(), in_use.end(), one->key().name) != in_use.end();
    });
    std::sort(stored.begin(), stored.end(),
              [](const auto* a, const auto* b) { return a->revision < b->revision; });
    const int64_t keep = int_at(owner.object.spec(), {"revisionHistoryLimit"}, 10);
    const int64_t surplus = static_cast<int64_t>(stored.size()) - keep;
    stored.resize(static_cast<size_t>(std::max<int64_t>(surplus, 0)));
    return stored;
}

}  // namespace kin::controllers
