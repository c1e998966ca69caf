#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "core/base/unique_fd.h"
#include "core/loop/loop.h"

namespace kin::apiserver {

/// Reads a pipe, terminal or socket as long as somebody takes the bytes. On its loop's thread.
class PipeReader {
public:
    /// `take` gets bytes, or "" once when nothing more will come; it may pause, and may destroy
    /// the reader. After bytes it rests that long: what comes by drops comes together then.
    PipeReader(Loop& loop, UniqueFd fd, std::function<void(std::string_view)> take,
               std::chrono::milliseconds rest = {});

    void pause();
    void resume();
    bool ended() const { return !fd_.valid(); }
    /// There is something to read just now.
    bool has_more() const;

private:
    void on_ready();
    void read_some();
    void end();
    void watch_or_not();

    Loop& loop_;
    UniqueFd fd_;
    const std::function<void(std::string_view)> take_;
    const std::chrono::milliseconds rest_;
    Watch watch_;  // Behind its descriptor: ends before it.
    Timer resting_;
    bool paused_ = false;
    const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

/// Writes into a pipe, terminal or socket, and keeps what does not fit. On its loop's thread.
class PipeWriter {
public:
    /// `drained` is called when nothing waits any more, after something had to wait: all is
    /// written, or nobody reads any more. Never by write() or end() themselves: whoever held
    /// something back before must look at waiting_bytes() after them.
    PipeWriter(Loop& loop, UniqueFd fd, std::function<void()> drained);

    /// Dropped if the reader is gone.
    void write(std::string_view bytes);
    /// Closes once everything is written; with a socket, only its sending side.
    void end();
    size_t waiting_bytes() const { return waiting_.size(); }
    bool ended() const { return !fd_.valid(); }

private:
    void flush();
    void close();

    Loop& loop_;
    UniqueFd fd_;
    const std::function<void()> drained_;
    std::string waiting_;
    bool ending_ = false;
    Watch watch_;
};

}  // namespace kin::apiserver
