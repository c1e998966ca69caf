#include "apiserver/auth.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "core/base/strings.h"

namespace kin::apiserver {

namespace {
constexpr std::string_view kIssuer = "https://kubernetes.default.svc.cluster.local";
constexpr std::string_view kAccountPrefix = "system:serviceaccount:";

/// Base64 as JSON Web Tokens have it: two other digits, no padding.
std::string url_encode(std::string_view bytes) {
    std::string text = base64_encode(bytes);
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    text.resize(text.find_last_not_of('=') + 1);
    return text;
}

std::optional<std::string> url_decode(std::string_view encoded) {
    std::string text(encoded);
    std::replace(text.begin(), text.end(), '-', '+');
    std::replace(text.begin(), text.end(), '_', '/');
    text.append((4 - text.size() % 4) % 4, '=');
    return base64_decode(text);
}

std::vector<std::string> groups_of_account(std::string_view ns) {
    return {"system:serviceaccounts", cat("system:serviceaccounts:", ns)};
}

std::string signature(const std::string& secret, std::string_view text) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &size);
    return url_encode(std::string_view(reinterpret_cast<const char*>(digest), size));
}

bool same(std::string_view a, std::string_view b) {
    // In constant time, so that a token cannot be guessed byte by byte.
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

int64_t unix_seconds(WallTime time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}
}  // namespace

bool User::in_group(std::string_view group) const {
    return std::find(groups.begin(), groups.end(), group) != groups.end();
}

std::optional<User> Authenticator::authenticate(const http::Request& request) const {
    if (request.peer.door == http::Peer::Door::kUnix) {
        return User{"kubernetes-admin", {"system:masters", "system:authenticated"}};
    }
    if (const std::string_view token = request.bearer_token(); !token.empty()) {
        return from_token(token);
    }
    if (const auto& certificate = request.peer.certificate) {
        User user{certificate->common_name, certificate->organizations};
        user.groups.emplace_back("system:authenticated");
        return user;
    }
    return {};
}

std::optional<User> Authenticator::from_token(std::string_view token) const {
    const auto parts = split(token, '.');
    if (parts.size() != 3) return {};
    const std::string_view signed_part = token.substr(0, token.rfind('.'));
    if (!same(signature(secret_, signed_part), parts[2])) return {};
    const auto text = url_decode(parts[1]);
    const auto claims = text ? parse_json(*text) : Error(Errc::kInvalid, "no base64");
    if (!claims) return {};
    if (unix_seconds(clock_()) >= int_at(*claims, {"exp"})) return {};
    const Json& audiences = array_at(*claims, {"aud"});
    if (std::find(audiences.begin(), audiences.end(), kIssuer) == audiences.end()) return {};
    const std::string subject = string_at(*claims, {"sub"});
    if (!subject.starts_with(kAccountPrefix)) return {};
    const std::string ns = string_at(*claims, {"kubernetes.io", "namespace"});
    User user{subject, groups_of_account(ns)};
    user.groups.emplace_back("system:authenticated");
    return user;
}

std::string Authenticator::service_account_token(const ServiceAccountToken& token) const {
    const int64_t now = unix_seconds(clock_());
    Json bound = {{"namespace", token.account.ns},
                  {"serviceaccount", {{"name", token.account.name}, {"uid", token.account_uid}}}};
    if (!token.pod_name.empty()) bound["pod"] = {{"name", token.pod_name}, {"uid", token.pod_uid}};
    Json audiences = token.audiences;
    if (audiences.empty()) audiences = Json::array({kIssuer});
    const Json header = {{"alg", "HS256"}, {"typ", "JWT"}};
    const Json claims = {{"iss", kIssuer},
                         {"sub", cat(kAccountPrefix, token.account.ns, ':', token.account.name)},
                         {"aud", std::move(audiences)},
                         {"iat", now},
                         {"nbf", now},
                         {"exp", now + token.seconds},
                         {"kubernetes.io", std::move(bound)}};
    const std::string text = cat(url_encode(to_text(header)), '.', url_encode(to_text(claims)));
    return cat(text, '.', signature(secret_, text));
}

Answer<User> acting_user(const User& caller, const http::Request& request) {
    const std::string name(request.headers.get("Impersonate-User"));
    const auto groups = request.headers.all("Impersonate-Group");
    if (name.empty() && groups.empty()) return caller;
    if (name.empty()) return bad_request("requested groups without impersonating a user");
    TRY(authorize(caller, {"impersonate", "", "users", "", "", name, ""}));
    User user{name, {}};
    for (const std::string_view group : groups) user.groups.emplace_back(group);
    if (user.groups.empty() && name.starts_with(kAccountPrefix)) {
        const std::string_view account = std::string_view(name).substr(kAccountPrefix.size());
        user.groups = groups_of_account(account.substr(0, account.find(':')));
    }
    user.groups.emplace_back("system:authenticated");
    return user;
}

int64_t granted_seconds(int64_t asked) {
    constexpr int64_t kOfEveryPod = 3607, kYear = 365 * 24 * 3600;
    return asked == kOfEveryPod ? kYear : asked;
}

Answer<Ok> authorize(const User& user, const Attributes& what) {
    if (user.is_admin()) return Ok{};
    Status status;
    status.code = 403;
    status.reason = "Forbidden";
    if (!what.is_resource()) {
        if (what.verb == "get") return Ok{};
        status.message = cat("forbidden: User \"", user.name, "\" cannot ", what.verb, " path \"",
                             what.path, '"');
        return status;
    }
    if (what.group == "authorization.k8s.io" || what.group == "authentication.k8s.io") return Ok{};
    const std::string resource =
        what.subresource.empty() ? what.resource : cat(what.resource, '/', what.subresource);
    const std::string subject =
        what.group.empty() ? what.resource : cat(what.resource, '.', what.group);
    status.name = what.name;
    status.group = what.group;
    status.kind = what.resource;
    status.message =
        cat(subject, what.name.empty() ? std::string() : cat(" \"", what.name, '"'),
            " is forbidden: User \"", user.name, "\" cannot ", what.verb, " resource \"", resource,
            "\" in API group \"", what.group, '"',
            what.ns.empty() ? " at the cluster scope" : cat(" in the namespace \"", what.ns, '"'));
    return status;
}

}  // namespace kin::apiserver
