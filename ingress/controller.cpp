#include "ingress/controller.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>

#include "core/base/strings.h"

namespace kin::ingress {

namespace {
constexpr uint16_t kHttpPort = 80, kHttpsPort = 443, kStatusPort = 10254, kDnsPort = 53;
/// What is amiss for less is not worth an Event: an Ingress often comes before what it names.
constexpr std::chrono::milliseconds kPatience{500};

bool has_changed_only_its_status(const CacheChange<Ingress>& change) {
    return change.before && change.now && change.before->meta.uid == change.now->meta.uid &&
           change.before->meta.generation == change.now->meta.generation &&
           change.before->meta.annotations == change.now->meta.annotations;
}

const ObjectKey& dns_service() {
    static const ObjectKey key{"kube-system", "kube-dns"};
    return key;
}
}  // namespace

const ObjectKey& controller_service() {
    static const ObjectKey key{"ingress-nginx", "ingress-nginx-controller"};
    return key;
}

Controller::Controller(Client& client, Namespaces& namespaces, Proxy& proxy)
    : client_(client),
      namespaces_(namespaces),
      proxy_(proxy),
      ingresses_(client.cache<Ingress>()),
      classes_(client.cache<IngressClass>()),
      services_(client.cache<Service>()),
      secrets_(client.cache<Secret>()),
      slices_(client,
              [this](const ObjectKey& service) {
                  if (compiler_.compiled().services.contains(service))
                      mark(changes_.services, service);
              }),
      names_(client.loop(), names_in_cluster()),
      compiler_(objects()),
      statuses_(client, [this] { work_.mark(); }),
      work_(client.loop(), {.name = "ingress"}, [this] { return update(); }) {
    follow(client);
}

Objects Controller::objects() {
    Objects out;
    out.find_ingress = [this](const ObjectKey& key) { return ingresses_.find(key); };
    out.all_ingresses = [this] {
        std::vector<ObjectKey> keys;
        ingresses_.each([&](const Ingress& one) { keys.push_back(one.key()); });
        return keys;
    };
    out.classes = [this] {
        std::vector<const IngressClass*> classes;
        classes_.each([&](const IngressClass& one) { classes.push_back(&one); });
        return classes;
    };
    out.find_service = [this](const ObjectKey& key) { return services_.find(key); };
    out.slices_of = [this](const ObjectKey& key) { return slices_.of(key); };
    out.addresses_of = [this](const ObjectKey& service, const std::string& name) {
        return names_.find(service, name);
    };
    out.find_secret = [this](const ObjectKey& key) { return secrets_.find(key); };
    return out;
}

Names::Cluster Controller::names_in_cluster() {
    Names::Cluster out;
    out.connect = [this] { return connect_to_dns(); };
    // As they are in the controller's pods.
    out.search = {"ingress-nginx.svc.cluster.local", "svc.cluster.local", "cluster.local"};
    out.wanted = [this](const ObjectKey& key, const std::string& name) {
        const Service* service = services_.find(key);
        return compiler_.compiled().services.contains(key) && service &&
               service->type == "ExternalName" && service->external_name == name;
    };
    out.changed = [this](const ObjectKey& service) { mark(changes_.services, service); };
    return out;
}

Result<UniqueFd> Controller::connect_to_dns() {
    const Service* dns = services_.find(dns_service());
    const auto server = dns ? Ipv4::parse(dns->cluster_ip) : std::nullopt;
    if (!server || pods_.empty()) return Error(Errc::kNotFound, "nobody to ask for a name");
    const Instance& asker = pods_.begin()->second;
    TRY_ASSIGN(UniqueFd socket,
               namespaces_.open_in_pod(asker.pod, Namespaces::SocketType::kUdp, asker.address, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = server->network_order();
    address.sin_port = htons(kDnsPort);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return Error::from_errno("connect to the cluster's DNS");
    return socket;
}

void Controller::follow(Client& client) {
    ingresses_.on_change(
        lifetime_.bind([this](const CacheChange<Ingress>& change) { on_ingress(change); }));
    classes_.on_change(lifetime_.bind([this](const CacheChange<IngressClass>&) {
        changes_.everything = true;
        work_.mark();
    }));
    services_.on_change(lifetime_.bind([this](const CacheChange<Service>& change) {
        const ObjectKey& key = change.either().key();
        if (key == controller_service()) work_.mark();  // Its address goes into statuses.
        if (compiler_.compiled().services.contains(key)) mark(changes_.services, key);
    }));
    secrets_.on_change(lifetime_.bind([this](const CacheChange<Secret>& change) {
        const ObjectKey& key = change.either().key();
        if (compiler_.compiled().secrets.contains(key)) mark(changes_.secrets, key);
    }));
    client.add_busy_check("ingress", lifetime_.bind([this] {
        return !closed_ && !pods_.empty() && (work_.busy() || proxy_.delivering());
    }));
}

void Controller::on_ingress(const CacheChange<Ingress>& change) {
    const ObjectKey& key = change.either().key();
    statuses_.look_at(key);
    if (has_changed_only_its_status(change)) return work_.mark();
    touched_.insert(key);
    mark(changes_.ingresses, key);
}

void Controller::mark(std::set<ObjectKey>& changed, const ObjectKey& key) {
    changed.insert(key);
    work_.mark();
}

Result<> Controller::start(const Instance& instance) {
    const auto open = [&](uint16_t port) {
        return namespaces_.open_in_pod(instance.pod, Namespaces::SocketType::kTcpListener,
                                       instance.address, port);
    };
    Proxy::Pod pod;
    pod.instance = instance;
    TRY_ASSIGN(pod.http, open(kHttpPort));
    TRY_ASSIGN(pod.https, open(kHttpsPort));
    TRY_ASSIGN(pod.status, open(kStatusPort));
    if (!changes_.empty()) compile();  // No request meets an empty table.
    TRY(proxy_.start(std::move(pod)));
    if (pods_.empty()) touched_ = compiler_.compiled().ingresses;
    pods_[instance.pod] = instance;
    if (instance.log) {
        instance.log(
            cat("kin answers here in place of ingress-nginx, for Ingresses of classes "
                "with the controller ",
                kController));
    }
    work_.mark();
    return Ok{};
}

void Controller::stop(const ObjectKey& pod) {
    if (closed_ || pods_.erase(pod) == 0) return;
    proxy_.stop(pod);
    work_.mark();
}

void Controller::close() { closed_ = true; }

Result<> Controller::update() {
    if (closed_) return Ok{};
    if (pods_.empty()) {
        statuses_.clear();  // Nobody serves any more those that were served.
        statuses_.write();
        return Ok{};
    }
    if (!changes_.empty()) compile();
    look_at_touched();
    expect_findings();
    statuses_.set_addresses(published_addresses(services_.find(controller_service())));
    statuses_.write();
    return Ok{};
}

void Controller::look_at_touched() {
    for (const ObjectKey& key : std::exchange(touched_, {})) {
        const bool ours = compiler_.compiled().ingresses.contains(key);
        statuses_.set_ours(key, ours);
        if (ours)
            greet(*ingresses_.find(key));
        else
            greeted_.erase(key);
    }
}

void Controller::compile() {
    const auto began = std::chrono::steady_clock::now();
    const Changes changes = std::exchange(changes_, Changes::none());
    if (changes.everything) touched_.merge(std::set(compiler_.compiled().ingresses));
    const Compiled& compiled = compiler_.compile(changes);
    if (changes.everything) touched_.merge(std::set(compiled.ingresses));
    proxy_.set_routes(compiled.routes, compiled.gone);
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - began);
    for (const auto& [pod, instance] : pods_) {
        if (!instance.log) continue;
        instance.log(cat("Synced ", compiled.ingresses.size(), " Ingresses: ", compiled.hosts,
                         " hosts, ", compiled.paths, " paths; ", compiled.compiled_hosts,
                         " hosts anew in ", took.count(), " us"));
    }
}

/// As upstream's does, which people look for in `kubectl describe`.
void Controller::greet(const Ingress& ingress) {
    std::pair<std::string, int64_t> version{ingress.meta.uid, ingress.meta.generation};
    auto& known = greeted_[ingress.key()];
    if (known == version) return;
    known = std::move(version);
    record(ingress, "Normal", "Sync", "Scheduled for sync");
}

void Controller::expect_findings() {
    const std::set<Finding>& findings = compiler_.compiled().findings;
    std::erase_if(told_, [&](const Finding& finding) { return !findings.contains(finding); });
    if (told_.size() == findings.size() || telling_.active()) return;
    telling_ = client_.loop().after(kPatience, lifetime_.bind([this] { tell_findings(); }));
}

void Controller::tell_findings() {
    if (closed_ || pods_.empty()) return;
    for (const Finding& finding : compiler_.compiled().findings) {
        const Ingress* ingress = ingresses_.find(finding.ingress);
        if (!ingress || !told_.insert(finding).second) continue;
        record(*ingress, "Warning", finding.reason, finding.message);
    }
}

void Controller::record(const Ingress& ingress, std::string_view type, std::string reason,
                        std::string message) {
    EventNote note;
    note.kind = "Ingress";
    note.api_version = "networking.k8s.io/v1";
    note.key = ingress.key();
    note.uid = ingress.meta.uid;
    note.type = type;
    note.reason = std::move(reason);
    note.message = std::move(message);
    note.component = "nginx-ingress-controller";
    client_.record(std::move(note));
}

}  // namespace kin::ingress
