#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/http/server.h"
#include "web/assets.h"
#include "web/sessions.h"

namespace kin::web {

/// Names of the page's own on the wire.
inline constexpr std::string_view kKeyHeader = "X-Kin-Page";
inline constexpr std::string_view kTicketParameter = "ticket";

/// Every answer of the page carries it: nothing but its own files runs, and nobody frames it.
extern const std::string_view kContentSecurityPolicy;

/// Who may come in from a browser, and where to. It stands in front of the lab's API, whose owner
/// the page's session is, and lets nothing by that another site, another port of this machine or
/// another user could have sent. Thread-safe.
///
/// Asked of every request, in this order:
///   Host        must name this listener: a foreign name that resolves to 127.0.0.1 (DNS
///               rebinding) gets 421
///   /assets/    are the same for everybody; all else needs the session's cookie, or is told to
///               run `kin ui` (401)
///   Origin      and Sec-Fetch-Site, where the browser sends them, must be the page's own (403);
///               whatever changes something, and every WebSocket, must have an Origin
///   key         in the header X-Kin-Page, or, for a WebSocket, a ticket in the query that a POST
///               with the key got (403)
class Door {
public:
    struct Options {
        std::string lab_words;  ///< " --lab NAME" or "": to be said in advice
        std::span<const Asset> assets;
    };
    /// Serves a request that was let in, with the lab's authority.
    using Inside = std::function<void(http::Request&, http::Responder&)>;

    Door(Options options, Sessions& sessions, Inside inside);

    /// The port is part of the Host and Origin that are let in. Before requests come.
    void set_port(uint16_t port);
    void handle(http::Request& request, http::Responder& responder);

    /// Everything but what is inside: the answer to a request, or nothing if it is let in.
    std::optional<http::Response> answer(const http::Request& request);

private:
    bool is_own_host(std::string_view host) const;
    bool is_own_origin(const http::Request& request) const;
    /// The cookie that is ours and good; "" if there is none.
    std::string_view cookie_of(const http::Request& request) const;
    const Asset* find_asset(std::string_view path) const;
    http::Response asset(const Asset& found, const http::Request& request) const;
    http::Response filled(std::string_view page, int status, std::string_view what,
                          std::string_view with) const;
    http::Response closed(int status) const;
    http::Response login(const http::Request& request);

    const Options options_;
    Sessions& sessions_;
    const Inside inside_;
    uint16_t port_ = 0;
    std::string cookie_name_;
};

}  // namespace kin::web
