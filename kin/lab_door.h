#pragma once

#include <functional>
#include <map>
#include <optional>

#include "core/base/guarded.h"
#include "core/base/json.h"
#include "core/base/unique_fd.h"
#include "core/client/client.h"
#include "core/http/message.h"
#include "kin/cluster.h"
#include "kin/lab_nodes.h"
#include "netns/network/node_links.h"
#include "netns/router/published_ports.h"

namespace kin {

/// What a lab is beyond a cluster, below /kin/v1/ for its owner:
///   GET     status             name, version, ports, hosts with their namespace's descriptor
///   GET     flows, check, matrix, reach, network, elements: see policy_door.h, kernel_door.h
///   GET     hosts/NAME/exec?command=C&tty=true...  a command in a host's network, as exec in a
///           pod; the API serves it
///   GET     rules?namespace=NS&service=NAME&node=NODE&form=nftables|iptables|ipvs   as text
///   GET     save               the whole lab as the bytes of one file
///   POST    settle?timeout=MS  waits until every controller has acted on all that was written
///   POST    nodes              adds a node; answers with its name
///   DELETE  nodes/NAME         takes it out
///   POST    ui                 a link that opens the page, once
///   POST    stop               ends the lab in good order
/// handle() is thread-safe.
class LabDoor {
public:
    /// What it answers for; all of them outlive this object.
    struct Parts {
        Client& client;
        netns::NodeLinks& links;  ///< Read on the client's loop.
        const netns::PublishedPorts& published;
        LabNodes& nodes;
    };
    static Result<std::unique_ptr<LabDoor>> create(const ClusterOptions& options,
                                                   const Parts& parts);

    std::optional<http::Response> handle(const http::Request& request);
    /// Who answers for rules; from any thread. Before requests are served.
    using Rules = std::function<Result<std::string>(const http::Query& query)>;
    void set_rules(Rules rules) { rules_ = std::move(rules); }
    /// Who answers GETs of /kin/v1/WHAT; as set_rules().
    using Page = std::function<http::Response(const http::Request& request)>;
    void add_page(const std::string& what, Page page) { pages_[what] = std::move(page); }
    /// Once known. Thread-safe.
    void set_api_port(uint16_t port);
    /// The page's port, and who makes links that open it: called on any thread, and not any more
    /// once forget_page() has returned. Thread-safe.
    void set_page(uint16_t port, std::function<std::string()> new_link);
    void forget_page();
    /// Blocks until somebody asked to stop, here or at `stop_fd`.
    void wait_for_stop(int stop_fd) const;

private:
    LabDoor(LabPaths paths, const Parts& parts, UniqueFd stop)
        : paths_(std::move(paths)), parts_(parts), stop_(std::move(stop)) {}

    http::Response status() const;
    http::Response save() const;
    http::Response rules(const http::Request& request) const;
    http::Response stop() const;
    http::Response new_link() const;
    http::Response settle(const http::Request& request) const;
    http::Response add_node() const;
    http::Response remove_node(const std::string& name) const;

    const LabPaths paths_;
    const Parts parts_;
    UniqueFd stop_;
    /// What becomes known while requests are served already.
    struct Known {
        Json status;
        std::function<std::string()> new_link;
    };
    Guarded<Known> known_;
    Rules rules_;
    std::map<std::string, Page> pages_;
};

}  // namespace kin
