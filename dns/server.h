#pragma once

#include <atomic>
#include <map>
#include <memory>

#include "core/client/client.h"
#include "core/contracts/namespaces.h"
#include "core/loop/loop.h"
#include "dns/publisher.h"
#include "dns/sockets.h"

namespace kin::dns {

/// The cluster's DNS: what runs inside the coredns pods. Follows Services and EndpointSlices on the
/// client's loop, answers on the data loop, through sockets opened in the pods' namespaces.
/// Create before Client::start() and destroy before the client, on neither loop's thread.
class Server : public PodService {
public:
    Server(Loop& data, Client& client, Namespaces& namespaces, ZoneOptions options = {});
    ~Server() override;

    /// Opens port 53, UDP and TCP, and 9153 for metrics, inside the pod and answers there.
    Result<> start(const Instance& instance) override;
    void stop(const ObjectKey& pod) override;
    /// Answers for the names of the world outside on port 53 of an outside host. On the client's
    /// loop.
    Result<> serve_outside(const std::string& host, Ipv4 address);

private:
    /// What the data loop owns.
    struct Served;

    Loop& data_;
    Client& client_;
    Namespaces& namespaces_;
    std::unique_ptr<Served> served_;
    std::atomic<int> on_their_way_ = 0;     // Zones posted and not yet answered from.
    std::unique_ptr<Publisher> publisher_;  // Lives and dies on the client's loop.
};

}  // namespace kin::dns
