#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "core/base/strings.h"
#include "core/kernel/netns.h"
#include "core/loop/loop.h"
#include "netns/pod/calls.h"
#include "netns/pod/grpc_health.h"

namespace kin::netns {
namespace {

constexpr size_t kMaxAnswer = 10 << 10;

/// "connection refused" of ECONNREFUSED, as Go spells errors.
std::string go_error(int number) {
    std::string text = std::strerror(number);
    if (!text.empty()) text[0] = static_cast<char>(std::tolower(text[0]));
    return text;
}

struct FreeSsl {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

/// A connection to a server, perhaps with TLS inside. Results of read() and write(): bytes moved,
/// 0 at the end, kAgain with what to wait for, kBroken.
class Connection {
public:
    static constexpr ssize_t kBroken = -1, kAgain = -2;

    Result<> open(const Peer& peer) {
        TRY_ASSIGN(fd_, peer.from.enter([]() -> Result<UniqueFd> {
            UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
            if (!fd.valid()) return Error::from_errno("socket");
            return fd;
        }));
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_port = htons(peer.port);
        at.sin_addr.s_addr = peer.address.network_order();
        if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) < 0 &&
            errno != EINPROGRESS) {
            return Error(Errc::kSystem, cat("connect: ", go_error(errno)));
        }
        return Ok{};
    }

    int fd() const { return fd_.get(); }

    /// 0, or why the connection could not be made.
    int connect_error() const {
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
        return error;
    }

    void use_tls() {
        static const std::unique_ptr<SSL_CTX, FreeSsl> context(SSL_CTX_new(TLS_client_method()));
        ssl_.reset(SSL_new(context.get()));
        SSL_set_fd(ssl_.get(), fd_.get());
        SSL_set_connect_state(ssl_.get());
    }

    ssize_t write(std::string_view bytes) {
        if (ssl_)
            return outcome(SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())));
        wants_ = Readiness::kWritable;
        const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        return sent < 0 ? (errno == EAGAIN ? kAgain : kBroken) : sent;
    }

    ssize_t read(char* buffer, size_t size) {
        if (ssl_) return outcome(SSL_read(ssl_.get(), buffer, static_cast<int>(size)));
        wants_ = Readiness::kReadable;
        const ssize_t got = ::recv(fd_.get(), buffer, size, 0);
        return got < 0 ? (errno == EAGAIN ? kAgain : kBroken) : got;
    }

    int wants() const { return wants_; }

private:
    ssize_t outcome(int result) {
        if (result > 0) return result;
        const int error = SSL_get_error(ssl_.get(), result);
        wants_ = error == SSL_ERROR_WANT_WRITE ? Readiness::kWritable : Readiness::kReadable;
        if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return kAgain;
        return error == SSL_ERROR_ZERO_RETURN ? 0 : kBroken;
    }

    UniqueFd fd_;
    std::unique_ptr<SSL, FreeSsl> ssl_;
    int wants_ = Readiness::kWritable;
};

/// How far an answer has come: its status (0: no head yet, -1: not of this protocol), and whether
/// it is whole.
struct AnswerState {
    int status = 0;
    size_t body_at = 0;
    bool whole = false;
    std::string error = {};  ///< What the whole answer says that is not well.
};
using LookAt = AnswerState (*)(std::string_view bytes);

AnswerState look_at(std::string_view bytes) {
    AnswerState out;
    const size_t end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) return out;
    const std::string_view head = bytes.substr(0, end);
    const auto status = parse_number<int>(head.substr(std::min<size_t>(head.size(), 9), 3));
    if (!head.starts_with("HTTP/1.") || !status) return {-1, 0, true};
    out.status = *status;
    out.body_at = end + 4;
    for (const std::string_view line : split(head, '\n')) {
        const size_t colon = line.find(':');
        if (colon == std::string_view::npos) continue;
        if (to_lower(line.substr(0, colon)) != "content-length") continue;
        const auto length = parse_number<size_t>(trim(line.substr(colon + 1)));
        out.whole = length && bytes.size() - out.body_at >= *length;
    }
    return out;
}

AnswerState look_at_grpc(std::string_view bytes) {
    const GrpcHealth health = read_grpc_health(bytes);
    switch (health.state) {
        case GrpcHealth::State::kIncomplete:
            return {};
        case GrpcHealth::State::kServing:
            return {1, bytes.size(), true};
        case GrpcHealth::State::kNotServing:
            return {1, bytes.size(), true,
                    cat("service unhealthy (responded with \"", health.status, "\")")};
        default:
            return {1, bytes.size(), true, "the server has no health service that answers this"};
    }
}

