#pragma once

#include <optional>

#include "core/base/json.h"
#include "core/base/unique_fd.h"
#include "core/client/client.h"
#include "core/http/message.h"
#include "kin/cluster.h"
#include "netns/network/node_links.h"

namespace kin {

/// What a lab is beyond a cluster, below /kin/v1/ for its owner:
///   GET  /kin/v1/status          name, version, ports, hosts with the descriptor of their namespace
///   POST /kin/v1/stop            ends the lab in good order
///   POST /kin/v1/settle?timeout=MS  waits until every controller has acted on all that was written
/// handle() is thread-safe.
class LabDoor {
public:
    /// `links` is read here only.
    static Result<std::unique_ptr<LabDoor>> create(const ClusterOptions& options,
                                                   netns::NodeLinks& links, Client& client);

    std::optional<http::Response> handle(const http::Request& request);
    /// Once known; before requests are served.
    void set_api_port(uint16_t port) { status_["api_port"] = port; }
    /// Blocks until somebody asked to stop, here or at `stop_fd`.
    void wait_for_stop(int stop_fd) const;

private:
    LabDoor(Client& client, UniqueFd stop) : client_(client), stop_(std::move(stop)) {}

    Client& client_;
    UniqueFd stop_;
    Json status_;
};

}  // namespace kin
