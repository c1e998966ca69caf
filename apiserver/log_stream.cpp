#include "apiserver/log_stream.h"

#include <fcntl.h>
#include <sys/stat.h>

namespace kin::apiserver {

namespace {
constexpr size_t kBlock = 64u << 10;
constexpr size_t kMaxQueued = 1u << 20;  // Beyond, the file is read on when the client has read.

UniqueFd open_log(const std::string& path) {
    return UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
}
}  // namespace

size_t find_tail(int fd, int64_t lines) {
    struct stat found {};
    if (::fstat(fd, &found) < 0) return 0;
    const auto size = static_cast<size_t>(found.st_size);
    // Twice as much each time, until the tail begins after the block's own beginning.
    for (size_t block = kBlock;; block *= 2) {
        const size_t start = size > block ? size - block : 0;
        std::string text(size - start, '\0');
        const ssize_t got = ::pread(fd, text.data(), text.size(), static_cast<off_t>(start));
        if (got < 0) return 0;
        text.resize(static_cast<size_t>(got));
        // A block in the middle begins with a broken line, which must not count.
        const size_t first = start == 0 ? 0 : text.find('\n') + 1;
        const size_t offset = tail_offset(std::string_view(text).substr(first), lines);
        if (start == 0 || (offset > 0 && first > 0)) return start + first + offset;
    }
}

LogStream::LogStream(Loop& loop, std::unique_ptr<http::StreamWriter> writer,
                     const LogOptions& options, std::function<void()> ended)
    : loop_(loop),
      writer_(std::move(writer)),
      options_(options),
      ended_(std::move(ended)),
      formatter_(options) {}

void LogStream::start(PodAccess& pods, PodAccess::LogRequest request, PodAccess::LogFile file) {
    writer_->start(loop_, {}, [this](const std::string&) { end(); });
    writer_->on_drained([this] { send_some(); });
    path_ = file.path;
    file_ = open_log(path_);
    if (file_.valid() && options_.tail_lines)
        ::lseek(file_.get(), static_cast<off_t>(find_tail(file_.get(), *options_.tail_lines)),
                SEEK_SET);
    running_ = options_.follow && file.running;
    if (running_) follow(pods, request, file.path);
    send_some();
}

void LogStream::follow(PodAccess& pods, const PodAccess::LogRequest& request,
                       const std::string& path) {
    Loop& loop = loop_;
    const std::weak_ptr<LogStream> weak = weak_from_this();
    const auto changed = [&loop, weak](bool running) {
        loop.post([weak, running] {
            const auto self = weak.lock();
            if (!self) return;
            self->running_ = self->running_ && running;
            self->send_some();
        });
    };
    following_ = pods.follow_log(path, changed);
    // It may have ended between finding and following, which nobody would tell any more.
    pods.find_log(request, [changed](const Answer<PodAccess::LogFile>& found) {
        changed(found && found->running);
    });
}

void LogStream::send_some() {
    if (over_) return;
    char buffer[kBlock];
    while (writer_->queued_bytes() < kMaxQueued) {
        const ssize_t got = file_.valid() ? ::read(file_.get(), buffer, sizeof buffer) : 0;
        if (got > 0) writer_->write(formatter_.feed({buffer, static_cast<size_t>(got)}));
        if (got <= 0 && options_.follow && open_next_file()) continue;
        if (formatter_.full() || (got <= 0 && !running_)) {
            writer_->finish();
            return end();
        }
        if (got <= 0) return;
    }
    // What is queued by now goes out at the end of this turn; on_drained continues.
}

/// A log that has grown long is set aside under another name, and goes on in a new file.
bool LogStream::open_next_file() {
    struct stat at_path {
    }, opened{};
    if (::stat(path_.c_str(), &at_path) < 0) return false;
    if (file_.valid() && ::fstat(file_.get(), &opened) == 0 && opened.st_ino == at_path.st_ino)
        return false;
    file_ = open_log(path_);
    return file_.valid();
}

void LogStream::end() {
    if (std::exchange(over_, true)) return;
    following_.reset();
    ended_();
}

}  // namespace kin::apiserver
