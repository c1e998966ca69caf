// random_verdicts WORLDS PACKETS: random clusters and what kin says of packets in them, a JSON line
// for each cluster, for the oracle that knows nothing of kin (oracle/compare.py).
#include <cstdio>

#include "core/base/strings.h"
#include "tests/policy/random_world.h"

namespace kin::policy {

namespace {
Json pod_json(const PolicyPod& pod) {
    Json ports = Json::array();
    for (const ContainerPort& port : pod.ports) {
        ports.push_back(
            {{"name", port.name}, {"port", port.port}, {"protocol", name_of(port.protocol)}});
    }
    return {{"namespace", pod.key.ns}, {"name", pod.key.name},
            {"labels", pod.labels},    {"node", pod.node},
            {"ports", ports},          {"address", pod.address.to_string()}};
}

Json cluster_json(const World& world) {
    Json out = {{"namespaces", world.namespaces}};
    for (const auto& [name, address] : world.nodes) out["nodes"][name] = address.to_string();
    for (const auto& [address, pod] : world.pods) out["pods"].push_back(pod_json(pod));
    return out;
}

Json line(RandomWorld& random, uint32_t packets) {
    const World world =
        random.world(3 + static_cast<int>(random.below(7)), 1 + static_cast<int>(random.below(5)));
    Json out = {{"cluster", cluster_json(world)}, {"policies", Json::array()}};
    for (const auto& [key, policy] : world.policies) out["policies"].push_back(*policy.object);
    for (uint32_t i = 0; i < packets; ++i) {
        const Packet packet = random.packet(world);
        const Judgement judgement = judge(world, packet);
        out["packets"].push_back({{"source", packet.source.to_string()},
                                  {"destination", packet.destination.to_string()},
                                  {"protocol", protocol_text(packet.l4)},
                                  {"port", packet.port},
                                  {"allowed", judgement.allowed()},
                                  {"why", judgement.to_string(world, packet)}});
    }
    return out;
}
}  // namespace

}  // namespace kin::policy

int main(int argc, char** argv) {
    using namespace kin;
    const auto worlds = parse_number<uint32_t>(argc == 3 ? argv[1] : "");
    const auto packets = parse_number<uint32_t>(argc == 3 ? argv[2] : "");
    if (!worlds || !packets) {
        std::fprintf(stderr, "random_verdicts WORLDS PACKETS\n");
        return 2;
    }
    for (uint32_t seed = 0; seed < *worlds; ++seed) {
        policy::RandomWorld random(seed);
        std::printf("%s\n", policy::line(random, *packets).dump().c_str());
    }
    return 0;
}