class TcpCall final : public Call {
public:
    TcpCall(Loop& loop, const Peer& peer, std::string request, bool tls,
            std::chrono::milliseconds timeout, CallDone done, LookAt look = look_at)
        : loop_(loop),
          look_(look),
          where_(cat(peer.address, ':', peer.port)),
          request_(std::move(request)),
          tls_(tls),
          done_(std::move(done)) {
        if (auto opened = connection_.open(peer); !opened) {
            timer_ =
                loop_.after(std::chrono::milliseconds(0), [this, text = opened.error().text()] {
                    fail(cat("dial tcp ", where_, ": ", text));
                });
            return;
        }
        timer_ = loop_.after(timeout, [this] { time_out(); });
        watch_ = loop_.watch(connection_.fd(), Readiness::kWritable, [this](int) { go_on(); });
    }

private:
    void go_on() {
        if (!connected_) {
            if (const int error = connection_.connect_error(); error != 0) {
                return fail(cat("dial tcp ", where_, ": connect: ", go_error(error)));
            }
            connected_ = true;
            if (request_.empty()) return finish({});
            if (tls_) connection_.use_tls();
        }
        while (sent_ < request_.size()) {
            const ssize_t sent = connection_.write(std::string_view(request_).substr(sent_));
            if (sent == Connection::kAgain) return watch_.set(connection_.wants());
            if (sent <= 0) return fail(tls_ ? "tls: handshake failure" : "write: broken pipe");
            sent_ += static_cast<size_t>(sent);
        }
        receive();
    }

    void receive() {
        char buffer[4096];
        while (true) {
            const ssize_t got = connection_.read(buffer, sizeof buffer);
            if (got == Connection::kAgain) return watch_.set(connection_.wants());
            if (got > 0) answer_.append(buffer, static_cast<size_t>(got));
            const AnswerState state = look_(answer_);
            if (got > 0 && !state.whole && answer_.size() < kMaxAnswer) continue;
            if (!state.error.empty()) return fail(state.error);
            if (state.status > 0) {
                return finish({false, "", state.status, answer_.substr(state.body_at)});
            }
            if (got == Connection::kBroken)
                return fail(cat("read tcp ", where_, ": read: ", go_error(errno)));
            return fail(answer_.empty() ? "EOF" : "malformed HTTP response");
        }
    }

    void time_out() {
        CallResult result;
        result.timed_out = true;
        result.error = connected_ ? "context deadline exceeded (Client.Timeout exceeded while "
                                    "awaiting headers)"
                       : request_.empty() ? cat("dial tcp ", where_, ": i/o timeout")
                                          : "context deadline exceeded";
        finish(std::move(result));
    }

    void fail(std::string why) {
        CallResult result;
        result.error = std::move(why);
        finish(std::move(result));
    }

    void finish(CallResult result) {
        watch_.cancel();
        timer_.cancel();
        // May destroy this object.
        std::exchange(done_, {})(std::move(result));
    }

    Loop& loop_;
    const LookAt look_;
    const std::string where_;
    const std::string request_;
    const bool tls_;
    CallDone done_;
    Connection connection_;
    bool connected_ = false;
    size_t sent_ = 0;
    std::string answer_;
    Watch watch_;
    Timer timer_;
};

}  // namespace

std::unique_ptr<Call> connect_tcp(Loop& loop, const Peer& peer, std::chrono::milliseconds timeout,
                                  CallDone done) {
    return std::make_unique<TcpCall>(loop, peer, "", false, timeout, std::move(done));
}

std::unique_ptr<Call> check_grpc(Loop& loop, const Peer& peer, std::string_view service,
                                 std::chrono::milliseconds timeout, CallDone done) {
    const std::string authority = cat(peer.address, ':', peer.port);
    return std::make_unique<TcpCall>(loop, peer, grpc_health_question(service, authority), false,
                                     timeout, std::move(done), look_at_grpc);
}

std::unique_ptr<Call> get_http(Loop& loop, const Peer& peer, const HttpQuestion& question,
                               std::chrono::milliseconds timeout, CallDone done) {
    std::string request = cat("GET ", question.path, " HTTP/1.1\r\nHost: ", question.host, "\r\n");
    for (const auto& [name, value] : question.headers) request += cat(name, ": ", value, "\r\n");
    request += "Connection: close\r\n\r\n";
    return std::make_unique<TcpCall>(loop, peer, std::move(request), question.tls, timeout,
                                     std::move(done));
}

}  // namespace kin::netns
