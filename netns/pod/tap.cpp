#include "netns/pod/tap.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>

namespace kin::netns::internal {
namespace {

/// Sockets, not pipes: writing to a reader that left can be told not to raise SIGPIPE.
Result<> open_pair(UniqueFd& theirs, UniqueFd& ours) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0) {
        return Error::from_errno("socketpair");
    }
    theirs.reset(ends[0]);
    ours.reset(ends[1]);
    return Ok{};
}

}  // namespace

Result<std::unique_ptr<Tap>> Tap::create(Loop& loop, const PodAccess::ExecRequest& request,
                                         bool is_terminal, std::function<void()> changed,
                                         PodAccess::ExecStreams& streams) {
    std::unique_ptr<Tap> tap(new Tap(loop, std::move(changed)));
    if (request.want_stdout) TRY(open_pair(streams.stdout_read, tap->stdout_.fd));
    if (request.want_stderr && !is_terminal) TRY(open_pair(streams.stderr_read, tap->stderr_.fd));
    tap->watch(tap->stdout_);
    tap->watch(tap->stderr_);
    return tap;
}

/// One who leaves a silent container shall be noticed too.
void Tap::watch(Side& side) {
    if (!side.fd.valid()) return;
    side.watch = loop_.watch(side.fd.get(), Readiness::kHangup, [this, &side](int events) {
        if ((events & Readiness::kHangup) != 0) return close(side);
        flush(side);
    });
}

void Tap::write(std::string_view bytes, bool is_stderr) {
    write_to(is_stderr ? stderr_ : stdout_, bytes);
}

void Tap::write_to(Side& side, std::string_view bytes) {
    if (!side.fd.valid() || bytes.empty()) return;
    side.kept += bytes;
    flush(side);
}

void Tap::flush(Side& side) {
    const bool was_full = full();
    size_t taken = 0;
    while (taken < side.kept.size()) {
        const ssize_t size =
            ::send(side.fd.get(), side.kept.data() + taken, side.kept.size() - taken, MSG_NOSIGNAL);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0 && errno != EAGAIN) return close(side);
        if (size < 0) break;
        taken += static_cast<size_t>(size);
    }
    side.kept.erase(0, taken);
    if (side.kept.empty() && finished_) return close(side);
    side.watch.set(side.kept.empty() ? Readiness::kHangup
                                     : Readiness::kHangup | Readiness::kWritable);
    if (taken > 0) patience_.cancel();
    if (full() || finished_) expect_progress();
    if (was_full && !full()) changed_();
}

void Tap::expect_progress() {
    if (patience_.active()) return;
    patience_ = loop_.after(kPatience, [this] {
        close(stdout_);
        close(stderr_);
    });
}

void Tap::finish() {
    finished_ = true;
    for (Side* side : {&stdout_, &stderr_}) {
        if (side->fd.valid()) flush(*side);
    }
}

void Tap::close(Side& side) {
    side.watch.cancel();
    side.fd.reset();
    side.kept.clear();
    if (gone()) patience_.cancel();
    changed_();
}

}  // namespace kin::netns::internal
