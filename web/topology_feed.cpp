#include "web/topology_feed.h"

#include <map>

namespace kin::web {

namespace {
constexpr std::chrono::milliseconds kInterval{50};

constexpr std::string_view kHost = "host", kPod = "pod", kService = "service", kIngress = "ingress",
                           kPolicy = "policy";

template <class T, class F>
Json json_of(Cache<T>& cache, const ObjectKey& key, const F& describe) {
    const T* const object = cache.find(key);
    return object ? describe(*object) : Json();
}
}  // namespace

TopologyFeed::TopologyFeed(Client& client, Options options)
    : client_(client),
      options_(std::move(options)),
      slices_(client, [this](const ObjectKey& service) { mark(kService, service); }),
      work_(client.loop(), {.name = "page", .min_interval = kInterval},
            [this] { return publish_changes(); }) {
    follow<Node>(kHost);
    follow<Service>(kService);
    follow<Ingress>(kIngress);
    follow<NetworkPolicy>(kPolicy);
    client_.cache<Pod>().on_change(
        lifetime_.bind([this](const CacheChange<Pod>& change) { on_pod(change); }));
    client_.cache<Namespace>().on_change(
        lifetime_.bind([this](const CacheChange<Namespace>& change) { on_namespace(change); }));
}

template <class T>
void TopologyFeed::follow(std::string_view kind) {
    client_.cache<T>().on_change(lifetime_.bind(
        [this, kind](const CacheChange<T>& change) { mark(kind, change.either().key()); }));
}

void TopologyFeed::on_pod(const CacheChange<Pod>& change) {
    if (!publish_) return;
    mark(kPod, change.either().key());
    // Which pods a policy selects is a matter of their labels alone.
    const bool same_labels =
        change.before && change.now && change.before->meta.labels == change.now->meta.labels;
    if (same_labels) return;
    for (const auto& pod : {change.before, change.now})
        if (pod) mark_policies_of(*pod);
}

void TopologyFeed::on_namespace(const CacheChange<Namespace>& change) {
    if (!publish_) return;
    static const Labels kNone;
    const Labels& before = change.before ? change.before->meta.labels : kNone;
    const Labels& now = change.now ? change.now->meta.labels : kNone;
    if (before == now) return;
    // Whom a namespaceSelector means is a matter of these.
    ++relabelled_;
    mark_all<NetworkPolicy>(kPolicy);
}

void TopologyFeed::mark(std::string_view kind, const ObjectKey& key) {
    if (!publish_) return;
    dirty_.insert({kind, key});
    work_.mark();
}

void TopologyFeed::mark_policies_of(const Pod& pod) {
    client_.cache<NetworkPolicy>().each_in(pod.key().ns, [&](const NetworkPolicy& policy) {
        if (policy.selector.matches(pod.meta.labels)) mark(kPolicy, policy.key());
    });
}

template <class T>
void TopologyFeed::mark_all(std::string_view kind) {
    client_.cache<T>().each([&](const T& object) { mark(kind, object.key()); });
}

void TopologyFeed::start(Publish publish) {
    publish_ = std::move(publish);
    topology_ = {};
    dirty_.clear();
    if (!publish_) return;
    whole_ = true;
    for (const Outsider& host : options_.outsiders) mark(kHost, {"", host.name});
    mark_all<Node>(kHost);
    mark_all<Pod>(kPod);
    mark_all<Service>(kService);
    mark_all<Ingress>(kIngress);
    mark_all<NetworkPolicy>(kPolicy);
}

std::vector<const Pod*> TopologyFeed::pods_in(const std::string& ns) {
    std::vector<const Pod*> out;
    client_.cache<Pod>().each_in(ns, [&](const Pod& pod) {
        if (!pod.host_network) out.push_back(&pod);
    });
    return out;
}

Json TopologyFeed::describe(const Mark& mark) {
    const auto& [kind, key] = mark;
    if (kind == kPod) {
        return json_of(client_.cache<Pod>(), key,
                       [&](const Pod& pod) { return pod_json(pod, options_.link_of(pod)); });
    }
    if (kind == kService) {
        return json_of(client_.cache<Service>(), key, [&](const Service& service) {
            return service_json(service, slices_.of(service.key()));
        });
    }
    if (kind == kIngress) return json_of(client_.cache<Ingress>(), key, ingress_json);
    if (kind == kPolicy) {
        return json_of(client_.cache<NetworkPolicy>(), key, [&](const NetworkPolicy& policy) {
            Json out = policy_json(policy, pods_in(key.ns));
            out["relabelled"] = relabelled_;
            return out;
        });
    }
    for (const Outsider& host : options_.outsiders)
        if (host.name == key.name) return host_json(host);
    return json_of(client_.cache<Node>(), key, [](const Node& node) { return host_json(node); });
}

Result<> TopologyFeed::publish_changes() {
    if (!publish_) return Ok{};
    // Many may come at once, and get their places in the order in which people look for them.
    std::multimap<std::string, Json> things;
    std::set<std::string> there;
    Delta delta;
    for (const Mark& mark : std::exchange(dirty_, {})) {
        const std::string id = id_of(mark.kind, mark.key);
        Json thing = describe(mark);
        if (thing.is_null()) {
            slots_.leave(id);
            topology_.put(id, thing, delta);
            continue;
        }
        std::string key = place_key(thing);
        things.emplace(std::move(key), std::move(thing));
        there.insert(id);
    }
    if (std::exchange(whole_, false)) slots_.keep_only(there);
    for (auto& [key, thing] : things) {
        if (const int slot = slots_.place(thing); slot >= 0) thing["slot"] = slot;
        topology_.put(string_at(thing, {"id"}), thing, delta);
    }
    if (!delta.empty()) publish_(std::move(delta));
    return Ok{};
}

}  // namespace kin::web
