#include "tests/bench/bridged_pods.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

#include "tests/bench/raw_links.h"

namespace kin::bench {
namespace {

constexpr uint32_t kNodes = 0xAC1E0000;  // 172.30.0.0
constexpr uint32_t kPods = 0x0AF40000;   // 10.244.0.0
constexpr int kBridge = 100;
constexpr int kFirstPort = 10;

uint32_t pods_of(uint32_t node) { return kPods + (node << 8); }

/// Frames stay out of the IP hooks, as cheap as bridges can be.
void keep_bridges_plain() { write_to("/proc/sys/net/bridge/bridge-nf-call-iptables", "0"); }

Host make_node(Batch& batch, uint32_t number, const Host& fabric) {
    const Host node = make_host();
    write_to("/proc/sys/net/ipv4/ip_forward", "1");
    keep_bridges_plain();
    const int port = kFirstPort + static_cast<int>(number);
    add_veth(batch, "eth0", "port" + std::to_string(number), port, fabric.ns);
    add_address(batch, 2, kNodes + number, 24);
    set_up(batch, 1);
    set_up(batch, 2);
    add_bridge(batch, "cni0", kBridge);
    add_address(batch, kBridge, pods_of(number) + 1, 24);
    set_up(batch, kBridge);
    const uint32_t other = 3 - number;
    add_route(batch, 2, pods_of(other), 24, kNodes + other);
    batch.send(node.socket);
    set_up(batch, port, kBridge);
    batch.send(fabric.socket);
    return node;
}

/// `host` is the last part of its address.
Host make_pod(Batch& batch, const Host& node, uint32_t number, uint32_t host) {
    const Host pod = make_host();
    const int port = kFirstPort + static_cast<int>(host);
    add_veth(batch, "eth0", "veth" + std::to_string(host), port, node.ns);
    set_up(batch, 1);
    add_address(batch, 2, pods_of(number) + host, 24);
    set_up(batch, 2);
    add_route(batch, 2, 0, 0, pods_of(number) + 1);
    batch.send(pod.socket);
    set_up(batch, port, kBridge);
    batch.send(node.socket);
    return pod;
}

/// A process that waits in the namespace and ends with its parent, which goes there as well.
pid_t hold(const Host& pod) {
    checked(::setns(pod.ns, CLONE_NEWNET), "setns");
    const pid_t parent = ::getpid();
    const pid_t child = checked(::fork(), "fork");
    if (child != 0) return child;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) std::_Exit(1);
    for (;;) ::pause();
}

using Held = std::array<pid_t, 3>;

Held build() {
    leave_host();
    Batch batch;
    const Host fabric = make_host();
    keep_bridges_plain();
    add_bridge(batch, "fabric", kBridge);
    set_up(batch, kBridge);
    batch.send(fabric.socket);
    const Host near = make_node(batch, 1, fabric);
    const Host far = make_node(batch, 2, fabric);
    const Host client = make_pod(batch, near, 1, 2);
    const Host neighbour = make_pod(batch, near, 1, 3);
    const Host far_pod = make_pod(batch, far, 2, 2);
    make_pod(batch, far, 2, 3);
    return {hold(client), hold(neighbour), hold(far_pod)};
}

}  // namespace

BridgedPods make_bridged_pods() {
    int ends[2];
    checked(::pipe(ends), "pipe");
    const pid_t parent = ::getpid();
    if (checked(::fork(), "fork") == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) std::_Exit(1);
        const Held held = build();
        checked(static_cast<int>(::write(ends[1], held.data(), sizeof held)), "write");
        for (;;) ::pause();
    }
    ::close(ends[1]);
    Held held{};
    const ssize_t got = ::read(ends[0], held.data(), sizeof held);
    ::close(ends[0]);
    if (got != sizeof held) std::exit(1);  // The child has said why.
    return {held[0], held[1], held[2], "10.244.1.3", "10.244.2.2"};
}

}  // namespace kin::bench
