#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "core/contracts/pod_access.h"
#include "core/loop/loop.h"

namespace kin::netns::internal {

/// A copy of a container's output for one who is attached. What the other side does not read in
/// time is kept, up to 4 MiB; then it has left. Owned by the loop's thread.
class Tap {
public:
    /// Fills the caller's side into `streams`. With a terminal (>= 0) its both directions are one
    /// socket, and what arrives on it is written to `terminal`, which outlives the Tap.
    static Result<std::unique_ptr<Tap>> create(Loop& loop, const PodAccess::ExecRequest& request,
                                               int terminal, PodAccess::ExecStreams& streams);

    void write(std::string_view bytes, bool is_stderr);
    /// The container has ended: what is kept is still delivered, then the streams end.
    void finish();
    /// The other side has closed its ends, or got everything after finish().
    bool gone() const { return !stdout_.fd.valid() && !stderr_.fd.valid(); }

private:
    struct Side {
        UniqueFd fd;
        std::string kept;
        Watch watch;
    };
    explicit Tap(Loop& loop) : loop_(loop) {}
    void write_to(Side& side, std::string_view bytes);
    void flush(Side& side);
    void close(Side& side);
    void watch_input(int terminal);

    Loop& loop_;
    Side stdout_, stderr_;
    bool finished_ = false;
    bool is_terminal_ = false;
    int terminal_ = -1;
};

}  // namespace kin::netns::internal
