#include "core/http/client.h"

#include <httplib.h>

#include "core/base/strings.h"

namespace kin::http {

namespace {
// A watch may be silent for an hour; a request that nobody answers is ended by Ctrl-C.
constexpr time_t kReadTimeoutSeconds = 24 * 3600;

Error error_of(httplib::Error error, const std::string& socket_path) {
    if (error == httplib::Error::Connection)
        return Error(Errc::kNotFound, cat("nobody serves ", socket_path));
    return Error(Errc::kSystem, cat(socket_path, ": ", httplib::to_string(error)));
}

httplib::Request make_request(const std::string& method, const std::string& target,
                              const Headers& headers, const std::string& body) {
    httplib::Request request;
    request.method = method;
    request.path = target;
    request.body = body;
    request.set_header("Host", "kin");
    for (const auto& [name, value] : headers) request.set_header(name, value);
    return request;
}
}  // namespace

Result<Client::Answer> Client::stream(const std::string& method, const std::string& target,
                                      const Headers& headers, const std::string& body,
                                      const std::function<bool(std::string_view)>& on_bytes) const {
    httplib::ClientImpl client(socket_path_, 80);  // The port is not used by a unix socket.
    client.set_address_family(AF_UNIX);
    client.set_read_timeout(kReadTimeoutSeconds);
    Answer answer;
    bool stopped = false;
    auto request = make_request(method, target, headers, body);
    request.response_handler = [&](const httplib::Response& head) {
        answer.status = head.status;
        for (const auto& [name, value] : head.headers) answer.headers.add(name, value);
        return true;
    };
    request.content_receiver = [&](const char* bytes, size_t size, uint64_t, uint64_t) {
        if (answer.status != 200 || !on_bytes) {
            answer.body.append(bytes, size);
            return true;
        }
        stopped = !on_bytes({bytes, size});
        return !stopped;
    };
    const auto result = client.send(request);
    if (!result && !stopped) return error_of(result.error(), socket_path_);
    return answer;
}

Result<Client::Answer> Client::send(const std::string& method, const std::string& target,
                                    const Headers& headers, const std::string& body) const {
    return stream(method, target, headers, body, nullptr);
}

}  // namespace kin::http
