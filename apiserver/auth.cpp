#include "apiserver/auth.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include <algorithm>

#include "core/base/strings.h"

namespace kin::apiserver {

namespace {
constexpr std::string_view kTokenPrefix = "kin-sa.";

std::string signature(const std::string& secret, std::string_view text) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &size);
    return hex(std::string_view(reinterpret_cast<const char*>(digest), size));
}

bool same(std::string_view a, std::string_view b) {
    // In constant time, so that a token cannot be guessed byte by byte.
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
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
    if (!token.starts_with(kTokenPrefix)) return {};
    const auto parts = split(token.substr(kTokenPrefix.size()), '.');
    if (parts.size() != 3) return {};
    const auto ns = base64_decode(parts[0]);
    const auto name = base64_decode(parts[1]);
    if (!ns || !name || !same(service_account_token(*ns, *name), token)) return {};
    return User{cat("system:serviceaccount:", *ns, ':', *name),
                {"system:serviceaccounts", cat("system:serviceaccounts:", *ns),
                 "system:authenticated"}};
}

std::string Authenticator::service_account_token(std::string_view ns,
                                                 std::string_view name) const {
    const std::string subject = cat(base64_encode(ns), '.', base64_encode(name));
    return cat(kTokenPrefix, subject, '.', signature(secret_, subject));
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
    status.message = cat(
        subject, what.name.empty() ? std::string() : cat(" \"", what.name, '"'),
        " is forbidden: User \"", user.name, "\" cannot ", what.verb, " resource \"", resource,
        "\" in API group \"", what.group, '"',
        what.ns.empty() ? " at the cluster scope" : cat(" in the namespace \"", what.ns, '"'));
    return status;
}

}  // namespace kin::apiserver
