#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/base/time.h"

namespace kin::netns {

/// One line of a container's log file, as CRI runtimes write it:
/// "2026-01-02T03:04:05.000000006Z stdout F text\n"; P instead of F: the line goes on.
std::string log_line(WallTime time, std::string_view stream, bool whole, std::string_view text);

/// Cuts what a container writes to one stream into lines of its log. Lines over 16 KiB are cut
/// into parts.
class LogLines {
public:
    explicit LogLines(std::string stream) : stream_(std::move(stream)) {}

    /// Appends the log lines that `bytes` complete to `out`.
    void add(std::string_view bytes, WallTime now, std::string& out);
    /// The stream has ended: what has no newline is a line nevertheless.
    void finish(WallTime now, std::string& out);

private:
    static constexpr size_t kMaxLine = 16 << 10;
    const std::string stream_;
    std::string rest_;
};

}  // namespace kin::netns
