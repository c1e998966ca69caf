#include "apiserver/server.h"

#include "apiserver/respond.h"
#include "apiserver/routes.h"
#include "core/http/server.h"

namespace kin::apiserver {

struct ApiServer::Parts {
    Parts(Registry& registry, Loop& streams, PodAccess* pods, const Options& options)
        : authenticator(options.token_secret),
          watches(registry.store(), streams),
          pod_streams(registry.store(), streams, pods),
          routes(registry, streams, watches, pod_streams, authenticator, options.lab) {}

    const Authenticator authenticator;
    std::shared_ptr<const http::TlsContext> tls;
    uint16_t tls_port = 0;
    Watches watches;
    PodStreams pod_streams;
    Routes routes;
    std::unique_ptr<http::Server> server;  // Last: its workers use all of the above.
};

ApiServer::ApiServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
ApiServer::~ApiServer() = default;

Result<std::unique_ptr<ApiServer>> ApiServer::start(Registry& registry, Loop& streams,
                                                    PodAccess* pods, const Options& options) {
    auto parts = std::make_unique<Parts>(registry, streams, pods, options);
    TRY_ASSIGN(parts->tls, http::TlsContext::create(options.server, options.client_ca_pem));
    http::Server::Options http_options;
    http_options.name = "kin-api";
    http_options.refusal = refusal;
    Routes* routes = &parts->routes;
    TRY_ASSIGN(parts->server,
               http::Server::create(std::move(http_options),
                                    [routes](http::Request& request, http::Responder& responder) {
                                        routes->handle(request, responder);
                                    }));
    TRY(parts->server->listen_unix(options.socket_path));
    TRY_ASSIGN(parts->tls_port, parts->server->listen_tls(options.tls_port, parts->tls));
    return std::unique_ptr<ApiServer>(new ApiServer(std::move(parts)));
}

void ApiServer::handle(http::Request& request, http::Responder& responder) {
    parts_->routes.handle(request, responder);
}
uint16_t ApiServer::tls_port() const { return parts_->tls_port; }
Result<> ApiServer::adopt(UniqueFd listening) {
    return parts_->server->adopt(std::move(listening), parts_->tls);
}
const Authenticator& ApiServer::authenticator() const { return parts_->authenticator; }

}  // namespace kin::apiserver
