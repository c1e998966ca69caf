#include "proxy/proxier.h"

#include <chrono>

#include "core/base/log.h"
#include "core/base/strings.h"
#include "proxy/service_view.h"

namespace kin::proxy {

Proxier::Proxier(Client& client, const std::vector<KernelNode*>& nodes, const Addresses& addresses)
    : services_(client.cache<Service>()),
      slices_(client.cache<EndpointSlice>()),
      addresses_(addresses),
      work_(client.loop(), {.name = "proxy"}, [this] { return update(); }) {
    for (KernelNode* node : nodes) nodes_[node->name].kernel = node;
    services_.on_change(lifetime_.bind([this](const CacheChange<Service>& change) {
        dirty_.insert(change.either().key());
        work_.mark();
    }));
    slices_.on_change(
        lifetime_.bind([this](const CacheChange<EndpointSlice>& change) { on_slice(change); }));
    client.add_busy_check("proxy", lifetime_.bind([this] { return work_.busy(); }));
}

void Proxier::on_slice(const CacheChange<EndpointSlice>& change) {
    for (const EndpointSlice* slice : {change.before, change.now}) {
        if (!slice || slice->service.empty()) continue;
        const ObjectKey service{slice->key().ns, slice->service};
        auto& keys = slices_of_[service];
        if (slice == change.now) {
            keys.insert(slice->key());
        } else {
            keys.erase(slice->key());
        }
        if (keys.empty()) slices_of_.erase(service);
        dirty_.insert(service);
    }
    work_.mark();
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
    if (instance.log) instance.log("Using nftables Proxier");
    work_.mark();
    return Ok{};
}

void Proxier::stop(const ObjectKey& pod) {
    for (auto& [name, node] : nodes_) {
        if (node.active && node.instance.pod == pod) node.active = false;
    }
}

/// Brings the ruleset up to what the caches show.
void Proxier::collect() {
    for (const ObjectKey& key : std::exchange(dirty_, {})) {
        const Service* service = services_.find(key);
        std::vector<const EndpointSlice*> slices;
        if (const auto keys = slices_of_.find(key); keys != slices_of_.end()) {
            for (const ObjectKey& slice : keys->second) {
                if (const EndpointSlice* found = slices_.find(slice)) slices.push_back(found);
            }
        }
        ruleset_.set(key.to_string(),
                     service ? ports_of(*service, slices) : std::vector<ServicePort>{});
    }
}

Result<> Proxier::update() {
    collect();
    const nft::Change change = ruleset_.take_change();
    Result<> first = Ok{};
    for (auto& [name, node] : nodes_) {
        if (!node.active) {
            node.whole = true;  // What it misses now it gets as a whole later.
            continue;
        }
        if (change.empty() && !node.whole) continue;
        Result<> written = write(node, change);
        if (written) continue;
        node.whole = true;
        if (first) first = std::move(written);
    }
    return first;
}

Result<> Proxier::write(NodeState& node, const nft::Change& change) {
    const auto start = std::chrono::steady_clock::now();
    const bool whole = node.whole;
    Result<> written = whole ? node.kernel->nft.replace(ruleset_.table(network_of(node)))
                             : node.kernel->nft.apply(change);
    if (!written && !whole && written.error().code() == Errc::kConflict) {
        // Somebody else has touched the node's rules: make sure of all of ours.
        written = node.kernel->nft.replace(ruleset_.table(network_of(node)));
    }
    if (!written) return std::move(written).context(cat("program ", node.kernel->name));
    node.whole = false;
    const auto taken = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - start);
    if (node.instance.log) {
        node.instance.log(whole ? cat("Synced all rules in ", taken.count(), " us")
                                : cat("Synced ", change.element_count(), " changed elements in ",
                                      taken.count(), " us"));
    }
    return Ok{};
}

Network Proxier::network_of(const NodeState& node) const {
    return {node.instance.address, addresses_.pods, addresses_.services, addresses_.nodes};
}

}  // namespace kin::proxy
