#pragma once

#include <optional>
#include <string>

#include "core/client/client.h"
#include "core/http/message.h"
#include "policy/enforcer.h"
#include "policy/prober.h"

namespace kin {

/// A dropped packet for programs.
Json drop_json(const policy::Drop& drop);

/// What a lab tells of its NetworkPolicies below /kin/v1/:
///   GET flows?after=N                                   packets that were dropped, and why
///   GET check?namespace=NS&from=POD&to=WHAT&protocol=P  what the policies say, and what happens
///   GET matrix?namespace=NS                             the same for all pairs of pods
///   GET reach?pod=NS/NAME                               whom it may reach by the policies, and who
///                                                       may reach it; nothing is tried
/// Thread-safe, but not from the control thread.
class PolicyDoor {
public:
    /// All of them outlive this object.
    PolicyDoor(Client& client, policy::Enforcer& enforcer, Namespaces& namespaces)
        : client_(client), enforcer_(enforcer), prober_(client.loop(), namespaces, enforcer) {}

    http::Response flows(const http::Request& request);
    http::Response check(const http::Request& request);
    http::Response matrix(const http::Request& request);
    http::Response reach(const http::Request& request);

private:
    struct Target;
    using End = std::pair<Ipv4, uint16_t>;
    // On the control thread.
    Result<const Pod*> find_pod(const std::string& name, const std::string& ns) const;
    Result<Target> find_target(const std::string& text, const Pod& from, const std::string& ns,
                               nft::L4 l4) const;
    Result<Target> address_target(Ipv4 address, uint16_t port, nft::L4 l4,
                                  const std::string& from_node) const;
    std::vector<End> ends_behind(const Service& service, const ServicePort& port) const;
    Result<Target> service_target(const Service& service, const std::string& port,
                                  nft::L4 l4) const;
    Result<policy::Attempt> attempt(const http::Query& query, std::string& title) const;
    Result<Json> reach_of(const Pod& pod) const;
    /// Tries all of them and waits for it.
    Result<std::vector<policy::Outcome>> probe(
        const std::function<Result<std::vector<policy::Attempt>>()>& prepare);

    Client& client_;
    policy::Enforcer& enforcer_;
    policy::Prober prober_;
};

}  // namespace kin
