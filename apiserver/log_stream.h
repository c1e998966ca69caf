#pragma once

#include <functional>
#include <memory>
#include <string>

#include "apiserver/log_format.h"
#include "core/contracts/pod_access.h"
#include "core/http/stream_writer.h"
#include "core/loop/loop.h"

namespace kin::apiserver {

/// Sends a container's log, and what is added to it while the client stays. Owned by the loop's
/// thread; destroying it cuts the stream.
class LogStream : public std::enable_shared_from_this<LogStream> {
public:
    /// `ended` is called once, when everything is sent or the client is gone; it may destroy this.
    LogStream(Loop& loop, std::unique_ptr<http::StreamWriter> writer, const LogOptions& options,
              std::function<void()> ended);

    /// Sends the file, then follows it until its container has ended.
    void start(PodAccess& pods, PodAccess::LogRequest request, PodAccess::LogFile file);

private:
    void follow(PodAccess& pods, const PodAccess::LogRequest& request, const std::string& path);
    void send_some();
    bool open_next_file();
    void end();

    Loop& loop_;
    std::unique_ptr<http::StreamWriter> writer_;
    const LogOptions options_;
    const std::function<void()> ended_;
    LogFormatter formatter_;
    std::string path_;
    UniqueFd file_;
    bool running_ = false;  // More may come.
    bool over_ = false;
    std::shared_ptr<void> following_;
    Timer more_;
};

/// Where to begin in the file for `tail_lines`. Reads it backwards in blocks.
size_t find_tail(int fd, int64_t lines);

}  // namespace kin::apiserver
