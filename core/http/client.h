#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/http/message.h"

namespace kin::http {

/// A blocking client of a server on a unix socket, for the command line. One connection per call.
class Client {
public:
    explicit Client(std::string socket_path) : socket_path_(std::move(socket_path)) {}

    struct Answer {
        int status = 0;
        Headers headers;
        std::string body;
    };
    /// Sends one request and waits for the whole answer, whatever its status. Escapes in its
    /// fields' values arrive decoded. Fails with kNotFound if nobody serves the socket.
    Result<Answer> send(const std::string& method, const std::string& target,
                        const Headers& headers = {}, const std::string& body = {}) const;
    /// The same, but an answer of status 200 is given to `on_bytes` as it comes, until the end or
    /// until `on_bytes` says false. Other answers come back with their body, as from send().
    Result<Answer> stream(const std::string& method, const std::string& target,
                          const Headers& headers, const std::string& body,
                          const std::function<bool(std::string_view)>& on_bytes) const;

private:
    std::string socket_path_;
};

}  // namespace kin::http
