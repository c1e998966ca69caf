#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/kernel/nft_netlink.h"
#include "proxy/compile.h"

namespace kin::proxy {

/// In which form a Service's rules are shown. The others are what kube-proxy would write in its
/// modes iptables and ipvs, for comparison; kin's node holds the first.
enum class Form { kNftables, kIptables, kIpvs };

/// What a node's sets have counted, by the set's name.
using Counts = std::map<std::string, std::vector<nft::Count>>;

/// The sets of which explain() wants to know the counts.
std::vector<std::string> counted_sets();

/// A Service's rules on one node in words and numbers, for people. Pure. `ports` are those of one
/// Service; none: it has no rules, and the text says why that may be.
std::string explain(const Network& network, std::span<const ServicePort> ports,
                    const Counts& counts);

/// As `iptables-save -t nat` of a node in mode iptables would show it (chain names are the real
/// ones: SHA-256 of port name and protocol, RFC 4648 base32, 16 characters).
std::string explain_iptables(const Network& network, std::span<const ServicePort> ports);
/// As `ipvsadm -Ln` would show it.
std::string explain_ipvs(const Network& network, std::span<const ServicePort> ports);

}  // namespace kin::proxy
