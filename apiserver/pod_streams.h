#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>

#include "apiserver/api_path.h"
#include "apiserver/spdy_session.h"
#include "core/contracts/pod_access.h"
#include "core/http/server.h"
#include "core/loop/loop.h"
#include "core/store/store.h"

namespace kin::apiserver {

/// Everything that reaches into running pods: log, exec, attach, port-forward, proxy. Requests come on
/// HTTP workers; the sessions that they become live on the loop (kin-streams).
class PodStreams {
public:
    /// `pods` may be nullptr: then every request is answered with 501.
    PodStreams(const Store& store, Loop& loop, PodAccess* pods);
    ~PodStreams();  ///< Cuts every session.

    /// Answers a request for `subresource` of `pod`. Thread-safe; waits for the agent where the
    /// answer's status depends on it. nullopt: the connection was handed over.
    std::optional<http::Response> handle(const ObjectKey& pod, std::string_view subresource,
                                         http::Request& request, http::Responder& responder);

    /// The same for a command in the network of a host of the lab, which is no pod: a node, the
    /// router. Who may ask is the caller's business.
    std::optional<http::Response> exec_in_host(const std::string& host, http::Request& request,
                                               http::Responder& responder);

    /// A request to .../pods/NAME/proxy or .../services/NAME/proxy and below, by any method.
    std::optional<http::Response> proxy(const ApiPath& path, http::Request& request,
                                        http::Responder& responder);

private:
    std::optional<http::Response> log(const ObjectKey& pod, http::Request& request,
                                      http::Responder& responder);
    std::optional<http::Response> exec(const ObjectKey& pod, bool attach, http::Request& request,
                                       http::Responder& responder);
    std::optional<http::Response> run(const PodAccess::ExecRequest& wanted, bool attach,
                                      http::Request& request, http::Responder& responder);
    std::optional<http::Response> port_forward(const ObjectKey& pod, http::Request& request,
                                               http::Responder& responder);
    std::optional<http::Response> channel_port_forward(const ObjectKey& pod, http::Request& request,
                                                       http::Responder& responder);
    void forward(const ObjectKey& pod, std::unique_ptr<spdy::Session> session);
    /// Keeps what `make` makes until it says that it has ended. On the loop's thread, later.
    template <class Session>
    void keep(std::function<std::shared_ptr<Session>(std::function<void()> ended)> make,
              std::function<void(Session&)> start);

    const Store& store_;
    Loop& loop_;
    PodAccess* const pods_;
    struct Sessions {
        std::unordered_map<uint64_t, std::shared_ptr<void>> open;
        uint64_t last_number = 0;
    };
    std::shared_ptr<Sessions> sessions_ = std::make_shared<Sessions>();  // On the loop's thread.
};

}  // namespace kin::apiserver
