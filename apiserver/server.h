#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "apiserver/auth.h"
#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "core/contracts/pod_access.h"
#include "core/http/server.h"
#include "core/http/tls.h"
#include "core/loop/loop.h"
#include "core/registry/registry.h"

namespace kin::apiserver {

/// The API over HTTP, on its doors: a unix socket (0600), TLS on 127.0.0.1, and listeners that
/// others opened (the address of `kubernetes.default` inside the lab).
///
/// Its threads are born in the caller's network namespace and stay there. Watches and other
/// streams live on `streams`.
class ApiServer {
public:
    struct Options {
        std::string socket_path;
        uint16_t tls_port = 6443;  ///< the first one tried
        http::KeyPair server;      ///< shown on TLS
        std::string client_ca_pem;
        std::string token_secret;  ///< keys service account tokens
        /// Answers what is below /kin/, for admins only: what a lab is beyond a cluster. On the
        /// HTTP workers. nullopt: 404.
        std::function<std::optional<http::Response>(const http::Request&)> lab;
    };

    /// `pods` may be nullptr: then logs, exec and the like answer that there are no pods here.
    static Result<std::unique_ptr<ApiServer>> start(Registry& registry, Loop& streams,
                                                    PodAccess* pods, const Options& options);
    ~ApiServer();  ///< Ends open watches in order, then the workers.

    /// Serves a request that came in by a door of somebody else; its peer says who it is from.
    void handle(http::Request& request, http::Responder& responder);

    uint16_t tls_port() const;
    /// Serves a TCP socket that listens already, with TLS.
    Result<> adopt(UniqueFd listening);
    const Authenticator& authenticator() const;

private:
    struct Parts;
    explicit ApiServer(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

}  // namespace kin::apiserver
