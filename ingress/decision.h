#pragma once

#include <string>

#include "ingress/proxy.h"
#include "ingress/request_head.h"

namespace kin::ingress {

/// For a client of Kubernetes that takes this for an API server. Of this status's answers kubectl
/// shows the text; it keeps to itself what 404 or 421 say.
constexpr int kNotTheApi = 415;

/// What is to be done with a request: pass it on, or answer it here.
struct Decision {
    const Location* location = nullptr;  ///< nullptr: nobody's. Lives as long as the table.
    int status = 0;                      ///< To be answered here; 0: pass it on.
    std::string redirect;                ///< Where to, of a 3xx.
    std::string target;                  ///< As it goes to the endpoint.
};
/// Pure. In this order: no such host or path, redirect to https, app-root, redirect, size of the
/// body, no endpoints; else passed on, perhaps rewritten.
Decision decide(const RouteTable& routes, const ProxyRequest& request, Door door,
                const PublishedPorts& published);

/// A short answer of the proxy's own, as nginx words it; `head_only` for HEAD.
struct Page {
    int status = 404;
    std::string redirect;
    bool keep_alive = true;
    bool head_only = false;
    bool tls = false;  ///< Between client and proxy.
};
std::string to_text(const Page& page);
/// For a client that speaks HTTP where TLS is spoken; it ends the connection.
std::string plain_http_page();
size_t body_bytes(const Page& page);
/// "404 Not Found": nginx's words, which here and there are not the registered ones.
std::string status_text(int status);

}  // namespace kin::ingress
