#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "core/base/strings.h"
#include "netns/network/node_links.h"
#include "netns/network/pod_networks.h"
#include "tests/bench/stopwatch.h"

namespace kin::bench {
namespace {

/// The network that `kin up` would make: KIN_CNI, KIN_OVERLAY.
netns::NetworkShape shape_of_environment() {
    netns::NetworkShape shape;
    const auto named = [](const char* name) {
        const char* value = std::getenv(name);
        return std::string_view(value ? value : "");
    };
    if (const auto* chosen = netns::find_attachment(named("KIN_CNI"))) shape.attachment = chosen;
    if (const auto* chosen = netns::find_overlay(named("KIN_OVERLAY"))) shape.overlay = chosen;
    return shape;
}

}  // namespace

Cost attach_own_pods(int nodes, int pods) {
    const auto give_up = [](const Error& error) {
        std::fprintf(stderr, "kin_bench: %s\n", error.text().c_str());
        std::exit(1);
    };
    if (const auto left = netns::leave_host_network(); !left) give_up(left.error());
    const auto links = netns::NodeLinks::create(shape_of_environment(), netns::first_nodes(nodes));
    if (!links) give_up(links.error());
    netns::PodNetworks networks(**links);
    const Stopwatch watch;
    for (int number = 0; number < pods; ++number) {
        const auto attached =
            networks.attach(cat("pod-", number), netns::node_name(number % nodes + 1), Ipv4{});
        if (!attached) give_up(attached.error());
    }
    return watch.read();
}

}  // namespace kin::bench
