#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "core/api/object_key.h"
#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "core/loop/loop.h"
#include "ingress/dns_message.h"

namespace kin::ingress {

/// The addresses behind Services of type ExternalName: asked of the cluster's DNS from inside a pod
/// of the controller, as ingress-nginx does, and again when they are no longer valid. A name is
/// tried with the pod's search domains first. Owned by the loop's thread.
class Names {
public:
    struct Cluster {
        /// A UDP socket inside the controller's pod, connected to the DNS server.
        std::function<Result<UniqueFd>()> connect;
        /// The pod's search domains.
        std::vector<std::string> search;
        /// Whether this Service still stands for this name, for an Ingress of ours.
        std::function<bool(const ObjectKey& service, const std::string& name)> wanted;
        /// Its addresses are others now.
        std::function<void(const ObjectKey& service)> changed;
    };
    struct Times {
        std::chrono::milliseconds answer{1'000};  ///< per question, which is asked twice
        std::chrono::milliseconds again{1'000};   ///< until a name without addresses is asked for
        std::chrono::milliseconds shortest{1'000}, longest{30'000};  ///< whatever the TTL says
    };
    Names(Loop& loop, Cluster cluster) : Names(loop, std::move(cluster), Times{}) {}
    Names(Loop& loop, Cluster cluster, Times times);
    ~Names();

    /// What is known of `name` now; asks for it from now on, for this Service.
    std::vector<Ipv4> find(const ObjectKey& service, const std::string& name);

private:
    struct Name;
    void ask(Name& name);
    void ask_next(Name& name);
    void send(Name& name);
    void receive(Name& name);
    void no_answer(Name& name);
    void ask_later(Name& name);
    void learn(Name& name, std::vector<Ipv4> addresses, std::chrono::milliseconds valid);

    Loop& loop_;
    const Cluster cluster_;
    const Times times_;
    std::map<std::string, std::unique_ptr<Name>> names_;
    std::mt19937 random_{std::random_device{}()};
};

/// Whether an Ingress may lead to this address. Not to what is this machine's, a link's or nobody's
/// own: an address by which the proxy would reach itself. Pure.
bool is_outside(Ipv4 address);

}  // namespace kin::ingress
