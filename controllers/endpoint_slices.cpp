#include "controllers/endpoint_slices.h"

#include "controllers/events.h"

namespace kin::controllers {

namespace {
bool managed_here(const Metadata& meta, std::string_view label, std::string_view by) {
    const auto found = meta.labels.find(label);
    return found != meta.labels.end() && found->second == by;
}

bool is_our_slice(const EndpointSlice& slice) {
    return managed_here(slice.meta, "endpointslice.kubernetes.io/managed-by",
                        "endpointslice-controller.k8s.io");
}

/// True if a change of the pod can matter to Services that select it.
bool same_endpoint(const Pod& a, const Pod& b) {
    return a.ip == b.ip && a.ready == b.ready && a.node == b.node && a.finished() == b.finished() &&
           a.meta.deleting() == b.meta.deleting() && a.meta.labels == b.meta.labels;
}
}  // namespace

EndpointSlices::EndpointSlices(Client& client)
    : client_(client),
      services_(client.cache<Service>()),
      pods_(client.cache<Pod>()),
      service_slices_(client, [](const ObjectKey&) {}),
      endpoints_(client.cache<Endpoints>()),
      nodes_(client.cache<Node>()),
      queue_(client.loop(), {.name = "endpoint_slices"},
             [this](const ObjectKey& key) { return reconcile(key); }) {
    services_.on_change(lifetime_.bind(
        [this](const CacheChange<Service>& change) { queue_.add(change.either().key()); }));
    pods_.on_change(lifetime_.bind([this](const CacheChange<Pod>& change) { on_pod(change); }));
    client.cache<EndpointSlice>().on_change(
        lifetime_.bind([this](const CacheChange<EndpointSlice>& change) {
            const EndpointSlice& slice = change.either();
            if (is_our_slice(slice) || is_mirror(slice))
                queue_.add({slice.key().ns, slice.service});
        }));
    endpoints_.on_change(lifetime_.bind(
        [this](const CacheChange<Endpoints>& change) { queue_.add(change.either().key()); }));
    client.add_busy_check("endpoint_slices", lifetime_.bind([this] { return queue_.busy(); }));
}

void EndpointSlices::on_pod(const CacheChange<Pod>& change) {
    if (change.before && change.now && same_endpoint(*change.before, *change.now)) return;
    services_.each_in(change.either().key().ns, [&](const Service& service) {
        if (!is_managed(service)) return;
        const auto selector = LabelSelector::from_map(service.selector);
        if ((change.before && selector.matches(change.before->meta.labels)) ||
            (change.now && selector.matches(change.now->meta.labels))) {
            queue_.add(service.key());
        }
    });
}

Client::Done EndpointSlices::answered(const ObjectKey& key) {
    in_flight_.begin(key);
    return lifetime_.bind([this, key](Answer<Written> answer) { in_flight_.end(key, answer); });
}

std::string EndpointSlices::zone_of(const std::string& name) const {
    const Node* node = nodes_.find({"", name});
    if (!node) return "";
    const auto found = node->meta.labels.find("topology.kubernetes.io/zone");
    return found == node->meta.labels.end() ? "" : found->second;
}

std::vector<const EndpointSlice*> EndpointSlices::slices_where(
    const ObjectKey& key, bool (*made_by)(const EndpointSlice&)) const {
    std::vector<const EndpointSlice*> slices = service_slices_.of(key);
    std::erase_if(slices, [made_by](const EndpointSlice* slice) {
        return !made_by(*slice) || slice->meta.deleting();
    });
    return slices;
}

Result<> EndpointSlices::reconcile(const ObjectKey& key) {
    if (!in_flight_.settled(key, client_.seen())) return Ok{};
    const Service* service = services_.find(key);
    if (!service || service->type == "ExternalName") {
        remove_leftovers(key);
        return Ok{};
    }
    if (service->meta.deleting()) return Ok{};
    if (!is_managed(*service)) {
        // Whoever takes the selector away goes on with the endpoints that are there, by hand.
        mirror(key);
        return Ok{};
    }
    remove_slices(key, slices_where(key, is_mirror));
    std::vector<const Pod*> pods;
    pods_.each_in(key.ns, [&](const Pod& pod) { pods.push_back(&pod); });
    const std::vector<BackingPod> backing = backing_pods(*service, pods);
    write_slices(*service, backing);
    write_endpoints(*service, backing);
    return Ok{};
}

void EndpointSlices::write_slices(const Service& service, const std::vector<BackingPod>& pods) {
    const ObjectKey& key = service.key();
    carry_out(key, plan_slices(service, pods, slices_where(key, is_our_slice),
                               [this](const std::string& node) { return zone_of(node); }));
}

void EndpointSlices::mirror(const ObjectKey& key) {
    const Endpoints* endpoints = endpoints_.find(key);
    const auto existing = slices_where(key, is_mirror);
    if (!endpoints || !is_mirrored(*endpoints) ||
        managed_here(endpoints->meta, "endpoints.kubernetes.io/managed-by",
                     "endpoint-controller")) {
        return remove_slices(key, existing);
    }
    carry_out(key, plan_mirror(*endpoints, existing));
}

void EndpointSlices::carry_out(const ObjectKey& key, SliceChanges changes) {
    for (Json& slice : changes.create) {
        client_.create(EndpointSlice::kResource, std::move(slice), answered(key));
    }
    for (Json& slice : changes.update) {
        client_.update(EndpointSlice::kResource, std::move(slice), answered(key));
    }
    remove_slices(key, changes.remove);
}

void EndpointSlices::remove_slices(const ObjectKey& key,
                                   const std::vector<const EndpointSlice*>& slices) {
    for (const EndpointSlice* slice : slices) {
        client_.remove(EndpointSlice::kResource, slice->key(), only(slice->meta.uid),
                       answered(key));
    }
}

void EndpointSlices::write_endpoints(const Service& service, const std::vector<BackingPod>& pods) {
    const ObjectKey& key = service.key();
    Json wanted = desired_endpoints(service, pods);
    const Endpoints* stored = endpoints_.find(key);
    if (!stored) {
        client_.create(Endpoints::kResource, std::move(wanted), answered(key));
        return;
    }
    if (array_at(*stored->object, {"subsets"}) == array_at(wanted, {"subsets"}) &&
        object_at(*stored->object, {"metadata", "labels"}) ==
            object_at(wanted, {"metadata", "labels"})) {
        return;
    }
    Json object = *stored->object;
    object["metadata"]["labels"] = wanted["metadata"]["labels"];
    object.erase("subsets");
    if (wanted.contains("subsets")) object["subsets"] = std::move(wanted["subsets"]);
    client_.update(Endpoints::kResource, std::move(object), answered(key));
}

void EndpointSlices::remove_leftovers(const ObjectKey& key) {
    remove_slices(key, slices_where(key, is_our_slice));
    remove_slices(key, slices_where(key, is_mirror));
    const Endpoints* stored = endpoints_.find(key);
    if (stored &&
        managed_here(stored->meta, "endpoints.kubernetes.io/managed-by", "endpoint-controller")) {
        client_.remove(Endpoints::kResource, key, only(stored->meta.uid), answered(key));
    }
}

}  // namespace kin::controllers
