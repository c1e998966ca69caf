#include "core/registry/policy_warnings.h"

#include <algorithm>

#include "core/api/policy_views.h"
#include "core/base/ip.h"
#include "core/base/strings.h"

namespace kin {

namespace {
constexpr uint16_t kDnsPort = 53;
constexpr size_t kMostNames = 3;

/// A pod that answers DNS.
struct Resolver {
    Labels labels, namespace_labels;
    std::optional<Ipv4> address;
};

/// Pods in their node's network, and those that have ended, are no policy's.
bool can_be_isolated(const StoredObject& pod) {
    const auto json = json_of(pod);
    const std::string phase = string_at(*json, {"status", "phase"});
    return !bool_at(*json, {"spec", "hostNetwork"}) && phase != "Succeeded" && phase != "Failed";
}

std::vector<Resolver> resolvers(const StoreTransaction& store) {
    std::vector<Resolver> out;
    const StoredPtr ns = store.find("namespaces", {"", "kube-system"});
    for (const StoredPtr& pod : store.list("pods", "kube-system")) {
        const auto label = pod->labels.find("k8s-app");
        if (label == pod->labels.end() || label->second != "kube-dns") continue;
        out.push_back({pod->labels, ns ? ns->labels : Labels{},
                       Ipv4::parse(string_at(*json_of(*pod), {"status", "podIP"}))});
    }
    return out;
}

bool reaches(const NetworkPolicy& policy, const NetworkPolicyRule& rule, const Resolver& resolver) {
    const bool port =
        rule.ports.empty() || std::ranges::any_of(rule.ports, [](const NetworkPolicyPort& one) {
            // A named port may be that one; who writes it has thought of it.
            return one.protocol == Protocol::kUdp &&
                   (!one.name.empty() || (one.first <= kDnsPort && kDnsPort <= one.last));
        });
    if (!port) return false;
    return rule.peers.empty() ||
           std::ranges::any_of(rule.peers, [&](const NetworkPolicyPeer& peer) {
               if (peer.is_block)
                   return resolver.address && peer.block && peer.block->contains(*resolver.address);
               const bool here = peer.namespaces
                                     ? peer.namespaces->matches(resolver.namespace_labels)
                                     : policy.key().ns == "kube-system";
               return here && peer.pods.matches(resolver.labels);
           });
}

bool lets_dns_through(const NetworkPolicy& policy, const std::vector<Resolver>& resolvers) {
    return std::ranges::any_of(policy.egress, [&](const NetworkPolicyRule& rule) {
        return std::ranges::any_of(
            resolvers, [&](const Resolver& resolver) { return reaches(policy, rule, resolver); });
    });
}

/// Whether pods that such a selector means are about to come.
bool some_template_matches(const LabelSelector& selector, const std::string& ns,
                           const StoreTransaction& store) {
    for (const char* workloads : {"deployments.apps", "statefulsets.apps", "daemonsets.apps",
                                  "replicasets.apps", "jobs.batch", "cronjobs.batch"}) {
        for (const StoredPtr& stored : store.list(workloads, ns)) {
            const auto json = json_of(*stored);
            const Json& job = object_at(*json, {"spec", "jobTemplate"});
            const Json& pod_template =
                object_at(job.empty() ? *json : job, {"spec", "template", "metadata"});
            if (selector.matches(string_map_at(pod_template, {"labels"}))) return true;
        }
    }
    return false;
}

std::string some_of(const std::vector<std::string>& names) {
    if (names.size() <= kMostNames) return join(names, ", ");
    const std::vector<std::string> first(names.begin(), names.begin() + kMostNames);
    return cat(join(first, ", "), " and ", names.size() - kMostNames, " more");
}
}  // namespace

std::vector<std::string> network_policy_warnings(const Json& object,
                                                 const StoreTransaction& store) {
    const auto policy = decode<NetworkPolicy>(std::make_shared<const Json>(object));
    const std::string& ns = policy.key().ns;
    std::vector<StoredPtr> selected;
    for (const StoredPtr& pod : store.list("pods", ns))
        if (policy.selector.matches(pod->labels) && can_be_isolated(*pod)) selected.push_back(pod);
    if (selected.empty()) {
        // A namespace's policy may well come before its pods; one that no label fits is a slip.
        if (policy.selector.empty() || some_template_matches(policy.selector, ns, store)) return {};
        return {cat("this NetworkPolicy selects no pod of namespace ", ns,
                    " now: its podSelector wants ", policy.selector.to_string())};
    }
    const std::vector<Resolver> dns = resolvers(store);
    if (!policy.isolates_egress || dns.empty() || lets_dns_through(policy, dns)) return {};
    std::vector<NetworkPolicy> others;
    for (const StoredPtr& stored : store.list(NetworkPolicy::kResource, ns)) {
        if (stored->key == policy.key()) continue;
        auto other = decode<NetworkPolicy>(json_of(*stored));
        if (other.isolates_egress && lets_dns_through(other, dns))
            others.push_back(std::move(other));
    }
    std::vector<std::string> without;
    for (const StoredPtr& pod : selected) {
        const bool helped = std::ranges::any_of(others, [&](const NetworkPolicy& other) {
            return other.selector.matches(pod->labels);
        });
        if (!helped) without.push_back(pod->key.name);
    }
    if (without.empty()) return {};
    return {cat("this NetworkPolicy takes DNS from ", some_of(without),
                ": no egress rule lets UDP port 53 to the pods of kube-dns through")};
}

}  // namespace kin
