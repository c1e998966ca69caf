#pragma once

#include <cstdint>

#include "core/kernel/nft.h"

/// What the sets, maps and chains of table kube-proxy are called, and by what they are keyed.
/// Where they mean the same as upstream's nftables mode, they have its names.
namespace kin::proxy {

inline constexpr char kServiceIps[] = "service-ips";
inline constexpr char kEndpoints[] = "endpoints";
inline constexpr char kServiceNodePorts[] = "service-nodeports";
inline constexpr char kNodePortEndpoints[] = "nodeport-endpoints";
inline constexpr char kLocalServiceIps[] = "local-service-ips";
inline constexpr char kLocalEndpoints[] = "local-endpoints";
inline constexpr char kLocalNodePorts[] = "local-service-nodeports";
inline constexpr char kLocalNodePortEndpoints[] = "local-nodeport-endpoints";
inline constexpr char kNoEndpointServices[] = "no-endpoint-services";
inline constexpr char kNoEndpointNodePorts[] = "no-endpoint-nodeports";
inline constexpr char kFirewallIps[] = "firewall-ips";
inline constexpr char kClusterIps[] = "cluster-ips";
inline constexpr char kNodePortIps[] = "nodeport-ips";
inline constexpr char kHairpin[] = "hairpin-connections";

inline constexpr char kRejectChain[] = "reject-chain";
inline constexpr char kDropChain[] = "drop-chain";

/// The bit of a packet's mark that asks for the node's address as its source.
inline constexpr uint32_t kMasqueradeBit = 0x4000;

inline const nft::Fields kByAddress{nft::kDestinationAddress, nft::kProtocol,
                                    nft::kDestinationPort};
inline const nft::Fields kByNodePort{nft::kProtocol, nft::kDestinationPort};

/// The key of an endpoint is its Service's and its number. A map's own modulus means nothing:
/// chains look it up with draws of their own.
inline nft::Fields drawn(nft::Fields fields, uint32_t endpoints) {
    fields.push_back(nft::random_mod(endpoints));
    return fields;
}

}  // namespace kin::proxy
