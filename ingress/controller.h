#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "core/base/lifetime.h"
#include "core/client/service_slices.h"
#include "core/contracts/namespaces.h"
#include "core/loop/debounce.h"
#include "ingress/compile.h"
#include "ingress/names.h"
#include "ingress/proxy.h"
#include "ingress/statuses.h"

namespace kin::ingress {

/// The Service in front of the controller's pods, whose address Ingresses show.
const ObjectKey& controller_service();

/// The ingress controller: what runs inside the pods of ingress-nginx-controller. Follows the API,
/// hands routes to the proxy, and says on each Ingress of its classes what became of it: an address
/// in its status, Events. Without such a pod nothing of this happens.
///
/// Lives on the client's loop; construct it there before Client::start(), destroy it there.
class Controller : public PodService {
public:
    /// `namespaces` outlives this object, and so does `proxy` until close().
    Controller(Client& client, Namespaces& namespaces, Proxy& proxy);

    Result<> start(const Instance& instance) override;
    void stop(const ObjectKey& pod) override;
    /// The lab ends: from now on nothing is done, least of all to the proxy.
    void close();

private:
    void follow(Client& client);
    Objects objects();
    Names::Cluster names_in_cluster();
    Result<UniqueFd> connect_to_dns();
    void on_ingress(const CacheChange<Ingress>& change);
    void mark(std::set<ObjectKey>& changed, const ObjectKey& key);
    Result<> update();
    void compile();
    void look_at_touched();
    void expect_findings();
    void tell_findings();
    void greet(const Ingress& ingress);
    void record(const Ingress& ingress, std::string_view type, std::string reason,
                std::string message);

    Client& client_;
    Namespaces& namespaces_;
    Proxy& proxy_;
    Cache<Ingress>& ingresses_;
    Cache<IngressClass>& classes_;
    Cache<Service>& services_;
    Cache<Secret>& secrets_;
    ServiceSlices slices_;
    Names names_;
    Compiler compiler_;
    Changes changes_;              // Since the last compile().
    std::set<ObjectKey> touched_;  // Ingresses that have not been greeted and given a status since.
    Statuses statuses_;
    std::map<ObjectKey, Instance> pods_;
    std::map<ObjectKey, std::pair<std::string, int64_t>> greeted_;  // uid, generation
    std::set<Finding> told_;                                        // As Events.
    bool closed_ = false;
    Timer telling_;
    Debounce work_;
    Lifetime lifetime_;  // Last: callbacks end before what they touch.
};

}  // namespace kin::ingress
