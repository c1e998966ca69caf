#pragma once

#include <netinet/in.h>

#include <memory>
#include <string>
#include <string_view>

#include "core/base/unique_fd.h"

namespace kin::test {

/// A folder of its own under the temporary directory, removed at the end.
class TemporaryFolder {
public:
    TemporaryFolder();
    ~TemporaryFolder();
    std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }

private:
    std::string path_;
};

/// The client's end of a connection, byte by byte. Every wait has a deadline of ten seconds,
/// after which what has come so far is returned.
class RawClient {
public:
    static RawClient to_port(uint16_t port);
    static RawClient to_socket(const std::string& path);

    RawClient& send(std::string_view bytes);
    /// Everything up to and including `mark`.
    std::string read_until(std::string_view mark);
    std::string read_exactly(size_t bytes);
    std::string read_to_end();
    /// Head and body (by Content-Length) of one response.
    std::string read_response();
    bool closed_by_peer() { return read_to_end().empty() && ended_; }
    void shut_down_sending();
    int fd() const { return fd_.get(); }

private:
    explicit RawClient(UniqueFd fd) : fd_(std::move(fd)) {}
    bool read_more();

    UniqueFd fd_;
    std::string received_;
    bool ended_ = false;
};

}  // namespace kin::test
