#include "proxy/proxier.h"

#include <chrono>
#include <cstdint>

#include "core/base/log.h"
#include "core/base/strings.h"

namespace kin::proxy {

namespace {
constexpr uint16_t kModePort = 10249;  // Where upstream's has its metrics.
constexpr Ipv4 kLocalhost{0x7F000001};

/// From its making on.
class Watch {
public:
    int64_t us() const {
        return std::chrono::duration_cast<std::chrono::microseconds>(
                   std::chrono::steady_clock::now() - start_)
            .count();
    }

private:
    const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};
}  // namespace

Proxier::Proxier(Client& client, Loop& data, Namespaces& namespaces,
                 const std::vector<KernelNode*>& nodes, const Addresses& addresses)
    : services_(client.cache<Service>()),
      slices_(client, [this](const ObjectKey& service) { mark(service); }),
      addresses_(addresses),
      health_checks_(data, namespaces),
      work_(client.loop(), {.name = "proxy"}, [this] { return update(); }) {
    for (KernelNode* node : nodes) nodes_[node->name].kernel = node;
    services_.on_change(lifetime_.bind(
        [this](const CacheChange<Service>& change) { mark(change.either().key()); }));
    client.add_busy_check("proxy", lifetime_.bind([this] { return work_.busy(); }));
}

void Proxier::mark(const ObjectKey& service) {
    dirty_.insert(service);
    work_.mark();
}

void Proxier::add_node(KernelNode& node) { nodes_[node.name].kernel = &node; }

void Proxier::remove_node(const std::string& name) {
    nodes_.erase(name);
    work_.mark();  // Closes its health check ports.
}

Result<> Proxier::start(const Instance& instance) {
    const auto found = nodes_.find(instance.node);
    if (found == nodes_.end()) {
        return Error(Errc::kNotFound, cat("kube-proxy: there is no node ", instance.node));
    }
    NodeState& node = found->second;
    node.instance = instance;
    node.active = true;
    node.whole = true;
    node.log("Using nftables Proxier");
    work_.mark();
    return Ok{};
}

void Proxier::stop(const ObjectKey& pod) {
    for (auto& [name, node] : nodes_) {
        if (node.active && node.instance.pod == pod) node.active = false;
    }
}

std::vector<ServicePort> Proxier::current_ports(const ObjectKey& key) const {
    const Service* service = services_.find(key);
    if (!service) return {};
    return ports_of(*service, slices_.of(key), addresses_);
}

/// Brings the ruleset up to what the caches show.
void Proxier::collect() {
    for (const ObjectKey& key : std::exchange(dirty_, {})) {
        const auto ports = current_ports(key);
        ruleset_.set(key.to_string(), ports);
        stale_flows_.set(key.to_string(), ports);
        const Service* service = services_.find(key);
        if (service && service->health_check_node_port != 0) {
            checked_.insert(key);
        } else {
            checked_.erase(key);
        }
    }
}

Result<> Proxier::update() {
    const Watch watch;
    collect();
    const RulesetChange change = ruleset_.take_change();
    compiled_us_ += watch.us();
    Result<> first = Ok{};
    for (auto& [name, node] : nodes_) {
        if (!node.active) {
            node.whole = true;  // What it misses now it gets as a whole later.
            continue;
        }
        const auto scope = node.whole ? StaleFlows::Scope::kAll : StaleFlows::Scope::kTouched;
        Result<> written = write(node, change);
        if (written) written = forget_stale_flows(node, scope);
        if (written) continue;
        node.whole = true;
        if (first) first = std::move(written);
    }
    if (first) stale_flows_.clear();
    Result<> served = serve_health_checks();
    return first ? std::move(served) : std::move(first);
}

Result<> Proxier::serve_health_checks() {
    std::map<HealthChecks::Place, Answers> wanted;
    for (const auto& [name, node] : nodes_) {
        if (node.active) wanted[{name, kLocalhost, kModePort}] = mode_answers();
    }
    for (const ObjectKey& key : checked_) {
        const auto ports = current_ports(key);
        for (const auto& [name, node] : nodes_) {
            if (!node.active) continue;
            size_t endpoints = 0;
            for (const ServicePort& port : ports) {
                const auto here = port.local.find(name);
                if (here != port.local.end()) endpoints = std::max(endpoints, here->second.size());
            }
            // On all addresses of the node: tutorials ask localhost.
            wanted.emplace(
                HealthChecks::Place{name, {}, services_.find(key)->health_check_node_port},
                Answers{{"", health_answer({key, endpoints})}});
        }
    }
    return health_checks_.set(wanted);
}

Result<> Proxier::forget_stale_flows(NodeState& node, StaleFlows::Scope scope) {
    if (scope == StaleFlows::Scope::kTouched && !stale_flows_.any()) return Ok{};
    if (Conntrack::none_in(node.kernel->netns)) return Ok{};
    if (!node.conntrack) {
        TRY_ASSIGN(Conntrack conntrack, Conntrack::open(node.kernel->netns));
        node.conntrack.emplace(std::move(conntrack));
    }
    const Ipv4 address = node.instance.address;
    TRY_ASSIGN(const size_t forgotten,
               node.conntrack->forget_if(nft::L4::kUdp, [&](const Flow& flow) {
                   return stale_flows_.is_stale(flow, address, scope);
               }));
    if (forgotten != 0) node.log(cat("Forgot ", forgotten, " stale UDP flows"));
    return Ok{};
}

Result<> Proxier::write(NodeState& node, const RulesetChange& cluster_change) {
    if (node.whole) return write_all(node);
    const Watch watch;
    nft::Change change = cluster_change.on(node.kernel->name);
    if (change.empty()) return Ok{};
    const size_t elements = change.element_count();
    Result<> written = node.kernel->nft.apply(std::move(change));
    // Somebody else has touched the node's rules: make sure of all of ours.
    if (!written && written.error().code() == Errc::kConflict) return write_all(node);
    if (!written) return std::move(written).context(cat("program ", node.kernel->name));
    node.log(cat("Synced ", elements, " changed elements in ", watch.us(), " us"));
    return Ok{};
}

Result<> Proxier::write_all(NodeState& node) {
    const Watch watch;
    Result<> written = node.kernel->nft.replace(ruleset_.table(network_of(node)));
    if (!written) return std::move(written).context(cat("program ", node.kernel->name));
    node.whole = false;
    node.log(cat("Synced all rules in ", watch.us(), " us; compiling them for all nodes took ",
                 compiled_us_, " us so far"));
    return Ok{};
}

Result<std::string> Proxier::explain(const ObjectKey& service, const std::string& node, Form form) {
    const auto found = nodes_.find(node);
    if (found == nodes_.end()) return Error(Errc::kNotFound, cat("there is no node ", node));
    if (!services_.find(service)) {
        return Error(Errc::kNotFound, cat("there is no Service ", service.to_string()));
    }
    const auto ports = current_ports(service);
    Network network = network_of(found->second);
    if (form == Form::kIptables) return explain_iptables(network, ports);
    if (form == Form::kIpvs) return explain_ipvs(network, ports);
    Counts counts;
    const nft::Table table = skeleton(network);
    for (const std::string& set : counted_sets()) {
        TRY_ASSIGN(counts[set],
                   found->second.kernel->nft.counts(kTableName, table.find_set(set)->shape));
    }
    std::string text = proxy::explain(network, ports, counts);
    if (!found->second.active) {
        text += cat("No kube-proxy runs on ", node, ": its rules stay as they were left.\n");
    }
    return text;
}

Result<std::map<ObjectKey, Connections>> Proxier::connections() {
    std::map<std::string, EndpointCounts> counted;
    for (auto& [name, node] : nodes_) {
        if (!node.active) continue;
        const nft::Table table = skeleton(network_of(node));
        for (const std::string& set : endpoint_sets()) {
            TRY_ASSIGN(const auto counts,
                       node.kernel->nft.counts(kTableName, table.find_set(set)->shape));
            counted[name].add(set, counts);
        }
    }
    std::map<ObjectKey, Connections> out;
    services_.each([&](const Service& service) {
        Connections all;
        const auto ports = current_ports(service.key());
        for (const auto& [node, counts] : counted) add_connections(node, ports, counts, all);
        if (!all.empty()) out.emplace(service.key(), std::move(all));
    });
    return out;
}

Result<nft::Table> Proxier::table(const std::string& node) const {
    const auto found = nodes_.find(node);
    if (found == nodes_.end()) return Error(Errc::kNotFound, cat("there is no node ", node));
    return ruleset_.table(network_of(found->second));
}

Network Proxier::network_of(const NodeState& node) const {
    return {node.kernel->name, node.instance.address, addresses_};
}

}  // namespace kin::proxy
