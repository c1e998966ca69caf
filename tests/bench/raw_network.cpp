#include "tests/bench/raw_network.h"

#include <unistd.h>

#include <string>
#include <vector>

#include "tests/bench/raw_links.h"
#include "tests/bench/stopwatch.h"

namespace kin::bench {
namespace {

constexpr uint32_t kPods = 0x0AF40000;   // 10.244.0.0
constexpr uint32_t kNodes = 0xAC1E0000;  // 172.30.0.0

std::vector<Host> make_nodes(int nodes) {
    std::vector<Host> out;
    for (int number = 1; number <= nodes; ++number) {
        out.push_back(make_host());
        write_to("/proc/sys/net/ipv4/ip_forward", "1");
    }
    return out;
}

}  // namespace

Cost lay_raw_links(int nodes) {
    const Stopwatch watch;
    const Host fabric = make_host();
    const Host router = make_host();
    const std::vector<Host> outside{make_host(), make_host()};
    const std::vector<Host> hosts = make_nodes(nodes);
    Batch batch;
    add_bridge(batch, "fabric", 100);
    set_up(batch, 100);
    batch.send(fabric.socket);
    const auto connect = [&batch](const Host& host, const Host& there, int bridge, int port,
                                  uint32_t address, uint32_t via) {
        add_veth(batch, "eth0", "port" + std::to_string(port), port, there.ns);
        set_up(batch, 1);
        add_address(batch, 2, address, 24);
        set_up(batch, 2);
        if (via != 0) add_route(batch, 2, 0, 0, via);
        batch.send(host.socket);
        set_up(batch, port, bridge);
        batch.send(there.socket);
    };
    connect(router, fabric, 100, 10, kNodes + 1, 0);
    add_bridge(batch, "outside", 100);
    set_up(batch, 100);
    add_address(batch, 100, 0xCB007101, 24);
    batch.send(router.socket);
    for (int i = 0; i < 2; ++i) {
        connect(outside[static_cast<size_t>(i)], router, 100, 11 + i,
                0xCB007102 + static_cast<uint32_t>(i), 0xCB007101);
    }
    for (int number = 1; number <= nodes; ++number) {
        const Host& node = hosts[static_cast<size_t>(number) - 1];
        connect(node, fabric, 100, 10 + number, kNodes + 1 + static_cast<uint32_t>(number),
                kNodes + 1);
        for (int other = 1; other <= nodes; ++other) {
            if (other == number) continue;
            add_route(batch, 2, kPods + (static_cast<uint32_t>(other) << 8), 24,
                      kNodes + 1 + static_cast<uint32_t>(other));
        }
        if (nodes > 1) batch.send(node.socket);
    }
    return watch.read();
}

Cost attach_raw_pods(int nodes, int pods) {
    const std::vector<Host> hosts = make_nodes(nodes);
    std::vector<int> held;
    const Stopwatch watch;
    Batch batch;
    for (int number = 0; number < pods; ++number) {
        const Host& node = hosts[static_cast<size_t>(number % nodes)];
        const uint32_t address = kPods + (static_cast<uint32_t>(number % nodes + 1) << 8) + 2 +
                                 static_cast<uint32_t>(number / nodes);
        const int link = 10 + number;
        const Host pod = make_host();
        held.push_back(pod.ns);
        add_veth(batch, "eth0", "veth" + std::to_string(number), link, node.ns);
        set_up(batch, 1);
        add_address(batch, 2, address, 32);
        set_up(batch, 2);
        add_route(batch, 2, 0, 0, kPods + 1);
        batch.send(pod.socket);
        ::close(pod.socket);
        set_up(batch, link);
        add_route(batch, link, address, 32, 0);
        batch.send(node.socket);
    }
    return watch.read();
}

}  // namespace kin::bench
