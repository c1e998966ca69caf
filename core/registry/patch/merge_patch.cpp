#include "core/registry/patch.h"

namespace kin {
namespace {

void merge_into(Json& target, const Json& patch) {
    if (!patch.is_object()) {
        target = patch;
        return;
    }
    if (!target.is_object()) target = Json::object();
    for (const auto& [key, value] : patch.get_ref<const Json::object_t&>()) {
        if (value.is_null())
            target.erase(key);
        else
            merge_into(target[key], value);
    }
}

}  // namespace

Json merge_patch(Json object, const Json& patch) {
    merge_into(object, patch);
    return object;
}

}  // namespace kin
