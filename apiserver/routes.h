#pragma once

#include "apiserver/api_path.h"
#include "apiserver/auth.h"
#include "apiserver/pod_streams.h"
#include "apiserver/watch_stream.h"
#include "core/http/server.h"
#include "core/registry/registry.h"

namespace kin::apiserver {

/// Every address of the API: what HTTP asks, in terms of the registry, the store and the pods.
/// Thread-safe: handle() runs on all HTTP workers.
class Routes {
public:
    using Lab = std::function<std::optional<http::Response>(const http::Request&)>;
    Routes(Registry& registry, Loop& streams, Watches& watches, PodStreams& pods,
           const Authenticator& authenticator, Lab lab);

    void handle(http::Request& request, http::Responder& responder);

private:
    struct Call;  ///< one request with what is known about it

    /// nullopt: the responder was used already (streams).
    using Reply = std::optional<http::Response>;

    Reply answer(Call& call);
    Reply non_resource(Call& call);
    Reply discovery(Call& call);
    Reply openapi(Call& call);
    Reply resource(Call& call);
    Reply read(Call& call);
    Reply create(Call& call);
    Reply update(Call& call);
    Reply patch(Call& call);
    Reply remove(Call& call);
    Reply remove_collection(Call& call);
    Reply apply_documents(Call& call);
    Reply open_watch(Call& call);
    Reply create_review(Call& call);
    Reply create_token(Call& call);

    Registry& registry_;
    Store& store_;
    Loop& streams_;
    Watches& watches_;
    PodStreams& pods_;
    const Authenticator& authenticator_;
    const Lab lab_;
};

}  // namespace kin::apiserver
