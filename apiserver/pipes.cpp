#include "apiserver/pipes.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>

namespace kin::apiserver {

namespace {
bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

bool is_socket(int fd) {
    struct stat found {};
    return ::fstat(fd, &found) == 0 && S_ISSOCK(found.st_mode);
}

void make_non_blocking(int fd) { ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK); }
}  // namespace

PipeReader::PipeReader(Loop& loop, UniqueFd fd, std::function<void(std::string_view)> take,
                       std::chrono::milliseconds rest)
    : loop_(loop), fd_(std::move(fd)), take_(std::move(take)), rest_(rest) {
    make_non_blocking(fd_.get());
    watch_ = loop.watch(fd_.get(), Readiness::kReadable, [this](int) { on_ready(); });
}

void PipeReader::on_ready() {
    const std::weak_ptr<bool> alive = alive_;
    read_some();
    if (alive.expired() || rest_ == rest_.zero() || !fd_.valid()) return;
    resting_ = loop_.after(rest_, [this] { watch_or_not(); });
    watch_or_not();
}

void PipeReader::read_some() {
    char buffer[32u << 10];
    const std::weak_ptr<bool> alive = alive_;
    // A few rounds, so that one busy pipe does not hold up the loop.
    for (int round = 0; round < 4 && !paused_ && fd_.valid(); ++round) {
        const ssize_t got = ::read(fd_.get(), buffer, sizeof buffer);
        if (got < 0 && would_block()) return;
        // A terminal whose other end is closed says EIO.
        if (got <= 0) return end();
        take_({buffer, static_cast<size_t>(got)});
        if (alive.expired()) return;
    }
}

void PipeReader::end() {
    watch_ = Watch();
    fd_.reset();
    take_({});
}

bool PipeReader::has_more() const {
    int unread = 0;
    return fd_.valid() && ::ioctl(fd_.get(), FIONREAD, &unread) == 0 && unread > 0;
}

void PipeReader::pause() {
    paused_ = true;
    watch_or_not();
}

void PipeReader::resume() {
    paused_ = false;
    watch_or_not();
}

void PipeReader::watch_or_not() {
    if (watch_.active()) watch_.set(paused_ || resting_.active() ? 0 : Readiness::kReadable);
}

PipeWriter::PipeWriter(Loop& loop, UniqueFd fd, std::function<void()> drained)
    : loop_(loop), fd_(std::move(fd)), drained_(std::move(drained)) {
    make_non_blocking(fd_.get());
}

void PipeWriter::write(std::string_view bytes) {
    if (!fd_.valid() || ending_) return;
    const bool first = waiting_.empty();
    waiting_.append(bytes);
    if (first) flush();
}

void PipeWriter::end() {
    ending_ = true;
    if (waiting_.empty()) close();
}

void PipeWriter::flush() {
    size_t written = 0;
    while (written < waiting_.size()) {
        const ssize_t count =
            ::write(fd_.get(), waiting_.data() + written, waiting_.size() - written);
        if (count < 0 && would_block()) break;
        if (count < 0) {  // EPIPE: nobody reads any more.
            waiting_.clear();
            ending_ = true;
            break;
        }
        written += static_cast<size_t>(count);
    }
    waiting_.erase(0, std::min(written, waiting_.size()));
    if (!waiting_.empty()) {
        if (!watch_.active())
            watch_ = loop_.watch(fd_.get(), Readiness::kWritable, [this](int) { flush(); });
        return;
    }
    const bool had_waited = watch_.active();
    watch_ = Watch();
    if (ending_) close();
    if (had_waited && drained_) drained_();
}

void PipeWriter::close() {
    watch_ = Watch();
    waiting_.clear();
    if (fd_.valid() && is_socket(fd_.get())) ::shutdown(fd_.get(), SHUT_WR);
    fd_.reset();
}

}  // namespace kin::apiserver
