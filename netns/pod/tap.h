#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "core/contracts/pod_access.h"
#include "core/loop/loop.h"

namespace kin::netns::internal {

/// A copy of a container's output for one who is attached. What the other side has not read yet is
/// kept; above 1 MiB the container shall wait, and one who reads nothing for 30 s has left. Owned
/// by the loop's thread.
class Tap {
public:
    /// Fills the caller's side into `streams`, as request wants it; a terminal has no stderr.
    /// `changed` is called when there is room again, and when the other side closes a stream; it
    /// must only post.
    static Result<std::unique_ptr<Tap>> create(Loop& loop, const PodAccess::ExecRequest& request,
                                               bool is_terminal, std::function<void()> changed,
                                               PodAccess::ExecStreams& streams);

    void write(std::string_view bytes, bool is_stderr);
    /// The container has ended: what is kept is still delivered, then the streams end.
    void finish();
    /// Too much is kept: nothing more should be written until `changed`.
    bool full() const { return stdout_.kept.size() + stderr_.kept.size() > kMaxKept; }
    /// The other side has closed its ends, or got everything after finish().
    bool gone() const { return !stdout_.fd.valid() && !stderr_.fd.valid(); }

private:
    static constexpr size_t kMaxKept = 1 << 20;
    static constexpr std::chrono::seconds kPatience{30};

    struct Side {
        UniqueFd fd;
        std::string kept;
        Watch watch;
    };
    Tap(Loop& loop, std::function<void()> changed) : loop_(loop), changed_(std::move(changed)) {}
    void watch(Side& side);
    void write_to(Side& side, std::string_view bytes);
    void flush(Side& side);
    void expect_progress();
    void close(Side& side);

    Loop& loop_;
    const std::function<void()> changed_;
    Side stdout_, stderr_;
    bool finished_ = false;
    Timer patience_;
};

}  // namespace kin::netns::internal
