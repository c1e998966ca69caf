#include "netns/pod/node_agent.h"

#include <algorithm>
#include <filesystem>

#include "core/base/log.h"
#include "core/base/strings.h"

namespace kin::netns {
namespace {

template <class T>
std::function<const Json*(const ObjectKey&)> finder(Client& client) {
    Cache<T>& cache = client.cache<T>();
    return [&cache](const ObjectKey& key) {
        const T* found = cache.find(key);
        return found ? found->object.get() : nullptr;
    };
}

/// "registry.k8s.io/kube-proxy" of "registry.k8s.io/kube-proxy:v1.35.0@sha256:...".
std::string_view without_tag(std::string_view image) {
    image = image.substr(0, image.find('@'));
    const size_t slash = image.rfind('/');
    const size_t colon = image.find(':', slash == std::string_view::npos ? 0 : slash);
    return image.substr(0, colon);
}

}  // namespace

NodeAgent::NodeAgent(Client& client, Loop& streams, Containers& containers, NodeLinks& links,
                     PodNetworks& networks, Options options)
    : client_(client),
      options_(std::move(options)),
      loop_(client.loop()),
      logs_(std::make_unique<ContainerLogs>(streams)),
      host_ports_(links),
      context_(make_context(containers, links, networks)) {
    WorkQueue<std::string>::Options queue_options;
    queue_options.name = "kubelet";
    queue_options.batch = 8;  // A pod's start takes about 2 ms of this thread.
    queue_ = std::make_unique<WorkQueue<std::string>>(
        loop_, queue_options, [this](const std::string& uid) -> Result<> {
            const auto found = workers_.find(uid);
            return found == workers_.end() ? Result<>(Ok{}) : found->second->sync();
        });
    client_.cache<Node>();
    client_.cache<Service>();
    client_.cache<Pod>().on_change([this, alive = alive_](const auto& change) {
        if (*alive) on_pod(change);
    });
    const auto follow = [this](auto& cache, ConfigObject::Kind kind) {
        cache.on_change([this, kind, alive = alive_](const auto& change) {
            const ObjectKey& key = change.either().key();
            if (*alive) on_config(key.ns, {kind, key.name});
        });
    };
    follow(client_.cache<ConfigMap>(), ConfigObject::Kind::kConfigMap);
    follow(client_.cache<Secret>(), ConfigObject::Kind::kSecret);
    client_.cache<PersistentVolumeClaim>().on_change([this, alive = alive_](const auto& change) {
        if (*alive) on_config(change.either().key().ns, {});
    });
    client_.cache<PersistentVolume>().on_change([this, alive = alive_](const auto& change) {
        if (*alive) on_volume(change);
    });
    client_.cache<EndpointSlice>();
    client_.add_busy_check("kubelet", [this, alive = alive_] {
        if (!*alive) return false;
        if (queue_->busy()) return true;
        for (const auto& [uid, worker] : workers_) {
            if (worker->busy()) return true;
        }
        return false;
    });
    containers_watch_ = loop_.watch(containers.fd(), Readiness::kReadable,
                                    [&containers](int) { containers.on_readable(); });
}

NodeAgent::~NodeAgent() {
    const auto end = [this] {
        *alive_ = false;
        containers_watch_.cancel();
        connecting_.clear();
        queue_.reset();
        workers_.clear();
        outside_hosts_.reset();
    };
    if (loop_.on_thread()) {
        end();
    } else {
        loop_.call(end);
    }
    logs_.reset();
}

AgentContext NodeAgent::make_context(Containers& containers, NodeLinks& links,
                                     PodNetworks& networks) {
    const AddressPlan& addresses = links.addresses();
    DnsPlan dns{addresses.cluster_dns(), options_.cluster_domain, {addresses.internet()}, {}};
    AgentContext context{client_,
                         loop_,
                         containers,
                         *logs_,
                         links,
                         networks,
                         host_ports_,
                         options_.storage,
                         std::move(dns),
                         options_.tokens,
                         {finder<ConfigMap>(client_), finder<Secret>(client_),
                          finder<PersistentVolumeClaim>(client_)}};
    context.isolation = options_.isolation;
    const NodeCapacity capacity = node_capacity();
    context.node_cpu_milli = capacity.cpus * 1000;
    context.node_memory_bytes = capacity.memory_bytes;
    context.find_service = [this](std::string_view image) -> PodService* {
        const auto found = options_.services.find(without_tag(image));
        return found == options_.services.end() ? nullptr : found->second;
    };
    context.service_environment = [this](const std::string& ns, bool service_links) {
        std::vector<const Service*> services;
        client_.cache<Service>().each_in(
            ns, [&](const Service& service) { services.push_back(&service); });
        const Service* api = client_.cache<Service>().find({"default", "kubernetes"});
        if (api && ns != "default") services.push_back(api);
        return netns::service_environment(services, ns, service_links);
    };
    context.offer_of = [this](const ObjectKey& pod) {
        Offer offer = Offer::kNone;
        client_.cache<EndpointSlice>().each_in(pod.ns, [&](const EndpointSlice& slice) {
            for (const EndpointSlice::Endpoint& endpoint : slice.endpoints) {
                if (endpoint.target != pod) continue;
                const bool offered = endpoint.ready && !endpoint.terminating;
                offer = std::max(offer, offered ? Offer::kOffered : Offer::kEnding);
            }
        });
        return offer;
    };
    context.wake = [this](const std::string& uid) {
        if (queue_) queue_->add(uid);
    };
    context.wake_after = [this](const std::string& uid, std::chrono::milliseconds delay) {
        if (queue_) queue_->add_after(uid, delay);
    };
    return context;
}

NodeObjects NodeAgent::node_objects() {
    return {client_, context_.links.shape(), options_.version, options_.max_pods_per_node};
}

void NodeAgent::register_nodes() {
    NodeObjects objects = node_objects();
    for (const KernelNode* node : context_.links.nodes()) objects.apply(node->name);
    client_.cache<Node>().each([&](const Node& node) {
        const std::string& name = node.key().name;
        if (!context_.links.find(name) && NodeObjects::is_own(*node.object)) objects.remove(name);
    });
}

void NodeAgent::remove_leftovers() {
    std::set<std::string> uids;
    client_.cache<Pod>().each([&](const Pod& pod) { uids.insert(pod.meta.uid); });
    netns::remove_leftovers(options_.storage, uids);
}

void NodeAgent::register_node(const std::string& name) { node_objects().apply(name); }

void NodeAgent::unregister_node(const std::string& name) { node_objects().remove(name); }

void NodeAgent::remove_node(const std::string& name) {
    std::vector<const Pod*> there;
    client_.cache<Pod>().each([&](const Pod& pod) {
        if (pod.node == name) there.push_back(&pod);
    });
    for (const Pod* pod : there) drop(*pod);
    context_.networks.forget_node(name);
}

Result<> NodeAgent::start_outside_hosts() {
    outside_hosts_ = std::make_unique<OutsideHosts>(context_.containers, context_.links);
    return outside_hosts_->start().context("start the outside hosts' programs");
}

void NodeAgent::add_service(const std::string& image, PodService& service) {
    options_.services[image] = &service;
}

void NodeAgent::on_pod(const CacheChange<Pod>& change) {
    const bool same =
        change.before && change.now && change.before->meta.uid == change.now->meta.uid;
    if (change.before && !same) drop(*change.before);
    if (change.now && context_.links.find(change.now->node)) adopt(*change.now);
}

void NodeAgent::adopt(const Pod& pod) {
    // Names of the router and the outside hosts are no nodes.
    if (node_number(pod.node) == 0) return;
    if (const auto found = workers_.find(pod.meta.uid); found != workers_.end()) {
        found->second->update(pod);
    } else {
        if (const auto named = check_names(decode_pod_spec(pod)); !named) {
            return log_error("kubelet", named.error().text(), {{"pod", pod.key().to_string()}});
        }
        workers_[pod.meta.uid] = std::make_unique<PodWorker>(context_, pod);
        uids_[pod.key()] = pod.meta.uid;
    }
    queue_->add(pod.meta.uid);
}

void NodeAgent::drop(const Pod& pod) {
    const auto found = workers_.find(pod.meta.uid);
    if (found == workers_.end()) {
        // It may have run before, on a node that the lab has no more.
        (void)remove_pod_files(options_.storage, pod.key(), pod.meta.uid);
        return;
    }
    found->second->forget();
    workers_.erase(found);
    if (const auto uid = uids_.find(pod.key()); uid != uids_.end() && uid->second == pod.meta.uid) {
        uids_.erase(uid);
    }
}

void NodeAgent::on_config(const std::string& ns, const ConfigObject& object) {
    for (const auto& [uid, worker] : workers_) {
        if (worker->spec().key.ns != ns) continue;
        if (worker->note_changed(object) || worker->waits_for_config()) queue_->add(uid);
    }
}

void NodeAgent::on_volume(const CacheChange<PersistentVolume>& change) {
    if (change.now) return;
    // What is to be kept stays: whoever makes a volume of this name again finds it.
    if (string_at(change.before->spec(), {"persistentVolumeReclaimPolicy"}) != "Delete") return;
    const auto directory =
        persistent_directory(options_.storage.data, change.before->key().name);
    std::error_code error;
    if (directory) std::filesystem::remove_all(*directory, error);
    if (error) log_warn("kubelet", cat("remove a volume: ", error.message()));
}

PodWorker* NodeAgent::find_worker(const ObjectKey& pod) {
    const auto uid = uids_.find(pod);
    if (uid == uids_.end()) return nullptr;
    const auto worker = workers_.find(uid->second);
    return worker == workers_.end() ? nullptr : worker->second.get();
}

}  // namespace kin::netns
