#pragma once

#include <random>
#include <string>

#include "policy/evaluate.h"
#include "policy/world.h"

namespace kin::policy {

/// Small clusters of which every part is drawn: few labels, ports and addresses, so that most
/// policies matter for some packet.
class RandomWorld {
public:
    explicit RandomWorld(uint32_t seed) : random_(seed) {}

    World world(int pods, int policies);
    PolicyPod pod(Ipv4 address);
    NetworkPolicy network_policy(const std::string& name);
    Labels labels();
    Packet packet(const World& world);

    uint32_t below(uint32_t limit) { return random_() % limit; }
    bool one_in(uint32_t n) { return below(n) == 0; }

private:
    Json selector();
    Json peer();
    Json port();
    Json rules(const char* peers);
    Ipv4 some_address(const World& world);

    std::mt19937 random_;
    uint64_t next_uid_ = 0;
};

/// Pods 0-9 have 10.244.0.2 and so on, on node-1, -2 and -3 in turn.
Ipv4 pod_address(uint32_t number);

}  // namespace kin::policy
