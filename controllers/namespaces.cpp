#include "controllers/namespaces.h"

#include "controllers/events.h"

namespace kin::controllers {

namespace {
constexpr std::string_view kRootCa = "kube-root-ca.crt";
}

Namespaces::Namespaces(Client& client, std::string ca_certificate)
    : client_(client),
      ca_certificate_(std::move(ca_certificate)),
      namespaces_(client.cache<Namespace>()),
      accounts_(client.cache<ServiceAccount>()),
      maps_(client.cache<ConfigMap>()),
      queue_(client.loop(), {.name = "namespaces"},
             [this](const ObjectKey& key) { return reconcile(key); }) {
    namespaces_.on_change(lifetime_.bind(
        [this](const CacheChange<Namespace>& change) { queue_.add(change.either().key()); }));
    client.watch_metadata(
        lifetime_.bind([this](const Kind& kind, const Metadata* before, const Metadata* now) {
            const Metadata& meta = now ? *now : *before;
            if (meta.key.ns.empty()) return;
            auto& of_kind = contents_[meta.key.ns][&kind];
            if (now) {
                of_kind[meta.key.name] = {now->uid, now->deleting()};
            } else {
                of_kind.erase(meta.key.name);
            }
            const Namespace* ns = namespaces_.find({"", meta.key.ns});
            // Furniture that was taken away comes back; whatever goes may have been the last.
            if (ns && (ns->meta.deleting() || !now)) queue_.add(ns->key());
        }));
    client.add_busy_check("namespaces", lifetime_.bind([this] { return queue_.busy(); }));
}

Client::Done Namespaces::answered(const ObjectKey& key) {
    in_flight_.begin(key);
    return lifetime_.bind([this, key](Answer<Written> answer) { in_flight_.end(key, answer); });
}

Result<> Namespaces::reconcile(const ObjectKey& key) {
    if (!in_flight_.settled(key, client_.seen())) return Ok{};
    const Namespace* ns = namespaces_.find(key);
    if (!ns) {
        contents_.erase(key.name);
    } else if (ns->meta.deleting()) {
        empty(*ns);
    } else {
        furnish(key.name);
    }
    return Ok{};
}

void Namespaces::furnish(const std::string& ns) {
    const ObjectKey key{"", ns};
    if (!accounts_.find({ns, "default"})) {
        client_.create(ServiceAccount::kResource,
                       {{"apiVersion", "v1"},
                        {"kind", "ServiceAccount"},
                        {"metadata", {{"name", "default"}, {"namespace", ns}}}},
                       answered(key));
    }
    const ObjectKey root_ca{ns, std::string(kRootCa)};
    if (const ConfigMap* map = maps_.find(root_ca)) {
        // A cluster that was loaded has a CA of its own here.
        if (string_at(*map->object, {"data", "ca.crt"}) != ca_certificate_) {
            client_.patch(ConfigMap::kResource, root_ca, {{"data", {{"ca.crt", ca_certificate_}}}},
                          answered(key));
        }
    } else {
        client_.create(
            ConfigMap::kResource,
            {{"apiVersion", "v1"},
             {"kind", "ConfigMap"},
             {"metadata",
              {{"name", kRootCa},
               {"namespace", ns},
               {"annotations",
                {{"kubernetes.io/description",
                  "The certificate by which a pod knows the API server of this cluster."}}}}},
             {"data", {{"ca.crt", ca_certificate_}}}},
            answered(key));
    }
}

void Namespaces::empty(const Namespace& terminating) {
    const ObjectKey key = terminating.key();
    const Contents& contents = contents_[key.name];
    const auto remove_all = [&](const Kind& kind, const std::map<std::string, Content>& items) {
        for (const auto& [name, content] : items) {
            if (content.deleting) continue;
            DeleteOptions options = only(content.uid);
            options.propagation = Propagation::kBackground;
            client_.remove(kind.resource(), {key.name, name}, options, answered(key));
        }
    };
    bool pods = false, anything = false;
    for (const auto& [kind, items] : contents) {
        anything = anything || !items.empty();
        if (kind->resource() != Pod::kResource || items.empty()) continue;
        pods = true;
        remove_all(*kind, items);
    }
    // Pods end while the Services, policies and secrets that they use are still there.
    if (pods) return;
    for (const auto& [kind, items] : contents) remove_all(*kind, items);
    if (anything) return;
    Json finalizers = Json::array();
    for (const Json& finalizer : array_at(terminating.spec(), {"finalizers"})) {
        if (finalizer != "kubernetes") finalizers.push_back(finalizer);
    }
    if (finalizers.size() == array_at(terminating.spec(), {"finalizers"}).size()) return;
    client_.patch(Namespace::kResource, key, {{"spec", {{"finalizers", std::move(finalizers)}}}},
                  answered(key), "finalize");
}

}  // namespace kin::controllers
