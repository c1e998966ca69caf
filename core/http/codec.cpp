#include "core/http/codec.h"

#include <httplib.h>

#include "core/base/strings.h"

namespace kin::http {

namespace {
/// What httplib reads from and writes to: two strings.
class MemoryStream : public httplib::Stream {
public:
    explicit MemoryStream(std::string input) : input_(std::move(input)) {}

    bool is_readable() const override { return offset_ < input_.size(); }
    bool is_writable() const override { return true; }
    ssize_t read(char* to, size_t size) override {
        const size_t count = std::min(size, input_.size() - offset_);
        input_.copy(to, count, offset_);
        offset_ += count;
        return static_cast<ssize_t>(count);
    }
    ssize_t write(const char* bytes, size_t size) override {
        output.append(bytes, size);
        return static_cast<ssize_t>(size);
    }
    void get_remote_ip_and_port(std::string&, int&) const override {}
    void get_local_ip_and_port(std::string&, int&) const override {}
    socket_t socket() const override { return INVALID_SOCKET; }

    std::string output;

private:
    std::string input_;
    size_t offset_ = 0;
};

/// A field that is framing, or would break it, is not the handler's to set.
bool is_safe_field(const std::string& name, const std::string& value) {
    if (value.find_first_of("\r\n") != std::string::npos || name.empty()) return false;
    const std::string key = to_lower(name);
    return key != "content-length" && key != "transfer-encoding" && key != "keep-alive";
}
}  // namespace

struct Codec::Httplib : httplib::Server {
    explicit Httplib(std::function<Response()> after_exception_)
        : after_exception(std::move(after_exception_)) {
        set_keep_alive_timeout(180);
        set_keep_alive_max_count(100'000);
        set_pre_routing_handler([this](const httplib::Request&, httplib::Response& out) {
            response = (*serve)();
            if (response) describe(out);
            return HandlerResponse::Handled;
        });
        set_exception_handler(
            [this](const httplib::Request&, httplib::Response& out, std::exception_ptr) {
                response = after_exception();
                describe(out);
            });
    }
    using httplib::Server::process_request;

    /// Tells httplib everything but the body, which is sent from where it lies.
    void describe(httplib::Response& out) const {
        out.status = response->status;
        for (const auto& [name, value] : response->headers)
            if (is_safe_field(name, value)) out.set_header(name, value);
        if (!response->content_type.empty()) out.set_header("Content-Type", response->content_type);
        const bool bodiless = response->status == 204 || response->status == 304;
        if (!bodiless) out.set_header("Content-Length", std::to_string(response->body_size()));
    }

    const std::function<Response()> after_exception;
    const std::function<std::optional<Response>()>* serve = nullptr;
    std::optional<Response> response;
};

Codec::Codec(std::function<Response()> after_exception)
    : httplib_(std::make_unique<Httplib>(std::move(after_exception))) {}
Codec::~Codec() = default;

std::optional<Codec::Answer> Codec::answer(const RequestHead& head, bool close,
                                           const std::function<std::optional<Response>()>& serve) {
    // Every request is a GET to httplib, which would refuse methods that it does not know and
    // would read bodies that are not there; for HEAD the body is left out below.
    MemoryStream stream("GET / HTTP/1.1\r\nHost: kin\r\n\r\n");
    httplib_->serve = &serve;
    httplib_->response.reset();
    bool closed = false;
    httplib_->process_request(stream, close, closed, nullptr);
    if (!httplib_->response) return {};
    Answer answer{std::move(stream.output), {}};
    if (head.method != "HEAD") answer.body = std::move(httplib_->response->body);
    return answer;
}

std::string plain_head(const Response& response, const Headers& framing) {
    std::string out =
        cat("HTTP/1.1 ", response.status, ' ', reason_phrase(response.status), "\r\n");
    if (!response.content_type.empty()) out += cat("Content-Type: ", response.content_type, "\r\n");
    for (const Headers* fields : {&response.headers, &framing})
        for (const auto& [name, value] : *fields)
            if (fields == &framing || is_safe_field(name, value))
                out += cat(name, ": ", value, "\r\n");
    return out + "\r\n";
}

}  // namespace kin::http
