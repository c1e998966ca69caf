#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "netns/pod/volumes.h"

namespace kin::netns {

/// Where pods' files are.
struct PodStorage {
    std::string data;  ///< Survives the lab: pods/UID and volumes/NAME are below it.
    /// Holds what each start makes anew, below pods/UID: best in memory, since a disk's file system
    /// takes ten times as long to make a file. May be the same as `data`.
    std::string memory;
};

/// Of PersistentVolumes there is a directory each, below DATA/volumes, which stays. kInvalid: a claim
/// may name what no volume can be called.
Result<std::string> persistent_directory(const std::string& data, const std::string& volume);

/// Mounts an empty file system in memory at `directory`, which is made where missing. The mount
/// belongs to the caller's mount namespace and ends with it.
Result<> mount_in_memory(const std::string& directory);

/// DATA/logs/NS_POD_UID, where the logs of a pod's containers are.
std::string log_directory(const std::string& data, const ObjectKey& pod, const std::string& uid);

/// Removes all that a pod has left on disk. Already gone is success.
Result<> remove_pod_files(const PodStorage& storage, const ObjectKey& pod, const std::string& uid);
/// The same for all pods but those with these uids: of a kin that was killed between the end of a
/// pod and this, or of a lab that another was loaded over. What cannot be removed stays.
void remove_leftovers(const PodStorage& storage, const std::set<std::string>& uids);

/// A pod's files: its volumes and what its containers leave on ending. Directories are on disk;
/// files of configMaps, secrets and projections, and last words, are in memory. remove() takes all
/// of it away.
class PodDirectory {
public:
    /// The uid and the names of volumes and containers are file names (check_names()).
    PodDirectory(const PodStorage& storage, const std::string& pod_uid)
        : path_(storage.data + "/pods/" + pod_uid), memory_(storage.memory + "/pods/" + pod_uid) {}

    /// An empty directory that all containers of the pod may write.
    Result<> make_empty_dir(const std::string& volume) const;
    /// A directory that outlives the pod, made where missing, as the volume.
    Result<> link_directory(const std::string& volume, const std::string& directory) const;
    /// Puts exactly `files` into a volume, all at once for whoever looks: the files are links
    /// through "..data", which is switched to the new directory. kInvalid: one is not below it.
    Result<> write_files(const std::string& volume, const std::vector<VolumeFile>& files) const;
    /// A file or directory of a volume, opened as a path only; a missing `sub_path` is made as a
    /// directory. Links inside the volume, which containers can write, cannot lead out of it.
    Result<UniqueFd> open_in_volume(const std::string& volume, const std::string& sub_path) const;
    /// An empty file, to be bound to the container's terminationMessagePath.
    Result<std::string> make_message_file(const std::string& container, int attempt) const;
    /// What the container wrote there, at most 4096 bytes.
    std::string read_message(const std::string& container, int attempt) const;
    /// Already gone is success.
    Result<> remove() const;

private:
    /// Of an emptyDir or PersistentVolume.
    std::string directory_path(const std::string& volume) const {
        return path_ + "/volumes/" + volume;
    }
    /// Of a volume made of files.
    std::string files_path(const std::string& volume) const {
        return memory_ + "/volumes/" + volume;
    }
    std::string message_path(const std::string& container, int attempt) const;

    std::string path_, memory_;
};

}  // namespace kin::netns
