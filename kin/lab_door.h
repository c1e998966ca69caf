#pragma once

#include <functional>
#include <optional>

#include "core/base/json.h"
#include "core/base/unique_fd.h"
#include "core/client/client.h"
#include "core/http/message.h"
#include "kin/cluster.h"
#include "netns/network/node_links.h"
#include "netns/router/published_ports.h"

namespace kin {

/// What a lab is beyond a cluster, below /kin/v1/ for its owner:
///   GET  /kin/v1/status          name, version, ports, hosts with the descriptor of their
///   namespace POST /kin/v1/stop            ends the lab in good order GET
///   /kin/v1/rules?namespace=NS&service=NAME&node=NODE&form=nftables|iptables|ipvs   as text POST
///   /kin/v1/settle?timeout=MS  waits until every controller has acted on all that was written
/// handle() is thread-safe.
class LabDoor {
public:
    /// `links` is read here only; the others outlive this object.
    static Result<std::unique_ptr<LabDoor>> create(const ClusterOptions& options,
                                                   netns::NodeLinks& links, Client& client,
                                                   const netns::PublishedPorts& published);

    std::optional<http::Response> handle(const http::Request& request);
    /// Who answers for rules; from any thread. Before requests are served.
    using Rules = std::function<Result<std::string>(const http::Query& query)>;
    void set_rules(Rules rules) { rules_ = std::move(rules); }
    /// Once known; before requests are served.
    void set_api_port(uint16_t port) { status_["api_port"] = port; }
    /// Blocks until somebody asked to stop, here or at `stop_fd`.
    void wait_for_stop(int stop_fd) const;

private:
    LabDoor(Client& client, const netns::PublishedPorts& published, UniqueFd stop)
        : client_(client), published_(published), stop_(std::move(stop)) {}

    Client& client_;
    const netns::PublishedPorts& published_;
    UniqueFd stop_;
    Json status_;
    Rules rules_;
};

}  // namespace kin
