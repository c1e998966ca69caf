#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/base/unique_fd.h"

namespace kin::netns {

/// A container's log on disk. At 10 MiB it is set aside under a name with the time, as container
/// runtimes do, and a new one begins under the same path; one old one is kept.
class LogFile {
public:
    /// Makes the directories too.
    static Result<LogFile> open(const std::string& path);

    /// Whole lines only, so that no line is torn by the change of files.
    Result<> append(std::string_view lines);

private:
    static constexpr size_t kMaxBytes = 10 << 20;

    LogFile(std::string path, UniqueFd file, size_t size)
        : path_(std::move(path)), file_(std::move(file)), size_(size) {}
    Result<> set_aside();

    std::string path_;
    UniqueFd file_;
    size_t size_ = 0;
    std::string previous_;  // The file set aside last.
};

}  // namespace kin::netns
