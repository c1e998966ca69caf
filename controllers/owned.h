#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/views.h"
#include "core/base/json.h"
#include "core/base/time.h"
#include "core/client/client.h"

namespace kin::controllers {

/// What workloads have in common: objects that belong to a controller. All pure, but OwnedPods.

/// An ownerReference with controller and blockOwnerDeletion.
Json owner_reference(std::string_view api_version, std::string_view kind, const Metadata& owner);

/// The pod that `pod_template` (a PodTemplateSpec) describes, owned by `owner`. Its name is
/// generated from the owner's.
Json pod_from_template(const Json& pod_template, std::string_view api_version,
                       std::string_view kind, const Metadata& owner);

/// Neither finished nor on its way out: counts towards replicas.
bool is_active(const Pod& pod);

/// When a pod became (or will become) available: Ready for `min_ready_seconds`. nullopt: not Ready.
std::optional<WallTime> available_at(const Pod& pod, int64_t min_ready_seconds);

/// A pod template as a short name part: the FNV-1a hash of its text and `collisions`, in letters
/// that cannot form words: "6b9f8d7c5".
std::string template_hash(const Json& pod_template, int64_t collisions);
/// As above, over any bytes.
std::string safe_hash(std::string_view bytes);

/// "25%" of `total`, or a plain number. Rounding as maxSurge (up) and maxUnavailable (down) ask.
enum class Round { kUp, kDown };
int scaled_value(const Json& number_or_percent, int total, Round round);

/// The condition of `type` in status.conditions, or nullptr.
const Json* find_condition(const Json& status, std::string_view type);

/// A count as status fields show it: 0 is left out.
inline Json or_absent(int count) { return count == 0 ? Json() : Json(count); }
/// The merge patch that makes the fields of `wanted` (null: absent) so in `stored`; an empty
/// object if nothing differs.
Json difference(const Json& stored, const Json& wanted);

/// Which pods belong to which controller, by its uid; "" holds those without a controller.
/// Kept up to date from the cache; owned by the client's loop.
class OwnedPods {
public:
    explicit OwnedPods(Cache<Pod>& pods) : pods_(pods) {}
    /// Tell it of every change, before using it for that change.
    void note(const CacheChange<Pod>& change);
    /// In order of their keys. Valid until the next change.
    std::vector<const Pod*> of(const std::string& owner_uid) const;
    /// Pods of `ns` without a controller that `selector` selects.
    std::vector<const Pod*> orphans(const std::string& ns, const LabelSelector& selector) const;

private:
    Cache<Pod>& pods_;
    std::map<std::string, std::set<ObjectKey>> by_owner_;
};

}  // namespace kin::controllers
