#pragma once

#include <map>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/kernel/conntrack.h"
#include "proxy/service_port.h"

namespace kin::proxy {

/// Which UDP flows the rules have outlived. A connection is translated once, when it begins; UDP
/// has no beginning, so whoever sends from the same port again and again would stay with an
/// endpoint that is gone (or with none, if it began when there was none). TCP connections find out
/// by themselves and are left alone. Pure.
class StaleFlows {
public:
    /// From now on the Service called `owner` has these ports; none: it is gone.
    void set(const std::string& owner, std::span<const ServicePort> ports);
    /// Since the last clear(), some flow may have become stale.
    bool any() const { return !touched_.empty(); }
    void clear() { touched_.clear(); }

    enum class Scope {
        kTouched,  ///< Only addresses that set() changed since the last clear().
        kAll,
    };
    bool is_stale(const Flow& flow, Ipv4 node_address, Scope scope) const;

private:
    /// Where clients send to. The node's own address, for node ports, is 0.0.0.0.
    using Front = std::pair<Ipv4, uint16_t>;
    using Endpoints = std::set<std::pair<Ipv4, uint16_t>>;

    std::unordered_map<std::string, std::vector<Front>> owned_;
    std::map<Front, Endpoints> fronts_;
    std::set<Front> touched_;
};

}  // namespace kin::proxy
