#include "netns/pod/tap.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <cerrno>

namespace kin::netns::internal {
namespace {

constexpr size_t kMaxKept = 4 << 20;

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
                                         int terminal, PodAccess::ExecStreams& streams) {
    std::unique_ptr<Tap> tap(new Tap(loop));
    if (terminal >= 0 || request.tty) {
        TRY(open_pair(streams.terminal, tap->stdout_.fd));
        tap->is_terminal_ = true;
        tap->watch_input(terminal);
        return tap;
    }
    if (request.want_stdout) TRY(open_pair(streams.stdout_read, tap->stdout_.fd));
    if (request.want_stderr) TRY(open_pair(streams.stderr_read, tap->stderr_.fd));
    return tap;
}

void Tap::watch_input(int terminal) {
    terminal_ = terminal;
    stdout_.watch = loop_.watch(stdout_.fd.get(), Readiness::kReadable, [this](int events) {
        if ((events & Readiness::kWritable) != 0) flush(stdout_);
        if (!stdout_.fd.valid() || (events & Readiness::kReadable) == 0) return;
        char buffer[4096];
        const ssize_t size = ::read(stdout_.fd.get(), buffer, sizeof buffer);
        if (size < 0 && errno == EAGAIN) return;
        if (size <= 0) return close(stdout_);
        // What a person types fits; a terminal whose program does not read takes no more.
        if (!finished_ && terminal_ >= 0)
            (void)!::write(terminal_, buffer, static_cast<size_t>(size));
    });
}

void Tap::write(std::string_view bytes, bool is_stderr) {
    write_to(is_stderr && !is_terminal_ ? stderr_ : stdout_, bytes);
}

void Tap::write_to(Side& side, std::string_view bytes) {
    if (!side.fd.valid() || bytes.empty()) return;
    if (side.kept.size() + bytes.size() > kMaxKept) return close(side);
    side.kept += bytes;
    flush(side);
}

void Tap::flush(Side& side) {
    while (!side.kept.empty()) {
        const ssize_t size =
            ::send(side.fd.get(), side.kept.data(), side.kept.size(), MSG_NOSIGNAL);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0 && errno != EAGAIN) return close(side);
        if (size < 0) break;
        side.kept.erase(0, static_cast<size_t>(size));
    }
    if (side.kept.empty() && finished_) return close(side);
    if (is_terminal_) {
        side.watch.set(side.kept.empty() ? Readiness::kReadable
                                         : Readiness::kReadable | Readiness::kWritable);
    } else if (side.kept.empty()) {
        side.watch.cancel();
    } else if (!side.watch.active()) {
        side.watch =
            loop_.watch(side.fd.get(), Readiness::kWritable, [this, &side](int) { flush(side); });
    }
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
}

}  // namespace kin::netns::internal
