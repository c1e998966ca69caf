#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "netns/pod/volumes.h"

namespace kin::netns {

/// A pod's files on disk: its volumes and what its containers leave on ending. Below
/// DATA/pods/UID; remove() takes all of it away.
///
/// Of PersistentVolumes there is a directory each, below DATA/volumes, which stays.
std::string persistent_directory(const std::string& data, const std::string& volume);

class PodDirectory {
public:
    PodDirectory(const std::string& data, const std::string& pod_uid)
        : path_(data + "/pods/" + pod_uid) {}

    /// An empty directory that all containers of the pod may write.
    Result<> make_empty_dir(const std::string& volume) const;
    /// A directory that outlives the pod, made where missing, as the volume.
    Result<> link_directory(const std::string& volume, const std::string& directory) const;
    /// Puts exactly `files` into a volume, all at once for whoever looks: the files are links
    /// through "..data", which is switched to the new directory.
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
    std::string volume_path(const std::string& volume) const {
        return path_ + "/volumes/" + volume;
    }
    std::string message_path(const std::string& container, int attempt) const;

    std::string path_;
};

}  // namespace kin::netns
