#include "ingress/compile.h"

#include <algorithm>

#include "core/base/strings.h"

namespace kin::ingress {

bool is_ours(const Ingress& ingress, const std::vector<const IngressClass*>& classes) {
    const auto legacy = ingress.meta.annotations.find("kubernetes.io/ingress.class");
    const bool by_annotation = legacy != ingress.meta.annotations.end();
    const std::string& name = by_annotation ? legacy->second : ingress.class_name;
    if (by_annotation && name == "nginx") return true;  // No class of that name needs to be there.
    return std::any_of(classes.begin(), classes.end(), [&](const IngressClass* one) {
        return one->key().name == name && one->controller == kController;
    });
}

Compiler::Compiler(Objects objects)
    : objects_(std::move(objects)),
      backends_(objects_.find_service, objects_.slices_of, objects_.addresses_of) {
    out_.routes = std::make_shared<const RouteTable>();
}

const Compiled& Compiler::compile(const Changes& changes) {
    std::set<ObjectKey> ingresses = changes.ingresses;
    if (changes.everything) {
        backends_.forget_all();
        for (const auto& [key, entry] : entries_) ingresses.insert(key);
        for (ObjectKey& key : objects_.all_ingresses()) ingresses.insert(std::move(key));
    }
    const auto classes =
        ingresses.empty() ? std::vector<const IngressClass*>{} : objects_.classes();
    for (const ObjectKey& key : ingresses) {
        take_out(key);
        take_in(key, classes);
    }
    const auto touch = [&](const ObjectKey& key, const auto& named_by) {
        const auto hosts = named_by.find(key);
        if (hosts != named_by.end()) stale_.insert(hosts->second.begin(), hosts->second.end());
    };
    for (const ObjectKey& key : changes.services) {
        backends_.forget(key);
        touch(key, out_.services);
    }
    for (const ObjectKey& key : changes.secrets) touch(key, out_.secrets);
    compile_hosts();
    return out_;
}

void Compiler::take_out(const ObjectKey& ingress) {
    const auto found = entries_.find(ingress);
    if (found == entries_.end()) return;
    const Entry& entry = found->second;
    for (const auto& [host, share] : entry.shares) {
        by_host_[host].erase({entry.created, ingress});
        stale_.insert(host);
    }
    for (const auto& warning : entry.said.warnings) {
        count({ingress, warning.reason, warning.message}, -1);
    }
    out_.ingresses.erase(ingress);
    entries_.erase(found);
}

void Compiler::take_in(const ObjectKey& key, const std::vector<const IngressClass*>& classes) {
    const Ingress* ingress = objects_.find_ingress(key);
    if (!ingress || !is_ours(*ingress, classes)) return;
    Entry& entry = entries_[key];
    entry.created = ingress->meta.created;
    entry.said = read_annotations(ingress->meta.annotations);
    if (!entry.said.skipped) entry.shares = shares_of(*ingress);
    for (const auto& [host, share] : entry.shares) {
        by_host_[host].insert({entry.created, key});
        stale_.insert(host);
    }
    for (const auto& warning : entry.said.warnings) {
        count({key, warning.reason, warning.message}, 1);
    }
    out_.ingresses.insert(key);
}

std::vector<Source> Compiler::sources_of(const std::string& host) const {
    std::vector<Source> out;
    const auto found = by_host_.find(host);
    if (found == by_host_.end()) return out;
    for (const auto& [created, key] : found->second) {
        const Entry& entry = entries_.at(key);
        out.push_back({objects_.find_ingress(key), &entry.said, &entry.shares.at(host)});
    }
    return out;
}

void Compiler::compile_hosts() {
    Parts parts{backends_, certificates_, regexes_, objects_.find_secret};
    std::map<std::string, RouteTable::HostPtr> changed;
    for (const std::string& host : stale_) {
        HostPiece piece = compile_host(host, sources_of(host), parts);
        changed[to_lower(host)] = piece.host;
        HostPiece& known = pieces_[host];
        replace(host, known, piece);
        known = std::move(piece);
        if (by_host_[host].empty()) {
            pieces_.erase(host);
            by_host_.erase(host);
        }
    }
    out_.compiled_hosts = stale_.size();
    stale_.clear();
    if (!changed.empty()) {
        out_.routes = std::make_shared<const RouteTable>(out_.routes->with(changed));
    }
    forget_unused();
}

namespace {
/// In `index` the host is named by `now` instead of `before`; `less`: who lost it.
void move_names(const std::string& host, const std::set<ObjectKey>& before,
                const std::set<ObjectKey>& now, std::map<ObjectKey, std::set<std::string>>& index,
                std::set<ObjectKey>& less) {
    for (const ObjectKey& key : now) index[key].insert(host);
    for (const ObjectKey& key : before) {
        if (now.contains(key)) continue;
        index[key].erase(host);
        less.insert(key);
    }
}

/// Erases those of `less` that no host is left of; calls `forget` for each.
template <class F>
void erase_unnamed(std::set<ObjectKey>& less, std::map<ObjectKey, std::set<std::string>>& index,
                   F forget) {
    for (const ObjectKey& key : less) {
        const auto found = index.find(key);
        if (found == index.end() || !found->second.empty()) continue;
        index.erase(found);
        forget(key);
    }
    less.clear();
}
}  // namespace

void Compiler::replace(const std::string& host, const HostPiece& before, const HostPiece& now) {
    count(now, 1);  // First: what both have must not seem to be gone.
    count(before, -1);
    move_names(host, before.services, now.services, out_.services, less_services_);
    move_names(host, before.secrets, now.secrets, out_.secrets, less_secrets_);
}

void Compiler::count(const HostPiece& piece, int difference) {
    for (const Finding& finding : piece.findings) count(finding, difference);
    if (!piece.host) return;
    out_.hosts += static_cast<size_t>(difference);
    out_.paths += static_cast<size_t>(difference) * piece.host->locations.size();
    for (const Location& location : piece.host->locations) {
        for (const Endpoint& endpoint : location.backend->endpoints) {
            endpoints_[endpoint] += difference;
            if (difference < 0) less_endpoints_.insert(endpoint);
        }
    }
}

void Compiler::count(const Finding& finding, int difference) {
    const int times = findings_[finding] += difference;
    if (times == 0) {
        findings_.erase(finding);
        out_.findings.erase(finding);
    } else if (times == difference) {
        out_.findings.insert(finding);
    }
}

void Compiler::forget_unused() {
    erase_unnamed(less_services_, out_.services,
                  [this](const ObjectKey& key) { backends_.forget(key); });
    erase_unnamed(less_secrets_, out_.secrets,
                  [this](const ObjectKey& key) { certificates_.forget(key); });
    out_.gone.clear();
    for (const Endpoint& endpoint : less_endpoints_) {
        const auto found = endpoints_.find(endpoint);
        if (found->second != 0) continue;
        endpoints_.erase(found);
        out_.gone.push_back(endpoint);
    }
    less_endpoints_.clear();
}

}  // namespace kin::ingress
