#pragma once

#include <map>
#include <string>

#include "controllers/in_flight.h"
#include "core/base/lifetime.h"
#include "core/client/client.h"
#include "core/loop/work_queue.h"

namespace kin::controllers {

/// Gives every Namespace what it always has (ServiceAccount default, ConfigMap kube-root-ca.crt),
/// and empties those that are being deleted: pods first, then all other kinds; when nothing is
/// left the Namespace itself may go.
class Namespaces {
public:
    /// `ca_certificate` is the PEM text by which pods know the API server.
    Namespaces(Client& client, std::string ca_certificate);

private:
    Result<> reconcile(const ObjectKey& key);
    void furnish(const std::string& ns);
    void empty(const Namespace& terminating);
    Client::Done answered(const ObjectKey& key);

    /// What a namespace holds, by kind and name: the uid, and whether it is already going.
    struct Content {
        std::string uid;
        bool deleting = false;
    };
    using Contents = std::map<const Kind*, std::map<std::string, Content>>;

    Client& client_;
    const std::string ca_certificate_;
    Cache<Namespace>& namespaces_;
    Cache<ServiceAccount>& accounts_;
    Cache<ConfigMap>& maps_;
    std::map<std::string, Contents> contents_;
    WorkQueue<ObjectKey> queue_;
    InFlight in_flight_{queue_};
    Lifetime lifetime_;  // Last: callbacks end before what they touch.
};

}  // namespace kin::controllers
