#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/object_key.h"
#include "core/api/status.h"
#include "core/base/time.h"
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

/// What a service account's token says.
struct ServiceAccountToken {
    ObjectKey account;
    std::string account_uid;
    std::string pod_name, pod_uid;       ///< the pod it is bound to, "" if none
    std::vector<std::string> audiences;  ///< empty: the API server
    int64_t seconds = 3600;              ///< it is good for
};

/// Secrets by which callers are known. Immutable.
class Authenticator {
public:
    using Clock = WallTime (*)();
    /// `secret` keys the tokens of service accounts; `clock` is there for tests.
    explicit Authenticator(std::string secret, Clock clock = std::chrono::system_clock::now)
        : secret_(std::move(secret)), clock_(clock) {}

    /// Whoever could open the unix socket is the lab's owner: its mode (0600) says so, and a lab
    /// whose ids are mapped sees its owner under a foreign uid. Others show a client certificate
    /// or a bearer token. nullopt: nobody (401).
    std::optional<User> authenticate(const http::Request& request) const;

    /// A signed JSON Web Token with the claims that Kubernetes' tokens have. Past its `exp` it is
    /// nobody's. Made for other audiences only, the API server does not take it.
    std::string service_account_token(const ServiceAccountToken& token) const;

private:
    std::optional<User> from_token(std::string_view token) const;

    std::string secret_;
    Clock clock_;
};

/// How long a token is good for of which `asked` seconds were asked. As upstream: the 3607 seconds
/// of the volume that every pod gets become a year, for programs that read their token only once.
int64_t granted_seconds(int64_t asked);

/// What one request wants to do, in RBAC's words.
struct Attributes {
    std::string verb, group, resource, subresource, ns, name;
    std::string path;  ///< for requests that are about no resource
    bool is_resource() const { return !resource.empty(); }
};

/// Whom a request acts as: its caller, or who the headers Impersonate-User and Impersonate-Group
/// say, which only admins may (403). Their Extra and Uid are not looked at.
Answer<User> acting_user(const User& caller, const http::Request& request);

/// Only admins may touch resources for now (RBAC objects are stored, not evaluated); everybody
/// known may read discovery, versions and OpenAPI.
Answer<Ok> authorize(const User& user, const Attributes& what);

}  // namespace kin::apiserver
