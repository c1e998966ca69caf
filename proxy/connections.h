#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/kernel/nft_netlink.h"
#include "proxy/compile.h"

namespace kin::proxy {

/// Connections by the endpoint that they were led to ("shop/web-0"), as ServicePort names it.
using Connections = std::map<std::string, uint64_t>;

/// The sets that count them.
std::vector<std::string> endpoint_sets();

/// What one node's sets have counted, ready to be looked up.
class EndpointCounts {
public:
    void add(const std::string& set, const std::vector<nft::Count>& counts);
    uint64_t at(const std::string& set, const nft::Key& key) const;

private:
    std::map<std::string, std::map<nft::Key, uint64_t>> sets_;
};

/// Adds to `into` what was led to the endpoints of one Service, by whichever of its addresses.
/// Ports with session affinity are not counted: their endpoints are rules. Pure.
void add_connections(const std::string& node, std::span<const ServicePort> ports,
                     const EndpointCounts& counts, Connections& into);

}  // namespace kin::proxy
