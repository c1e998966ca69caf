#include "ingress/statuses.h"

#include "core/base/log.h"

namespace kin::ingress {

namespace {
constexpr std::chrono::milliseconds kTryAgain{500};

void add_addresses(Json& out, const std::vector<std::string>& addresses) {
    for (const std::string& address : addresses) out.push_back({{"ip", address}});
}

/// What the status says now, ports and modes aside.
Json addresses_in(const Ingress& ingress) {
    Json out = Json::array();
    for (const Json& one : array_at(ingress.status(), {"loadBalancer", "ingress"})) {
        Json address = Json::object();
        for (const char* field : {"ip", "hostname"}) {
            if (const Json* value = find(one, field)) address[field] = *value;
        }
        out.push_back(std::move(address));
    }
    return out;
}
}  // namespace

Json published_addresses(const Service* service) {
    Json out = Json::array();
    if (!service) return out;
    if (service->type == "ExternalName") {
        out.push_back({{"hostname", service->external_name}});
    } else if (service->load_balanced()) {
        add_addresses(out, service->load_balancer_ips);
        add_addresses(out, service->external_ips);
    } else if (!service->external_ips.empty()) {
        add_addresses(out, service->external_ips);
    } else if (!service->cluster_ip.empty() && !service->headless()) {
        add_addresses(out, {service->cluster_ip});
    }
    return out;
}

void Statuses::set(const std::set<ObjectKey>& ours, const Json& addresses) {
    const Cache<Ingress>& ingresses = client_.cache<Ingress>();
    std::set<ObjectKey> served = ours;
    for (const ObjectKey& key : served_) {
        const Ingress* ingress = ours.contains(key) ? nullptr : ingresses.find(key);
        if (!ingress || addresses_in(*ingress).empty()) continue;
        write(*ingress, Json::array());
        served.insert(key);  // Until it shows.
    }
    for (const ObjectKey& key : ours) {
        if (const Ingress* ingress = ingresses.find(key)) write(*ingress, addresses);
    }
    served_ = std::move(served);
}

void Statuses::write(const Ingress& ingress, const Json& addresses) {
    const ObjectKey& key = ingress.key();
    if (const auto written = writing_.find(key); written != writing_.end()) {
        // Its answer or its event brings the key back.
        if (written->second == 0 || written->second > client_.seen()) return;
        writing_.erase(written);
    }
    if (addresses_in(ingress) == addresses) return;
    writing_[key] = 0;
    const Json wanted = addresses.empty() ? Json() : addresses;
    const auto done = [this, key](const Answer<Written>& answer) {
        if (answer) {
            writing_[key] = answer->revision;
            return again_();
        }
        writing_.erase(key);
        if (answer.error().code == 404) return;
        log_warn("ingress", answer.error().message, {{"ingress", key.to_string()}});
        if (!retry_.active()) retry_ = client_.loop().after(kTryAgain, again_);
    };
    client_.patch_status(Ingress::kResource, key, {{"loadBalancer", {{"ingress", wanted}}}},
                         lifetime_.bind(done));
}

}  // namespace kin::ingress
