#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

#include "dns/sockets.h"

namespace kin::dns {

namespace {
// Answers that wait for a slow reader; beyond this its questions wait, too.
constexpr size_t kMaxWaiting = 256 * 1024;
constexpr size_t kReadSize = 16 * 1024;
}  // namespace

class TcpSocket::Connection {
public:
    Connection(TcpSocket& owner, UniqueFd fd) : owner_(owner), fd_(std::move(fd)) {}

    /// Begins; `self` is where the owner keeps this connection.
    void start(std::list<std::unique_ptr<Connection>>::iterator self) {
        self_ = self;
        watch_ = owner_.loop_.watch(fd_.get(), Readiness::kReadable,
                                    [this](int events) { on_ready(events); });
        rearm();
    }

private:
    void rearm() {
        idle_ = owner_.loop_.after(owner_.limits_.idle, [this] { close(); });
    }
    /// Ends this object.
    void close() { owner_.connections_.erase(self_); }

    void on_ready(int events) {
        if ((events & Readiness::kWritable) != 0 && !flush()) return close();
        if ((events & Readiness::kReadable) != 0 && out_.size() < kMaxWaiting && !read()) {
            return close();
        }
        const int reading = out_.size() < kMaxWaiting ? Readiness::kReadable : 0;
        watch_.set(reading | (out_.empty() ? 0 : Readiness::kWritable));
    }

    /// False: the connection is over.
    bool read() {
        const size_t before = in_.size();
        in_.resize(before + kReadSize);
        const ssize_t count = ::recv(fd_.get(), in_.data() + before, kReadSize, MSG_DONTWAIT);
        in_.resize(before + static_cast<size_t>(std::max<ssize_t>(count, 0)));
        if (count < 0) return errno == EAGAIN || errno == EINTR;
        if (count == 0) return false;
        if (!answer_whole_questions()) return true;
        // Only whole questions count as activity: single bytes must not hold a place for ever.
        rearm();
        owner_.connections_.splice(owner_.connections_.end(), owner_.connections_, self_);
        return flush();
    }

    /// True if there was at least one.
    bool answer_whole_questions() {
        const size_t taken = owner_.answer_(owner_.source_, in_, out_);
        in_.erase(0, taken);
        return taken > 0;
    }

    /// False: the connection is over.
    bool flush() {
        if (out_.empty()) return true;
        const ssize_t count =
            ::send(fd_.get(), out_.data(), out_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count < 0) return errno == EAGAIN || errno == EINTR;
        out_.erase(0, static_cast<size_t>(count));
        return true;
    }

    TcpSocket& owner_;
    UniqueFd fd_;
    std::list<std::unique_ptr<Connection>>::iterator self_;
    std::string in_, out_;
    Watch watch_;
    Timer idle_;
};

size_t answer_dns_stream(Source& source, std::string_view input, std::string& out) {
    size_t at = 0;
    std::string answer;
    while (at + 2 <= input.size()) {
        const size_t length =
            size_t{static_cast<uint8_t>(input[at])} << 8 | static_cast<uint8_t>(input[at + 1]);
        if (at + 2 + length > input.size()) break;
        const std::string_view question = input.substr(at + 2, length);
        if (reply(*source.zone, question, Transport::kTcp, source.turn++, answer)) {
            source.counters.note(question, answer, Transport::kTcp);
            put_u16(out, static_cast<uint16_t>(answer.size()));
            out.append(answer);
        }
        at += 2 + length;
    }
    return at;
}

size_t answer_metrics_stream(Source& source, std::string_view input, std::string& out) {
    return answer_metrics(source.counters, input, out);
}

TcpSocket::TcpSocket(Loop& loop, Source& source, UniqueFd listener, Limits limits,
                     AnswerStream answer)
    : loop_(loop),
      source_(source),
      listener_(std::move(listener)),
      limits_(limits),
      answer_(answer),
      watch_(loop.watch(listener_.get(), Readiness::kReadable, [this](int) { accept_all(); })) {}

TcpSocket::~TcpSocket() = default;

void TcpSocket::accept_all() {
    while (true) {
        UniqueFd fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
        if (!fd.valid()) {
            if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) return;
            // Out of descriptors: the listener stays ready, so without a pause this would spin.
            watch_.set(0);
            later_ = loop_.after(std::chrono::milliseconds(100),
                                 [this] { watch_.set(Readiness::kReadable); });
            return;
        }
        const int on = 1;
        ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        if (connections_.size() >= limits_.connections) connections_.pop_front();
        connections_.push_back(std::make_unique<Connection>(*this, std::move(fd)));
        connections_.back()->start(std::prev(connections_.end()));
    }
}

}  // namespace kin::dns
