#include "netns/images/dial.h"

#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <memory>

#include "core/base/strings.h"

namespace kin::images {
namespace {

constexpr int kTimeoutMs = 5000;

struct FreeAddresses {
    void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Result<Addresses> resolve(const std::string& host, const std::string& port, int type) {
    addrinfo hints{};
    hints.ai_socktype = type;
    addrinfo* list = nullptr;
    const int failure = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &list);
    if (failure != 0) {
        return Error(Errc::kNotFound, cat("lookup ", host, ": ", ::gai_strerror(failure)));
    }
    return Addresses(list);
}

Result<> wait_for(const UniqueFd& fd, short events, int timeout_ms, std::string_view doing) {
    pollfd poll{fd.get(), events, 0};
    const int ready = ::poll(&poll, 1, timeout_ms);
    if (ready == 0) return Error::from_errno(doing, ETIMEDOUT);
    if (ready < 0) return Error::from_errno(doing);
    return Ok{};
}

Result<std::string> receive(const UniqueFd& fd, bool until_end) {
    std::string text;
    char buffer[16384];
    while (text.size() < 1 << 20) {
        TRY(wait_for(fd, POLLIN, kTimeoutMs, "read"));
        const ssize_t length = ::recv(fd.get(), buffer, sizeof buffer, 0);
        if (length < 0) return Error::from_errno("read");
        text.append(buffer, static_cast<size_t>(length));
        if (length == 0 || !until_end) return text;
    }
    return Error(Errc::kInvalid, "the answer is larger than 1 MiB");
}

Result<> send_all(const UniqueFd& fd, std::string_view bytes) {
    if (::send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) < 0) {
        return Error::from_errno("write");
    }
    return Ok{};
}

Result<std::string> ask_http(const DialRequest& request) {
    TRY_ASSIGN(const UniqueFd fd, connect_tcp(request.host, request.port, kTimeoutMs));
    // HTTP/1.0: the answer's end is the connection's end, and is not chunked.
    const std::string length =
        request.body.empty() ? "" : cat("Content-Length: ", request.body.size(), "\r\n");
    TRY(send_all(fd,
                 cat(request.body.empty() ? "GET /" : "POST /", request.request,
                     " HTTP/1.0\r\nHost: ", request.host, "\r\n", length, "\r\n", request.body)));
    TRY_ASSIGN(const std::string answer, receive(fd, true));
    const size_t body = answer.find("\r\n\r\n");
    if (body == std::string::npos) return Error(Errc::kInvalid, "not an HTTP answer");
    return answer.substr(body + 4);
}

Result<std::string> ask_udp(const DialRequest& request) {
    TRY_ASSIGN(const Addresses addresses, resolve(request.host, request.port, SOCK_DGRAM));
    UniqueFd fd(::socket(addresses->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!fd.valid()) return Error::from_errno("socket");
    if (::connect(fd.get(), addresses->ai_addr, addresses->ai_addrlen) < 0) {
        return Error::from_errno("connect");
    }
    TRY(send_all(fd, request.request));
    return receive(fd, false);
}

}  // namespace

Result<UniqueFd> connect_tcp(const std::string& host, const std::string& port, int timeout_ms) {
    TRY_ASSIGN(const Addresses addresses, resolve(host, port, SOCK_STREAM));
    UniqueFd fd(::socket(addresses->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd.valid()) return Error::from_errno("socket");
    const std::string doing = cat("dial tcp ", host, ":", port);
    if (::connect(fd.get(), addresses->ai_addr, addresses->ai_addrlen) < 0) {
        if (errno != EINPROGRESS) return Error::from_errno(doing);
        TRY(wait_for(fd, POLLOUT, timeout_ms, doing));
        int error_number = 0;
        socklen_t size = sizeof error_number;
        ::getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error_number, &size);
        if (error_number != 0) return Error::from_errno(doing, error_number);
    }
    ::fcntl(fd.get(), F_SETFL, 0);  // Blocking from here on.
    return fd;
}

Result<std::string> dial_once(const DialRequest& request) {
    if (request.protocol == "http") return ask_http(request);
    if (request.protocol == "udp") return ask_udp(request);
    return Error(Errc::kInvalid, cat("unsupported protocol ", request.protocol));
}

}  // namespace kin::images
