#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/guarded.h"
#include "core/base/lifetime.h"
#include "core/client/service_slices.h"
#include "core/loop/debounce.h"
#include "netns/network/node_links.h"
#include "netns/router/published_plan.h"

namespace kin::netns {

/// Leads ports of the host's 127.0.0.1 to Services, so that a browser or curl beside the lab
/// reaches what the outside host `client` reaches. Nothing of the host's network changes: these are
/// sockets of kin's own, joined to sockets in the router's namespace. A port that cannot be had is
/// tried again every few seconds. With externalTrafficPolicy Local a node port is asked by way of
/// a node that has an endpoint.
///
/// Lives on the client's loop (the control thread); construct it there before Client::start() and
/// destroy it there. The data loop, born in the host's network, holds the host's sockets.
class PublishedPorts {
public:
    /// `links` and `data` outlive this object.
    PublishedPorts(Client& client, Loop& data, NodeLinks& links);
    ~PublishedPorts();

    struct Published {
        Publication what;
        uint16_t host_port = 0;  ///< 0: no port could be had, see `error`
        std::string error;
    };
    /// Thread-safe.
    std::vector<Published> list() const;
    /// Called on the data loop with each new list, until this object ends. Set it before
    /// Client::start().
    void on_change(std::function<void(const std::vector<Published>&)> changed);

private:
    class Doors;
    Result<> update();

    Loop& data_;
    NodeLinks& links_;
    Cache<Service>& services_;
    Cache<Node>& nodes_;
    ServiceSlices slices_;
    std::shared_ptr<Doors> doors_;
    Debounce work_;
    Lifetime lifetime_;  // Last: callbacks end before what they touch.
};

}  // namespace kin::netns
