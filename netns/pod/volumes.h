#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "netns/pod/config_source.h"
#include "netns/pod/downward.h"
#include "netns/pod/pod_spec.h"

namespace kin::netns {

/// One file of a volume made of API objects.
struct VolumeFile {
    std::string path;  ///< relative, may hold slashes
    std::string content;
    mode_t mode = 0644;
    auto operator<=>(const VolumeFile&) const = default;
};

/// Asks for a service account's token, to be put into a file.
struct TokenRequest {
    ObjectKey service_account;
    std::string pod_name, pod_uid;
    std::string audience;  ///< "": the API server
    int64_t expiration_seconds = 3600;
};
using TokenSource = std::function<Result<std::string>(const TokenRequest&)>;

/// Whether kin can give containers this type of volume: emptyDir, configMap, secret, downwardAPI,
/// projected, persistentVolumeClaim, and of hostPath the root. Else fails with kDenied or kInvalid
/// in words for the pod's owner.
Result<> check_volume(const VolumeSpec& volume);
/// A hostPath of "/", as `kubectl debug node/...` asks for: a node's files are those that every
/// container has, so it is the container's own root, read-only.
bool is_node_root(const VolumeSpec& volume);

/// An API object whose content volumes are made of.
struct ConfigObject {
    enum class Kind { kConfigMap, kSecret };
    Kind kind = Kind::kConfigMap;
    std::string name;
};
/// The volume shows what is in `object`.
bool shows(const VolumeSpec& volume, const ConfigObject& object);
/// The volume shows what the pod's own metadata say.
bool shows_metadata(const VolumeSpec& volume);

/// The name of the PersistentVolume behind a volume of type persistentVolumeClaim. Fails with
/// kNotFound while there is no such claim in `ns` or it is not bound.
Result<std::string> bound_volume(const VolumeSpec& volume, const std::string& ns,
                                 const ConfigSource& source);

/// What an emptyDir starts with (nothing), or the files that the API objects behind the volume make
/// up. Fails with kNotFound in Kubernetes' words: configmap "x" not found.
Result<std::vector<VolumeFile>> volume_files(const VolumeSpec& volume, const DownwardView& view,
                                             const ConfigSource& source, const TokenSource& tokens);

}  // namespace kin::netns
