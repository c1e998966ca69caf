#include "tests/bench/lab_requests.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <vector>

#include "core/base/json.h"
#include "core/base/strings.h"
#include "core/base/unique_fd.h"
#include "tests/bench/requests.h"
#include "tests/bench/stopwatch.h"

namespace kin::bench {
namespace {

std::string deployment(const std::string& name, int pods) {
    return to_text({{"apiVersion", "apps/v1"},
                    {"kind", "Deployment"},
                    {"metadata", {{"name", name}}},
                    {"spec",
                     {{"replicas", pods},
                      {"selector", {{"matchLabels", {{"app", name}}}}},
                      {"template",
                       {{"metadata", {{"labels", {{"app", name}}}}},
                        {"spec", {{"containers", {{{"name", "c"}, {"image", "nginx"}}}}}}}}}}});
}

constexpr const char* kDeployments = "/apis/apps/v1/namespaces/default/deployments";
constexpr const char* kPods = "/api/v1/namespaces/default/pods";

/// When the kernel commits rules of the namespace in which this was made.
class CommitWatch {
public:
    CommitWatch() : socket_(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER)) {
        const int group = NFNLGRP_NFTABLES;
        sockaddr_nl address{};
        address.nl_family = AF_NETLINK;
        if (!socket_.valid() ||
            ::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0 ||
            ::setsockopt(socket_.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) <
                0) {
            give_up("cannot hear of rules; start this by kin exec NODE");
        }
    }

    /// The time of the first commit not yet told.
    double next() {
        alignas(nlmsghdr) char buffer[65536];
        for (;;) {
            pollfd poll{socket_.get(), POLLIN, 0};
            if (::poll(&poll, 1, 5000) <= 0) give_up("no rule changed within 5 s");
            const double now = monotonic_ms();
            auto left = static_cast<int>(::recv(socket_.get(), buffer, sizeof buffer, 0));
            for (auto* message = reinterpret_cast<const nlmsghdr*>(buffer);
                 mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
                // The last message of a transaction tells the table's new generation.
                if (message->nlmsg_type == ((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWGEN))
                    return now;
            }
        }
    }

private:
    UniqueFd socket_;
};

}  // namespace

void await_nodes(const std::string& socket, int nodes) {
    const http::Client api(socket);
    const double deadline = monotonic_ms() + 30'000;
    while (!api.send("GET", "/readyz", {}, "")) {
        if (monotonic_ms() > deadline) give_up(cat(socket, " does not answer"));
        ::usleep(
            200);  // A small part of what is measured: nothing tells of a socket's first accept.
    }
    std::set<std::string> ready;
    watch(api, "/api/v1/nodes", [&](const std::string&, const Json& node) {
        for (const Json& condition : array_at(node, {"status", "conditions"})) {
            if (string_at(condition, {"type"}) == "Ready" &&
                string_at(condition, {"status"}) == "True") {
                ready.insert(string_at(node, {"metadata", "name"}));
            }
        }
        return ready.size() == static_cast<size_t>(nodes);
    });
}

void deploy(const std::string& socket, const std::string& name, int pods) {
    const http::Client api(socket);
    const Stopwatch stopwatch;
    send(api, "POST", kDeployments, deployment(name, pods));
    watch(api, cat(kDeployments, "?fieldSelector=metadata.name%3D", name),
          [&](const std::string&, const Json& object) {
              return int_at(object, {"status", "readyReplicas"}) == pods;
          });
    std::printf("%.1f\n", stopwatch.read().wall_ms);
}

void await_restart(const std::string& socket, const std::string& name, int pods, int restarts) {
    const http::Client api(socket);
    const Stopwatch stopwatch;
    std::set<std::string> ready;
    watch(api, cat(kPods, "?labelSelector=app%3D", name), [&](const std::string&, const Json& pod) {
        const Json& states = array_at(pod, {"status", "containerStatuses"});
        if (!states.empty() && bool_at(states[0], {"ready"}) &&
            int_at(states[0], {"restartCount"}) >= restarts) {
            ready.insert(string_at(pod, {"metadata", "name"}));
        }
        return ready.size() == static_cast<size_t>(pods);
    });
    std::printf("%.1f\n", stopwatch.read().wall_ms);
}

void remove(const std::string& socket, const std::string& name) {
    const http::Client api(socket);
    const Stopwatch stopwatch;
    std::set<std::string> pods;
    const std::string target = cat(kPods, "?labelSelector=app%3D", name);
    const Json list = send(api, "GET", target);
    for (const Json& pod : array_at(list, {"items"})) {
        pods.insert(string_at(pod, {"metadata", "name"}));
    }
    send(api, "DELETE", cat(kDeployments, '/', name));
    watch(api, target, [&](const std::string& type, const Json& pod) {
        if (type == "DELETED") pods.erase(string_at(pod, {"metadata", "name"}));
        return pods.empty();
    });
    std::printf("%.1f\n", stopwatch.read().wall_ms);
}

void change_endpoints(const std::string& socket, const std::string& service, int times) {
    const http::Client api(socket);
    CommitWatch commits;
    std::vector<double> answered_us, in_force_us;
    for (int turn = 0; turn < times; ++turn) {
        const Json patch{{"endpoints",
                          {{{"addresses", {cat("10.244.9.", 10 + turn % 200)}}},
                           {{"addresses", {"10.244.9.250"}}}}}};
        const double sent = monotonic_ms();
        send(api, "PATCH",
             cat("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/", service),
             to_text(patch), "application/merge-patch+json");
        const double answered = monotonic_ms();
        const double committed = commits.next();
        answered_us.push_back((answered - sent) * 1e3);
        in_force_us.push_back(std::max(0.0, committed - answered) * 1e3);
    }
    std::printf("%.0f %.0f %.0f %.0f\n", quantile(answered_us, 0.5), quantile(answered_us, 0.99),
                quantile(in_force_us, 0.5), quantile(in_force_us, 0.99));
}

}  // namespace kin::bench
