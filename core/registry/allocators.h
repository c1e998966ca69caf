#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/object_key.h"
#include "core/api/status.h"
#include "core/base/ip.h"
#include "core/base/json.h"
#include "core/registry/registry.h"

namespace kin {

/// Which cluster IPs and node ports the stored Services hold. Owned by the store's writer thread:
/// an address is chosen and written in one piece of work, so two Services never get the same.
class ServiceAllocators {
public:
    explicit ServiceAllocators(const Registry::Options& options) : options_(options) {}

    /// Forgets all and reads the stored Services again: at start, and after a failed commit.
    void rebuild(const Store& store);

    /// Gives `service` the addresses and ports that its type needs and it does not have, and takes
    /// note of all that it holds. On failure nothing is noted. `old` is the stored Service or
    /// nullptr. With DryRun::kYes values are chosen but not noted.
    Answer<Ok> allocate(Json& service, const Json* old, DryRun dry_run);
    void release(const Json& service);

private:
    Answer<Ok> choose_cluster_ip(Json& service, const ObjectKey& key);
    Answer<Ok> choose_node_ports(Json& service, const ObjectKey& key);
    std::optional<Ipv4> free_ip();
    Answer<Ok> choose_health_check_port(Json& service, const ObjectKey& key,
                                        std::set<uint16_t> just_taken);
    /// Why a Service may not have a port; nullopt: it may.
    std::optional<std::string> why_not(int64_t number, const ObjectKey& key,
                                       const std::set<uint16_t>& just_taken) const;
    std::optional<uint16_t> free_port(const std::set<uint16_t>& just_taken);
    void note(const Json& service);

    const Registry::Options& options_;
    std::map<Ipv4, ObjectKey> ips_;
    std::map<uint16_t, ObjectKey> ports_;  ///< node ports, of whatever protocol
    std::mt19937 random_{std::random_device{}()};
};

/// Gives a Service its address families: those of its addresses, those it has, or IPv4. Pure.
void choose_families(Json& service, const Json* old);

/// What an update of a Service takes from the stored one: addresses and ports that the caller left
/// out, and clearing what the new type no longer uses. Pure.
void carry_over_service(const Json& old, Json& service);

}  // namespace kin
