#include "web/page.h"

#include "core/base/strings.h"
#include "core/http/listeners.h"

namespace kin::web {

struct Page::Parts {
    Parts(Loop& streams, Loop& control, TopologyFeed& feed, Options options)
        : sessions(cat(options.secret, "\nport ", options.port)),
          stream(streams, control, feed, std::move(options.stream)),
          api(std::move(options.api)),
          door(std::move(options.door), sessions,
               [this](http::Request& request, http::Responder& responder) {
                   serve(request, responder);
               }) {}

    void serve(http::Request& request, http::Responder& responder) {
        if (request.raw_path != "/kin/v1/stream") return api(request, responder);
        if (auto refused = stream.accept(request, responder)) responder.send(std::move(*refused));
    }

    Sessions sessions;
    Stream stream;
    const Door::Inside api;
    Door door;
    uint16_t port = 0;
    std::unique_ptr<http::Server> server;  // Last: its workers use all of the above.
};

Page::Page(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Page::~Page() = default;

Result<std::unique_ptr<Page>> Page::start(Loop& streams, Loop& control, TopologyFeed& feed,
                                          Options options) {
    TRY_ASSIGN(auto listening, http::listen_on_loopback(options.port));
    options.port = listening.port;
    auto parts = std::make_unique<Parts>(streams, control, feed, std::move(options));
    http::Server::Options http_options;
    http_options.name = "kin-page";
    http_options.workers = 4;
    http_options.max_connections = 512;
    Parts* const all = parts.get();
    parts->port = listening.port;
    parts->door.set_port(listening.port);
    TRY_ASSIGN(parts->server,
               http::Server::create(std::move(http_options),
                                    [all](http::Request& request, http::Responder& responder) {
                                        all->door.handle(request, responder);
                                    }));
    TRY(parts->server->adopt(std::move(listening.fd), nullptr));
    return std::unique_ptr<Page>(new Page(std::move(parts)));
}

uint16_t Page::port() const { return parts_->port; }

std::string Page::new_link() {
    return cat("http://127.0.0.1:", parts_->port, "/login?code=", parts_->sessions.new_code());
}

}  // namespace kin::web
