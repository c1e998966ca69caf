#pragma once

#include <string>
#include <string_view>

#include "apiserver/api_path.h"
#include "core/api/status.h"
#include "core/http/message.h"
#include "core/store/store.h"

namespace kin::apiserver {

/// Where a request to pods/NAME/proxy or services/NAME/proxy leads.
struct ProxyTarget {
    ObjectKey pod;
    uint16_t port = 80;
    std::string host;  ///< "10.244.1.5:80": what the pod takes for its own name
};

/// Reads "[http:]NAME[:PORT]" and finds the pod. A pod's port is its first container's first if none
/// is said, a Service's the one without a name; of a Service's endpoints it is a ready one, drawn
/// anew each time. Fails with Kubernetes' words: 404, 400, 503.
Answer<ProxyTarget> find_proxy_target(const Store& store, const ApiPath& path);

/// The request as the pod gets it: its own path, the client's fields without those that are between
/// client and API server (identity, connection), and who asked for what in X-Forwarded-*. Pure.
std::string proxied_request(const http::Request& request, const ProxyTarget& target);
/// "/api/v1/namespaces/default/pods/web/proxy": the part of the address that the pod does not see.
/// `path` is of such a request.
std::string_view proxy_prefix(std::string_view path);
/// The head of the pod's answer as the client gets it: the connection ends with the answer, unless
/// it is another protocol's from here on, and a way to elsewhere in the pod leads through `prefix`.
/// "": it is no head. Pure.
std::string proxied_answer(std::string_view head, std::string_view prefix);

}  // namespace kin::apiserver
