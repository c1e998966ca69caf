#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace kin::http {

/// Header fields in the order they came, names compared without regard to case.
class Headers {
public:
    Headers() = default;
    Headers(std::initializer_list<std::pair<std::string, std::string>> fields) : fields_(fields) {}

    void add(std::string name, std::string value);
    void set(std::string name, std::string value);  ///< Instead of all fields of that name.
    bool has(std::string_view name) const;
    /// The first value of that name, "" if there is none.
    std::string_view get(std::string_view name) const;
    /// Every value of that name, in order (Impersonate-Group, X-Stream-Protocol-Version).
    std::vector<std::string_view> all(std::string_view name) const;
    /// Whether the comma-separated lists of that name hold `token`: "Connection: a, upgrade".
    bool has_token(std::string_view name, std::string_view token) const;

    auto begin() const { return fields_.begin(); }
    auto end() const { return fields_.end(); }
    size_t size() const { return fields_.size(); }

private:
    std::vector<std::pair<std::string, std::string>> fields_;
};

/// The part of the target behind '?', form decoded ('+' is a space); repeated keys stay apart.
class Query {
public:
    Query() = default;
    /// Nothing if an escape is broken.
    static std::optional<Query> parse(std::string_view text);

    bool has(std::string_view key) const;
    /// The first value of that key, "" if there is none.
    std::string_view get(std::string_view key) const;
    std::vector<std::string_view> all(std::string_view key) const;
    /// True for "key", "key=", "key=true", "key=1", ... (as Kubernetes reads booleans).
    bool flag(std::string_view key) const;

    auto begin() const { return pairs_.begin(); }
    auto end() const { return pairs_.end(); }
    size_t size() const { return pairs_.size(); }

private:
    std::vector<std::pair<std::string, std::string>> pairs_;
};

/// Percent-decodes; nothing if an escape is broken. '+' stays, unless it means a space.
enum class Plus { kStays, kIsSpace };
std::optional<std::string> percent_decode(std::string_view text, Plus plus = Plus::kStays);
/// Escapes everything but letters, digits and -._~ .
std::string percent_encode(std::string_view text);

/// Subject of a client certificate that was verified against the listener's CA.
struct ClientCertificate {
    std::string common_name;                 ///< Kubernetes: the user.
    std::vector<std::string> organizations;  ///< Kubernetes: the groups.
};

/// Who sent a request, as far as the connection tells.
struct Peer {
    enum class Door { kUnix, kTls, kPlain };
    Door door = Door::kPlain;
    std::optional<uid_t> uid;                      ///< kUnix: the process's user, from the kernel.
    std::optional<ClientCertificate> certificate;  ///< kTls, if the client showed one.
    std::string address;                           ///< "127.0.0.1:40112"; "" on kUnix.
};

/// One request, complete with its body.
struct Request {
    std::string method;             ///< "GET", as sent.
    std::string target;             ///< "/api/v1/pods?limit=5", as sent.
    std::string raw_path;           ///< The target before '?', still encoded.
    std::vector<std::string> path;  ///< {"api", "v1", "pods"}: decoded, empty segments left out.
    Query query;
    Headers headers;
    std::string body;
    Peer peer;

    /// The token of "Authorization: Bearer ...", "" if there is none.
    std::string_view bearer_token() const;
    /// Whether the client asks for `protocol` ("websocket", "SPDY/3.1") on this connection.
    bool wants_upgrade(std::string_view protocol) const;
};

/// Bytes to be sent; shared ones are sent to many without being copied.
class Bytes {
public:
    Bytes() = default;
    Bytes(std::string bytes) : bytes_(std::move(bytes)) {}
    Bytes(std::string_view bytes) : bytes_(std::string(bytes)) {}
    Bytes(const char* text) : bytes_(std::string(text)) {}
    Bytes(std::shared_ptr<const std::string> bytes) : bytes_(std::move(bytes)) {}

    std::string_view view() const;
    size_t size() const { return view().size(); }
    /// The string to append to, nullptr if these bytes are shared.
    std::string* own() { return std::get_if<std::string>(&bytes_); }

private:
    std::variant<std::string, std::shared_ptr<const std::string>> bytes_;
};

/// One answer. Content-Length, Connection and Keep-Alive are the server's business.
struct Response {
    int status = 200;
    std::string content_type;  ///< Not sent when empty.
    Headers headers;
    std::vector<Bytes> body;  ///< Sent one behind the other.

    Response() = default;
    Response(int status_, std::string content_type_ = {}, Bytes content = {})
        : status(status_), content_type(std::move(content_type_)) {
        if (content.size() > 0) body.push_back(std::move(content));
    }
    size_t body_size() const;
};

/// "Not Found"; "Unknown" for a number without a registered phrase.
std::string_view reason_phrase(int status);

}  // namespace kin::http
