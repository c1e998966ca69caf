#include "ingress/controller.h"

#include <chrono>

#include "core/base/strings.h"

namespace kin::ingress {

namespace {
constexpr uint16_t kHttpPort = 80, kHttpsPort = 443, kStatusPort = 10254;
/// What is amiss for less is not worth an Event: an Ingress often comes before what it names.
constexpr std::chrono::milliseconds kPatience{500};

size_t count_paths(const Compiled& compiled) {
    size_t paths = 0;
    for (const VirtualHost& host : compiled.routes->hosts()) paths += host.locations.size();
    return paths;
}

bool has_changed_only_its_status(const CacheChange<Ingress>& change) {
    return change.before && change.now && change.before->meta.uid == change.now->meta.uid &&
           change.before->meta.generation == change.now->meta.generation &&
           change.before->meta.annotations == change.now->meta.annotations;
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
                  if (compiled_.services.contains(service)) mark_stale();
              }),
      statuses_(client, [this] { work_.mark(); }),
      work_(client.loop(), {.name = "ingress"}, [this] { return update(); }) {
    follow(client);
}

void Controller::follow(Client& client) {
    ingresses_.on_change(
        lifetime_.bind([this](const CacheChange<Ingress>& change) { on_ingress(change); }));
    classes_.on_change(lifetime_.bind([this](const CacheChange<IngressClass>&) { mark_stale(); }));
    services_.on_change(lifetime_.bind([this](const CacheChange<Service>& change) {
        const ObjectKey& key = change.either().key();
        if (key == controller_service()) work_.mark();  // Its address goes into statuses.
        if (compiled_.services.contains(key)) mark_stale();
    }));
    secrets_.on_change(lifetime_.bind([this](const CacheChange<Secret>& change) {
        if (compiled_.secrets.contains(change.either().key())) mark_stale();
    }));
    client.add_busy_check("ingress", lifetime_.bind([this] {
        return !closed_ && !pods_.empty() && (work_.busy() || proxy_.delivering());
    }));
}

void Controller::on_ingress(const CacheChange<Ingress>& change) {
    if (has_changed_only_its_status(change)) return work_.mark();
    mark_stale();
}

void Controller::mark_stale() {
    stale_ = true;
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
    if (stale_) compile();  // No request meets an empty table.
    TRY(proxy_.start(std::move(pod)));
    pods_[instance.pod] = instance.log;
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
        return Ok{};
    }
    if (stale_) compile();
    for (const ObjectKey& key : compiled_.ingresses) {
        if (const Ingress* ingress = ingresses_.find(key)) greet(*ingress);
    }
    std::erase_if(greeted_,
                  [&](const auto& known) { return !compiled_.ingresses.contains(known.first); });
    expect_findings();
    statuses_.set(compiled_.ingresses, published_addresses(services_.find(controller_service())));
    return Ok{};
}

void Controller::compile() {
    stale_ = false;
    const auto began = std::chrono::steady_clock::now();
    Objects objects;
    ingresses_.each([&](const Ingress& one) { objects.ingresses.push_back(&one); });
    classes_.each([&](const IngressClass& one) { objects.classes.push_back(&one); });
    objects.find_service = [this](const ObjectKey& key) { return services_.find(key); };
    objects.slices_of = [this](const ObjectKey& key) { return slices_.of(key); };
    objects.find_secret = [this](const ObjectKey& key) { return secrets_.find(key); };
    compiled_ = compiler_.compile(objects);
    proxy_.set_routes(compiled_.routes);
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - began);
    for (const auto& [pod, log] : pods_) {
        if (!log) continue;
        log(cat("Synced ", compiled_.ingresses.size(),
                " Ingresses: ", compiled_.routes->hosts().size(), " hosts, ",
                count_paths(compiled_), " paths in ", took.count(), " us"));
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
    std::erase_if(told_,
                  [&](const Finding& finding) { return !compiled_.findings.contains(finding); });
    if (told_.size() == compiled_.findings.size() || telling_.active()) return;
    telling_ = client_.loop().after(kPatience, lifetime_.bind([this] { tell_findings(); }));
}

void Controller::tell_findings() {
    if (closed_ || pods_.empty()) return;
    for (const Finding& finding : compiled_.findings) {
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
