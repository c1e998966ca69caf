#include "kin/cluster.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "apiserver/server.h"
#include "controllers/daemon_sets.h"
#include "controllers/deployments.h"
#include "controllers/endpoint_slices.h"
#include "controllers/garbage_collector.h"
#include "controllers/namespaces.h"
#include "controllers/node_subnets.h"
#include "controllers/replica_sets.h"
#include "controllers/scheduler.h"
#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/client/client.h"
#include "core/loop/loop.h"
#include "core/registry/registry.h"
#include "core/store/store.h"
#include "kin/bootstrap.h"
#include "kin/lab_door.h"
#include "kin/pki.h"
#include "kin/version.h"
#include "netns/network/node_links.h"
#include "netns/network/pod_networks.h"
#include "netns/pod/node_agent.h"

namespace kin {

namespace {
/// Runs `task` on the loop and gives what it returned.
Result<> call(Loop& loop, const std::function<Result<>()>& task) {
    Result<> result = Ok{};
    loop.call([&] { result = task(); });
    return result;
}

/// The lab's standing network, made on the control thread, which leaves the host's for good.
struct Network {
    std::unique_ptr<netns::NodeLinks> links;
    std::unique_ptr<netns::PodNetworks> pods;
};

Result<Network> create_network(Loop& control, int nodes) {
    Network network;
    TRY(call(control, [&]() -> Result<> {
        TRY(netns::leave_host_network());
        TRY_ASSIGN(network.links, netns::NodeLinks::create(netns::AddressPlan{}, nodes));
        network.pods = std::make_unique<netns::PodNetworks>(*network.links);
        return Ok{};
    }));
    return network;
}

/// Those that turn objects into objects. Made and ended on the control thread.
struct Controllers {
    Controllers(Client& client, const netns::AddressPlan& addresses, const std::string& ca)
        : subnets(client, addresses.pods),
          namespaces(client, ca),
          garbage_collector(client),
          scheduler(client),
          replica_sets(client),
          deployments(client),
          daemon_sets(client),
          endpoint_slices(client) {}

    controllers::NodeSubnets subnets;
    controllers::Namespaces namespaces;
    controllers::GarbageCollector garbage_collector;
    controllers::Scheduler scheduler;
    controllers::ReplicaSets replica_sets;
    controllers::Deployments deployments;
    controllers::DaemonSets daemon_sets;
    controllers::EndpointSlices endpoint_slices;
};

std::string ready_text(const ClusterOptions& options, uint16_t port) {
    std::string text = cat("\u2713 ", options.nodes, options.nodes == 1 ? " node" : " nodes",
                           " Ready, Kubernetes API v1.35 at https://127.0.0.1:", port, '\n');
    if (options.api_port != 0 && port != options.api_port) {
        text += cat("  (port ", options.api_port, " was taken)\n");
    }
    const std::string lab =
        options.paths.name == "kin" ? std::string() : cat(" --lab ", options.paths.name);
    return cat(text, "\u2713 kubeconfig: ", options.paths.kubeconfig(),
               "\n\n  export KUBECONFIG=", options.paths.kubeconfig(),
               "\n  kin kubectl", lab, " get pods -A      (or your own kubectl)\n");
}
}  // namespace

Result<> run_cluster(const ClusterOptions& options, netns::ServerContext& context) {
    const LabPaths& paths = options.paths;
    TRY_ASSIGN(const Pki pki, load_or_create_pki(paths.data + "/pki"));
    TRY(write_private_file(paths.data + "/lab.json", to_text({{"nodes", options.nodes}})));
    TRY_ASSIGN(const auto store, Store::open({.path = paths.database()}));
    Registry registry(*store, {});  // what the API promises, below HTTP
    TRY(bootstrap(registry));       // what every cluster has
    Loop streams("kin-streams");    // watches, exec, logs
    Loop control("kin-control");    // informers, controllers, every kernel write
    TRY_ASSIGN(Network network, create_network(control, options.nodes));
    Client client(registry, control);  // how all that follows sees the cluster
    const apiserver::Authenticator tokens(pki.token_secret);
    std::unique_ptr<netns::Containers> containers;
    std::unique_ptr<netns::NodeAgent> agent;
    std::unique_ptr<Controllers> controllers;
    TRY(call(control, [&]() -> Result<> {
        TRY_ASSIGN(containers, netns::Containers::create(context.take_init_socket()));
        netns::NodeAgent::Options agent_options;
        agent_options.data_directory = paths.data;
        agent_options.version = kVersion;
        agent_options.tokens = [&tokens](const netns::TokenRequest& request) -> Result<std::string> {
            return tokens.service_account_token(request.service_account.ns, request.service_account.name);
        };
        agent = std::make_unique<netns::NodeAgent>(client, streams, *containers, *network.links,
                                                   *network.pods, std::move(agent_options));
        controllers = std::make_unique<Controllers>(client, network.links->addresses(),
                                                    pki.ca.certificate_pem);
        return Ok{};
    }));
    TRY(client.start());
    control.call([&] { agent->register_nodes(); });

    TRY_ASSIGN(const auto door, LabDoor::create(options, *network.links, client));
    apiserver::ApiServer::Options api_options;
    api_options.socket_path = paths.socket();
    api_options.tls_port = options.api_port;
    api_options.server = pki.server;
    api_options.client_ca_pem = pki.ca.certificate_pem;
    api_options.token_secret = pki.token_secret;
    LabDoor* const lab = door.get();
    api_options.lab = [lab](const http::Request& request) { return lab->handle(request); };
    TRY_ASSIGN(auto api, apiserver::ApiServer::start(registry, streams, agent.get(), api_options));
    door->set_api_port(api->tls_port());
    TRY(write_private_file(paths.kubeconfig(),
                           kubeconfig_text(paths.name, api->tls_port(), pki)));
    std::string why;
    if (!client.settle(10'000, &why)) log_warn("kin", "start goes on", {{"busy", why}});
    context.notify_ready(ready_text(options, api->tls_port()));
    door->wait_for_stop(context.stop_fd());
    api.reset();
    control.call([&] {
        controllers.reset();
        agent.reset();
        containers.reset();
        network.pods.reset();
        network.links.reset();
    });
    return Ok{};
}

}  // namespace kin
