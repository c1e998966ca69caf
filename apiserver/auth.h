#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/status.h"
#include "core/http/message.h"

namespace kin::apiserver {

/// Who a request is from.
struct User {
    std::string name;
    std::vector<std::string> groups;

    bool in_group(std::string_view group) const;
    /// The groups that may do everything.
    bool is_admin() const { return in_group("system:masters"); }
};

/// Secrets by which callers are known. Immutable.
class Authenticator {
public:
    /// `secret` keys the tokens of service accounts.
    explicit Authenticator(std::string secret) : secret_(std::move(secret)) {}

    /// Whoever could open the unix socket is the lab's owner: its mode (0600) says so, and a lab
    /// whose ids are mapped sees its owner under a foreign uid. Others show a client certificate
    /// or a bearer token. nullopt: nobody (401).
    std::optional<User> authenticate(const http::Request& request) const;

    /// A token that says "I am this ServiceAccount", bound to the lab's secret.
    std::string service_account_token(std::string_view ns, std::string_view name) const;

private:
    std::optional<User> from_token(std::string_view token) const;

    std::string secret_;
};

/// What one request wants to do, in RBAC's words.
struct Attributes {
    std::string verb, group, resource, subresource, ns, name;
    std::string path;  ///< for requests that are about no resource
    bool is_resource() const { return !resource.empty(); }
};

/// Only admins may touch resources for now (RBAC objects are stored, not evaluated); everybody
/// known may read discovery, versions and OpenAPI.
Answer<Ok> authorize(const User& user, const Attributes& what);

}  // namespace kin::apiserver
