#include "kin/cluster.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <future>

#include "apiserver/server.h"
#include "controllers/controllers.h"
#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/client/client.h"
#include "core/loop/loop.h"
#include "core/registry/registry.h"
#include "core/store/store.h"
#include "dns/outside.h"
#include "dns/server.h"
#include "ingress/controller.h"
#include "ingress/proxy_server.h"
#include "kin/kernel_door.h"
#include "kin/lab_door.h"
#include "kin/lab_nodes.h"
#include "kin/pki.h"
#include "kin/policy_door.h"
#include "kin/version.h"
#include "netns/network/node_links.h"
#include "netns/network/pod_networks.h"
#include "netns/pod/node_agent.h"
#include "netns/router/balancer_routes.h"
#include "netns/router/published_ports.h"
#include "policy/enforcer.h"
#include "proxy/proxier.h"
#include "web/page.h"

namespace kin {

namespace {
/// kin's network agent: the links and routes are laid by the node agent before any pod runs, so
/// its pods only say so.
class NetworkAgent : public PodService {
public:
    explicit NetworkAgent(const netns::NetworkShape& shape) : shape_(shape) {}
    Result<> start(const Instance& instance) override {
        const int number = netns::node_number(instance.node);
        const auto& [addresses, attachment, overlay] = shape_;
        instance.log(cat("cni ", attachment->name(), ": pods of ", instance.node,
                         " have addresses of ", addresses.node_pods(number), ", ",
                         attachment->words()));
        instance.log(cat("overlay ", overlay->name(), ": ", overlay->words()));
        return Ok{};
    }
    void stop(const ObjectKey&) override {}

private:
    const netns::NetworkShape shape_;
};

/// Where a lab is to be found once it is ready.
struct Doors {
    uint16_t api_port = 0, page_port = 0;
    std::string page_link;
};

/// "  (port 7070 was taken)" for a port that had to move on.
std::string moved(uint16_t wished, uint16_t port) {
    return wished == 0 || wished == port ? "" : cat("  (port ", wished, " was taken)\n");
}

/// The hosts of a lab that are no nodes.
std::vector<web::Outsider> outsiders(const netns::AddressPlan& addresses) {
    return {{"router", addresses.router().to_string(), "router"},
            {"client", addresses.client().to_string(), "outside"},
            {"internet", addresses.internet().to_string(), "outside"}};
}

std::string ready_text(const ClusterOptions& options, const Doors& doors) {
    const size_t nodes = options.lab.nodes.size();
    std::string text = cat("\u2713 ", nodes, nodes == 1 ? " node" : " nodes",
                           " Ready, Kubernetes API v1.35 at https://127.0.0.1:", doors.api_port,
                           '\n', moved(options.api_port, doors.api_port));
    const std::string lab = lab_words(options.paths.name);
    return cat(text, "\u2713 page: ", doors.page_link, '\n',
               moved(options.page_port, doors.page_port),
               "  (the link opens it once; the next one: kin ui", lab, ")\n",
               "\u2713 kubeconfig: ", options.paths.kubeconfig(),
               "\n\n  export KUBECONFIG=", options.paths.kubeconfig(), "\n  kin kubectl", lab,
               " get pods -A      (or your own kubectl)\n");
}

/// All parts of a lab and how they are joined. Members start top to bottom and stop bottom to
/// top; those marked "control" are made, used and ended on that thread.
class Cluster {
public:
    Cluster(const ClusterOptions& options, Pki pki, std::unique_ptr<Store> store, Loop& control,
            std::unique_ptr<netns::NodeLinks> links)
        : options_(options),
          pki_(std::move(pki)),
          store_(std::move(store)),
          control_(control),
          links_(std::move(links)) {}
    ~Cluster();
    Cluster(const Cluster&) = delete;
    Cluster& operator=(const Cluster&) = delete;

    /// Joins controllers, node agent and the components that run as pods, and sets them going.
    Result<> start_components(UniqueFd init_socket);
    /// Opens the API's doors and stays until the lab is to end.
    Result<> serve(netns::ServerContext& context);

private:
    const netns::AddressPlan& addresses() const { return links_->addresses(); }
    Result<> create_node_agent(UniqueFd init_socket);
    Result<std::unique_ptr<apiserver::ApiServer>> open_api(LabDoor& door);
    Result<> on_control(const std::function<Result<>()>& task);
    Result<std::unique_ptr<web::Page>> open_page(apiserver::ApiServer& api);
    Json page_tick(uint64_t& change);
    Result<std::string> rules(const http::Query& query);
    void tell_proxy(const std::vector<netns::PublishedPorts::Published>& published);

