#include "raw_client.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <filesystem>

#include "core/base/strings.h"

namespace kin::test {

TemporaryFolder::TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "kin-test-XXXXXX").string();
    if (::mkdtemp(name.data())) path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

RawClient RawClient::to_port(uint16_t port) {
    UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return RawClient(std::move(fd));
}

RawClient RawClient::to_socket(const std::string& path) {
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    return RawClient(std::move(fd));
}

RawClient& RawClient::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) break;  // The server may have refused the rest.
        bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return *this;
}

bool RawClient::read_more() {
    pollfd ready{fd_.get(), POLLIN, 0};
    if (ended_ || ::poll(&ready, 1, 10'000) != 1) return false;
    char buffer[65536];
    const ssize_t got = ::recv(fd_.get(), buffer, sizeof buffer, 0);
    ended_ = got <= 0;
    if (got > 0) received_.append(buffer, static_cast<size_t>(got));
    return !ended_;
}

std::string RawClient::read_until(std::string_view mark) {
    size_t found = received_.find(mark);
    while (found == std::string::npos && read_more()) found = received_.find(mark);
    const size_t size = found == std::string::npos ? received_.size() : found + mark.size();
    return read_exactly(size);
}

std::string RawClient::read_exactly(size_t bytes) {
    while (received_.size() < bytes && read_more()) {
    }
    std::string taken = received_.substr(0, bytes);
    received_.erase(0, taken.size());
    return taken;
}

std::string RawClient::read_to_end() {
    while (read_more()) {
    }
    return std::exchange(received_, {});
}

std::string RawClient::read_response() {
    std::string response = read_until("\r\n\r\n");
    const std::string head = to_lower(response);
    const size_t length = head.find("content-length: ");
    if (length != std::string::npos) response += read_exactly(std::stoul(head.substr(length + 16)));
    return response;
}

void RawClient::shut_down_sending() { ::shutdown(fd_.get(), SHUT_WR); }

}  // namespace kin::test
