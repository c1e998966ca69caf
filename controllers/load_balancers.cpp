#include "controllers/load_balancers.h"

#include "controllers/events.h"
#include "core/base/strings.h"

namespace kin::controllers {

namespace {
constexpr Reporter kReporter{"Service", "v1", "service-controller"};

bool is_ours(const Service& service) {
    return service.load_balanced() && service.load_balancer_class.empty() &&
           !service.meta.deleting();
}
}  // namespace

std::optional<Ipv4> choose_address(const Cidr& pool, const std::map<Ipv4, ObjectKey>& held,
                                   const ObjectKey& service, std::optional<Ipv4> wished) {
    const auto is_free = [&](Ipv4 address) {
        const auto holder = held.find(address);
        return holder == held.end() || holder->second == service;
    };
    const auto last = static_cast<uint32_t>(pool.size() - 1);
    if (wished) {
        const bool usable =
            pool.contains(*wished) && *wished != pool.address && *wished != pool.address.plus(last);
        return usable && is_free(*wished) ? wished : std::nullopt;
    }
    for (uint32_t offset = 1; offset < last; ++offset) {
        if (is_free(pool.address.plus(offset))) return pool.address.plus(offset);
    }
    return std::nullopt;
}

LoadBalancers::LoadBalancers(Client& client, Cidr pool)
    : client_(client),
      pool_(pool),
      services_(client.cache<Service>()),
      work_(client.loop(), {.name = "load_balancers"},
            [this](const ObjectKey& key) { return reconcile(key); }) {
    services_.on_change(
        lifetime_.bind([this](const CacheChange<Service>& change) { on_service(change); }));
    client.add_busy_check("load_balancers", lifetime_.bind([this] { return work_.busy(); }));
}

void LoadBalancers::on_service(const CacheChange<Service>& change) {
    const ObjectKey& key = change.either().key();
    if (change.before) {
        for (const std::string& text : change.before->load_balancer_ips) {
            const auto address = Ipv4::parse(text);
            const auto held = address ? held_.find(*address) : held_.end();
            if (held != held_.end() && held->second == key) held_.erase(held);
        }
    }
    if (change.now) {
        for (const std::string& text : change.now->load_balancer_ips) {
            if (const auto address = Ipv4::parse(text)) held_.emplace(*address, key);
        }
    }
    const bool matters =
        (change.before && change.before->load_balanced()) ||
        (change.now && (change.now->load_balanced() || !change.now->load_balancer_ips.empty()));
    if (matters) work_.add(key);
}

Result<> LoadBalancers::reconcile(const ObjectKey& key) {
    const auto written = writing_.find(key);
    if (written != writing_.end()) {
        // Its answer or its event brings the key back.
        if (written->second == 0 || written->second > client_.seen()) return Ok{};
        writing_.erase(written);
    }
    const Service* service = services_.find(key);
    if (!service) {
        std::erase_if(held_, [&](const auto& held) { return held.second == key; });
        return Ok{};
    }
    if (is_ours(*service)) return give(*service);
    if (!service->load_balanced() && !service->load_balancer_ips.empty()) {
        write(*service, std::nullopt);
    }
    return Ok{};
}

Result<> LoadBalancers::give(const Service& service) {
    const std::string& wish = service.load_balancer_ip;
    const bool has_one = service.load_balancer_ips.size() == 1;
    if (has_one && (wish.empty() || wish == service.load_balancer_ips.front())) return Ok{};
    const auto wished = Ipv4::parse(wish);
    const auto address = choose_address(pool_, held_, service.key(), wished);
    if (!address || (!wish.empty() && !wished)) {
        const std::string why =
            wish.empty() ? cat("no address is left in ", pool_)
                         : cat("loadBalancerIP ", wish, " is not a free address of ", pool_);
        record(client_, kReporter, service.meta, EventType::kWarning, "SyncLoadBalancerFailed",
               cat("Error syncing load balancer: failed to ensure load balancer: ", why));
        return Error(Errc::kConflict, cat(service.key().to_string(), ": ", why));
    }
    record(client_, kReporter, service.meta, EventType::kNormal, "EnsuringLoadBalancer",
           "Ensuring load balancer");
    held_.emplace(*address, service.key());
    write(service, address);
    return Ok{};
}

void LoadBalancers::write(const Service& service, std::optional<Ipv4> address) {
    const ObjectKey key = service.key();
    Json ingress;
    if (address) ingress = Json::array({{{"ip", address->to_string()}, {"ipMode", "VIP"}}});
    writing_[key] = 0;
    client_.patch_status(
        Service::kResource, key, {{"loadBalancer", {{"ingress", std::move(ingress)}}}},
        lifetime_.bind([this, key, address, meta = service.meta](const Answer<Written>& answer) {
            if (answer) {
                writing_[key] = answer->revision;
                if (address) {
                    record(client_, kReporter, meta, EventType::kNormal, "EnsuredLoadBalancer",
                           "Ensured load balancer");
                }
            } else {
                writing_.erase(key);
                if (address) held_.erase(*address);
            }
            work_.add_after(key, std::chrono::milliseconds(answer ? 0 : 500));
        }));
}

}  // namespace kin::controllers