    const ClusterOptions& options_;
    const Pki pki_;
    const std::unique_ptr<Store> store_;
    Registry registry_{*store_, {}};  // what the API promises, below HTTP
    const apiserver::Authenticator tokens_{pki_.token_secret};
    Loop streams_{"kin-streams"};                       // watches, exec, logs
    Loop data_{"kin-data"};                             // DNS sockets
    Loop& control_;                                     // informers, every kernel write
    std::unique_ptr<netns::NodeLinks> links_;           // control: nodes, router, outside hosts
    netns::PodWiring wiring_{control_};                 // control: pods' namespaces
    std::unique_ptr<netns::PodNetworks> pod_networks_;  // control
    Client client_{registry_, control_};                // how all below sees the cluster
    std::unique_ptr<netns::Containers> containers_;     // control: PID 1, as the server sees it
    std::unique_ptr<policy::Enforcer> enforcer_;        // control: policies -> table kin-policy
    std::unique_ptr<netns::NodeAgent> agent_;           // control: pods -> namespaces, processes
    std::unique_ptr<proxy::Proxier> proxier_;           // control: services -> table kube-proxy
    std::unique_ptr<NetworkAgent> network_agent_;       // control
    std::unique_ptr<netns::BalancerRoutes> balancers_;  // control: load balancers -> router
    std::unique_ptr<netns::PublishedPorts> published_;  // control: Services -> 127.0.0.1
    std::unique_ptr<dns::Server> dns_;                  // services, slices -> zone
    std::unique_ptr<ingress::ProxyServer> http_proxy_;  // routes -> answers
    std::unique_ptr<ingress::Controller> ingress_;      // control: ingresses, slices -> routes
    std::unique_ptr<controllers::Controllers> controllers_;
    std::unique_ptr<web::TopologyFeed> topology_;  // control: what the page draws
};

Cluster::~Cluster() {
    controllers_.reset();
    control_.call([this] {
        topology_.reset();
        if (ingress_) ingress_->close();
        published_.reset();
    });
    http_proxy_.reset();  // Before the agent, of which it has sockets.
    // Before what it serves: it tells them to stop.
    control_.call([this] {
        agent_.reset();
        ingress_.reset();
    });
    dns_.reset();
    control_.call([this] {
        proxier_.reset();
        enforcer_.reset();
        balancers_.reset();
        network_agent_.reset();
        containers_.reset();
        pod_networks_.reset();
    });
}

Result<> Cluster::on_control(const std::function<Result<>()>& task) {
    Result<> result = Ok{};
    control_.call([&] { result = task(); });
    return result;
}

Result<> Cluster::create_node_agent(UniqueFd init_socket) {
    TRY_ASSIGN(containers_, netns::Containers::create(std::move(init_socket)));
    netns::NodeAgent::Options options;
    const std::string memory = options_.paths.data + "/memory";
    TRY(netns::mount_in_memory(memory));
    options.storage = {options_.paths.data, memory};
    options.version = kVersion;
    options.tokens = [this](const netns::TokenRequest& request) -> Result<std::string> {
        apiserver::ServiceAccountToken token;
        token.account = request.service_account;
        token.pod_name = request.pod_name;
        token.pod_uid = request.pod_uid;
        if (!request.audience.empty()) token.audiences = {request.audience};
        token.seconds = apiserver::granted_seconds(request.expiration_seconds);
        return tokens_.service_account_token(token);
    };
    using Established = policy::Enforcer::Established;
    enforcer_ = std::make_unique<policy::Enforcer>(
        client_, links_->nodes(),
        options_.keep_connections ? Established::kKeep : Established::kCut);
    options.isolation = enforcer_.get();
    pod_networks_ = std::make_unique<netns::PodNetworks>(*links_, &wiring_);
    agent_ = std::make_unique<netns::NodeAgent>(client_, streams_, *containers_, *links_,
                                                *pod_networks_, std::move(options));
    return Ok{};
}

/// Where the host finds the ingress controller: redirects from there lead back there.
void Cluster::tell_proxy(const std::vector<netns::PublishedPorts::Published>& published) {
    ingress::PublishedPorts ports;
    for (const auto& [what, host_port, error] : published) {
        if (what.service != ingress::controller_service() || what.type != "LoadBalancer") continue;
        if (what.port == "http") ports.http = host_port;
        if (what.port == "https") ports.https = host_port;
    }
    http_proxy_->set_published(ports);
}

Result<> Cluster::start_components(UniqueFd init_socket) {
    TRY(on_control([&] { return create_node_agent(std::move(init_socket)); }));
    dns::ZoneOptions zone;
    zone.outside = dns::outside_names(addresses().internet());
    dns_ = std::make_unique<dns::Server>(data_, client_, *agent_, std::move(zone));
    http_proxy_ = std::make_unique<ingress::ProxyServer>(data_, control_, *agent_);
    controllers_ = std::make_unique<controllers::Controllers>(
        client_, controllers::Options{.pod_pool = addresses().pods,
                                      .load_balancer_pool = addresses().load_balancers,
                                      .ca_certificate = pki_.ca.certificate_pem,
                                      .bootstrap = {}});
    control_.call([this] {
        proxier_ = std::make_unique<proxy::Proxier>(
            client_, data_, *agent_, links_->nodes(),
            proxy::Addresses{addresses().pods, addresses().services, addresses().nodes,
                             addresses().load_balancers});
        network_agent_ = std::make_unique<NetworkAgent>(links_->shape());
        balancers_ = std::make_unique<netns::BalancerRoutes>(client_, *links_);
        ingress_ = std::make_unique<ingress::Controller>(client_, *agent_, *http_proxy_);
        published_ = std::make_unique<netns::PublishedPorts>(client_, data_, *links_);
        published_->on_change([this](const auto& list) { tell_proxy(list); });
        topology_ = std::make_unique<web::TopologyFeed>(
            client_, web::TopologyFeed::Options{outsiders(addresses()), [this](const Pod& pod) {
                                                    return pod_networks_->link_name(pod.meta.uid);
                                                }});
        agent_->add_service("registry.k8s.io/kube-proxy", *proxier_);
        agent_->add_service("registry.k8s.io/coredns/coredns", *dns_);
        agent_->add_service("registry.k8s.io/ingress-nginx/controller", *ingress_);
        agent_->add_service("kin/network", *network_agent_);
    });
    TRY(client_.start());
    return on_control([this]() -> Result<> {
        agent_->remove_leftovers();
        agent_->register_nodes();
        TRY(agent_->start_outside_hosts());
        return dns_->serve_outside("internet", addresses().internet());
    });
}

Result<std::unique_ptr<apiserver::ApiServer>> Cluster::open_api(LabDoor& door) {
    apiserver::ApiServer::Options options;
    options.socket_path = options_.paths.socket();
    options.tls_port = options_.api_port;
    options.server = pki_.server;
    options.client_ca_pem = pki_.ca.certificate_pem;
    options.token_secret = pki_.token_secret;
    options.lab = [&door](const http::Request& request) { return door.handle(request); };
    TRY_ASSIGN(auto api, apiserver::ApiServer::start(registry_, streams_, agent_.get(), options));
    // What pods reach as `kubernetes.default`: a listener on node-1's address.
    UniqueFd inside;
    TRY(on_control([&]() -> Result<> {
        TRY_ASSIGN(inside,
                   agent_->open_in_node(netns::node_name(1), Namespaces::SocketType::kTcpListener,
                                        addresses().node(1), 6443));
        return Ok{};
    }));
    TRY(api->adopt(std::move(inside)));
    return api;
}

/// What the kernels have counted, and dropped since the page asked last.
Json Cluster::page_tick(uint64_t& change) {
    Json tick{{"drops", Json::array()}};
    if (const auto counted = proxier_->connections()) {
        Json& counts = tick["counts"] = Json::object();
        for (const auto& [service, endpoints] : *counted) {
            Json& out = counts[web::id_of("service", service)];
            for (const auto& [pod, connections] : endpoints) out[cat("pod/", pod)] = connections;
        }
    }
    for (const policy::Drop& one : enforcer_->drops().changed_after(change)) {
        tick["drops"].push_back(drop_json(one));
        change = std::max(change, one.change);
    }
    return tick;
}

Result<std::unique_ptr<web::Page>> Cluster::open_page(apiserver::ApiServer& api) {
    web::Page::Options options;
    options.port = options_.page_port;
    options.secret = pki_.token_secret;
    options.door = {.lab_words = lab_words(options_.paths.name), .assets = web::page_assets()};
    options.stream.head = {{"lab", options_.paths.name},
                           {"version", kVersion},
                           {"words", lab_words(options_.paths.name)},
                           {"networks",
                            {{"pods", addresses().pods.to_string()},
                             {"services", addresses().services.to_string()},
                             {"nodes", addresses().nodes.to_string()},
                             {"outside", addresses().outside.to_string()}}}};
    options.stream.tick = [this](uint64_t& change) { return page_tick(change); };
    options.api = [&api](http::Request& request, http::Responder& responder) {
        api.handle(request, responder);
    };
    return web::Page::start(streams_, control_, *topology_, std::move(options));
}

Result<std::string> Cluster::rules(const http::Query& query) {
    const auto or_else = [&](const char* name, const char* otherwise) {
        const std::string value(query.get(name));
        return value.empty() ? std::string(otherwise) : value;
    };
    const std::string form = or_else("form", "nftables");
    const proxy::Form shown = form == "iptables" ? proxy::Form::kIptables
                              : form == "ipvs"   ? proxy::Form::kIpvs
                                                 : proxy::Form::kNftables;
    const std::string node = or_else("node", "node-1");
    std::string text;
    TRY(on_control([&]() -> Result<> {
        TRY_ASSIGN(text,
                   proxier_->explain({or_else("namespace", "default"), or_else("service", "")},
                                     node, shown));
        return Ok{};
    }));
    if (shown == proxy::Form::kNftables) {
        text += cat("In the kernel:  kin exec", lab_words(options_.paths.name), ' ', node,
                    " -- nft list table ip kube-proxy\n");
    }
    return text;
}

Result<> Cluster::serve(netns::ServerContext& context) {
    LabNodes nodes(options_.paths, {client_, *links_, *agent_, *proxier_, *enforcer_});
    PolicyDoor policies(client_, *enforcer_, *agent_);
    KernelDoor kernel({client_, *links_, *pod_networks_, *proxier_, *enforcer_});
    TRY_ASSIGN(const auto door, LabDoor::create(options_, {client_, *links_, *published_, nodes}));
    door->set_rules([this](const http::Query& query) { return rules(query); });
    using http::Request;
    door->add_page("flows", [&](const Request& request) { return policies.flows(request); });
    door->add_page("check", [&](const Request& request) { return policies.check(request); });
    door->add_page("matrix", [&](const Request& request) { return policies.matrix(request); });
    door->add_page("reach", [&](const Request& request) { return policies.reach(request); });
    door->add_page("network", [&](const Request& request) { return kernel.network(request); });
    door->add_page("elements", [&](const Request& request) { return kernel.elements(request); });
    TRY_ASSIGN(const auto api, open_api(*door));
    door->set_api_port(api->tls_port());
    TRY_ASSIGN(const auto page, open_page(*api));
    TRY(write_private_file(options_.paths.kubeconfig(),
                           kubeconfig_text(options_.paths.name, api->tls_port(), pki_),
                           Durable::kLater));
    // The door is asked until the API ends, which is after the page: from here to forget_page()
    // nothing returns.
    door->set_page(page->port(), [&page] { return page->new_link(); });
    std::string why;
    if (!client_.settle(10'000, &why, Client::Settled::kButEvents))
        log_warn("kin", "start goes on", {{"busy", why}});
    context.notify_ready(ready_text(options_, {api->tls_port(), page->port(), page->new_link()}));
    sync_pki(options_.paths.data + "/pki");
    sync_private_file(options_.paths.memory());
    door->wait_for_stop(context.stop_fd());
    door->forget_page();
    return Ok{};
}

/// Lays the standing network, and takes the calling thread out of the host's for good.
Result<std::unique_ptr<netns::NodeLinks>> lay_network(const LabMemory& lab) {
    TRY(netns::leave_host_network());
    return netns::NodeLinks::create(lab.network, lab.nodes);
}
}  // namespace

Result<> run_cluster(const ClusterOptions& options, netns::ServerContext& context) {
    const LabPaths& paths = options.paths;
    std::promise<Result<std::unique_ptr<netns::NodeLinks>>> laid;
    Loop control("kin-control");
    control.post([&] { laid.set_value(lay_network(options.lab)); });
    // While the network is laid, this thread opens the database and makes keys: in this order, since
    // who has the database is the lab, and another that is being started writes nothing of it.
    TRY_ASSIGN(auto store, Store::open({.path = paths.database()}));
    TRY_ASSIGN(Pki pki, load_or_create_pki(paths.data + "/pki"));
    TRY_ASSIGN(auto links, laid.get_future().get());
    // A network that this kernel cannot lay is not what the lab was last time.
    TRY(remember(paths, options.lab, Durable::kLater));
    Cluster cluster(options, std::move(pki), std::move(store), control, std::move(links));
    TRY(cluster.start_components(context.take_init_socket()));
    return cluster.serve(context);
}

}  // namespace kin
