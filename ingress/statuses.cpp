#include "ingress/statuses.h"

#include "core/base/log.h"

namespace kin::ingress {

namespace {
constexpr std::chrono::milliseconds kTryAgain{500};
const Json kNone = Json::array();

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

void Statuses::set_addresses(Json addresses) {
    if (addresses == addresses_) return;
    addresses_ = std::move(addresses);
    stale_.insert(ours_.begin(), ours_.end());
}

void Statuses::set_ours(const ObjectKey& ingress, bool ours) {
    if (ours ? !ours_.insert(ingress).second : ours_.erase(ingress) == 0) return;
    if (ours)
        leaving_.erase(ingress);
    else
        leaving_.insert(ingress);
    stale_.insert(ingress);
}

void Statuses::clear() {
    for (const ObjectKey& key : std::set<ObjectKey>(ours_)) set_ours(key, false);
}

void Statuses::write() {
    for (auto it = stale_.begin(); it != stale_.end();) it = write(*it) ? stale_.erase(it) : ++it;
}

bool Statuses::write(const ObjectKey& key) {
    const Ingress* ingress = client_.cache<Ingress>().find(key);
    if (!ingress) {
        leaving_.erase(key);
        writing_.erase(key);
        return true;
    }
    const bool ours = ours_.contains(key);
    if (!ours && !leaving_.contains(key)) return true;
    if (const auto written = writing_.find(key); written != writing_.end()) {
        // Its answer brings the key back...
        if (written->second == 0) return true;
        // ...and then its event does.
        if (written->second > client_.seen()) return false;
        writing_.erase(written);
    }
    const Json& wanted = ours ? addresses_ : kNone;
    if (addresses_in(*ingress) != wanted)
        patch(*ingress, wanted);
    else
        leaving_.erase(key);
    return true;
}

void Statuses::patch(const Ingress& ingress, const Json& addresses) {
    const ObjectKey& key = ingress.key();
    writing_[key] = 0;
    const Json wanted = addresses.empty() ? Json() : addresses;
    const auto done = [this, key](const Answer<Written>& answer) {
        stale_.insert(key);
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
