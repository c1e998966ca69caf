#include "core/registry/allocators.h"

#include "core/base/strings.h"

namespace kin {

namespace {
bool needs_cluster_ip(const Json& service) {
    return string_at(service, {"spec", "type"}, "ClusterIP") != "ExternalName";
}

bool needs_node_ports(const Json& service) {
    const std::string type = string_at(service, {"spec", "type"});
    if (type == "LoadBalancer") {
        return bool_at(service, {"spec", "allocateLoadBalancerNodePorts"}, true);
    }
    return type == "NodePort";
}

ObjectKey key_of(const Json& object) {
    return {string_at(object, {"metadata", "namespace"}), string_at(object, {"metadata", "name"})};
}

Status invalid_service(const Json& service, Cause cause) {
    const Kind* kind = find_resource("services");
    return invalid(*kind, string_at(service, {"metadata", "name"}), {std::move(cause)});
}

/// Refuses what only a cluster with IPv6 could give. Whoever writes the endpoints of a headless
/// Service by hand may say what he likes.
Answer<Ok> check_families(const Json& service, const Json* old) {
    const Json& spec = object_at(service, {"spec"});
    const bool by_hand = string_at(spec, {"clusterIP"}) == "None" && !spec.contains("selector");
    if (!needs_cluster_ip(service) || by_hand) return Ok{};
    const auto is_new = [&](const char* field) {
        const Json* held = old ? find(*old, {"spec", field}) : nullptr;
        return !held || *held != spec[field];
    };
    const Json& families = array_at(spec, {"ipFamilies"});
    for (size_t i = 0; i < families.size(); ++i) {
        if (families[i] != "IPv6" || !is_new("ipFamilies")) continue;
        return invalid_service(service, field_invalid(cat("spec.ipFamilies[", i, ']'), "IPv6",
                                                      "not configured on this cluster"));
    }
    if (string_at(spec, {"ipFamilyPolicy"}) == "RequireDualStack" && is_new("ipFamilyPolicy")) {
        return invalid_service(
            service, field_invalid("spec.ipFamilyPolicy", "RequireDualStack",
                                   "this cluster is not configured for dual-stack services"));
    }
    return Ok{};
}

std::string protocol_of_port(const Json& port) { return string_at(port, {"protocol"}, "TCP"); }
}  // namespace

void ServiceAllocators::rebuild(const Store& store) {
    ips_.clear();
    ports_.clear();
    for (const StoredPtr& stored : store.list("services", "").objects) {
        note(*json_of(*stored));
    }
}

Answer<Ok> ServiceAllocators::allocate(Json& service, const Json* old, DryRun dry_run) {
    const ObjectKey key = key_of(service);
    TRY(check_families(service, old));
    TRY(choose_cluster_ip(service, key));
    TRY(choose_node_ports(service, key));
    if (dry_run == DryRun::kYes) return Ok{};
    if (old) release(*old);
    note(service);
    return Ok{};
}

void ServiceAllocators::release(const Json& service) {
    if (const auto ip = Ipv4::parse(string_at(service, {"spec", "clusterIP"}))) ips_.erase(*ip);
    for (const Json& port : array_at(service, {"spec", "ports"})) {
        ports_.erase(static_cast<uint16_t>(int_at(port, {"nodePort"})));
    }
    ports_.erase(static_cast<uint16_t>(int_at(service, {"spec", "healthCheckNodePort"})));
}

void ServiceAllocators::note(const Json& service) {
    const ObjectKey key = key_of(service);
    if (const auto ip = Ipv4::parse(string_at(service, {"spec", "clusterIP"}))) ips_[*ip] = key;
    for (const Json& port : array_at(service, {"spec", "ports"})) {
        const int64_t number = int_at(port, {"nodePort"});
        if (number > 0) ports_[static_cast<uint16_t>(number)] = key;
    }
    const int64_t health = int_at(service, {"spec", "healthCheckNodePort"});
    if (health > 0) ports_[static_cast<uint16_t>(health)] = key;
}

Answer<Ok> ServiceAllocators::choose_cluster_ip(Json& service, const ObjectKey& key) {
    Json& spec = service["spec"];
    if (!needs_cluster_ip(service)) {
        spec.erase("clusterIP");
        spec.erase("clusterIPs");
        return Ok{};
    }
    const std::string asked = string_at(spec, {"clusterIP"});
    if (asked == "None") {
        spec["clusterIPs"] = Json::array({"None"});
        return Ok{};
    }
    const auto refuse = [&](std::string_view why) {
        return invalid_service(service,
                               field_invalid("spec.clusterIPs", Json::array({asked}),
                                             cat("failed to allocate IP ", asked, ": ", why)));
    };
    if (!asked.empty()) {
        const auto ip = Ipv4::parse(asked);
        // The first and the last address name the network and everybody in it.
        const Cidr& cidr = options_.service_cidr;
        const auto last = cidr.address.plus(static_cast<uint32_t>(cidr.size()) - 1);
        if (!ip || !cidr.contains(*ip) || *ip == cidr.address || *ip == last) {
            return refuse(
                cat("the provided IP is not in the valid range. The range of valid IPs is ",
                    options_.service_cidr));
        }
        const auto holder = ips_.find(*ip);
        if (holder != ips_.end() && holder->second != key) {
            return refuse("provided IP is already allocated");
        }
        spec["clusterIPs"] = Json::array({asked});
        return Ok{};
    }
    const auto ip = free_ip();
    if (!ip) return internal_error("failed to allocate a serviceIP: range is full");
    spec["clusterIP"] = ip->to_string();
    spec["clusterIPs"] = Json::array({ip->to_string()});
    return Ok{};
}

std::optional<Ipv4> ServiceAllocators::free_ip() {
    // The low end stays free for addresses that people choose (KEP-3070): 256 of a /16.
    const Cidr& cidr = options_.service_cidr;
    const auto size = static_cast<uint32_t>(cidr.size());
    const uint32_t reserved = std::min<uint32_t>(256, std::max<uint32_t>(16, size / 16));
    const auto search = [&](uint32_t first, uint32_t end) -> std::optional<Ipv4> {
        if (first >= end) return {};
        const uint32_t count = end - first;
        const uint32_t start = random_() % count;
        for (uint32_t i = 0; i < count; ++i) {
            const Ipv4 ip = cidr.address.plus(first + (start + i) % count);
            if (!ips_.contains(ip)) return ip;
        }
        return {};
    };
    if (const auto ip = search(reserved, size - 1)) return ip;
    return search(1, reserved);
}

std::optional<std::string> ServiceAllocators::why_not(int64_t number, const ObjectKey& key,
                                                      const std::set<uint16_t>& just_taken) const {
    if (number < options_.node_port_first || number > options_.node_port_last) {
        return cat("provided port is not in the valid range. The range of valid ports is ",
                   options_.node_port_first, '-', options_.node_port_last);
    }
    const auto holder = ports_.find(static_cast<uint16_t>(number));
    const bool taken = (holder != ports_.end() && holder->second != key) ||
                       just_taken.contains(static_cast<uint16_t>(number));
    if (taken) return "provided port is already allocated";
    return {};
}

Answer<Ok> ServiceAllocators::choose_node_ports(Json& service, const ObjectKey& key) {
    Json* ports = find(service, {"spec", "ports"});
    const std::string type = string_at(service, {"spec", "type"});
    if (!ports || !ports->is_array() || (type != "NodePort" && type != "LoadBalancer")) return Ok{};
    // A balancer may do without; numbers that it asks for are numbers all the same.
    const bool gives = needs_node_ports(service);
    std::set<uint16_t> just_taken;
    // TCP and UDP of one port (a DNS server's) share their node port.
    std::map<int64_t, int64_t> of_port;
    for (size_t i = 0; i < ports->size(); ++i) {
        const int64_t asked = int_at((*ports)[i], {"nodePort"});
        const int64_t port = int_at((*ports)[i], {"port"});
        if (asked == 0 || of_port[port] == asked) continue;
        if (const auto why = why_not(asked, key, just_taken)) {
            return invalid_service(service,
                                   field_invalid(cat("spec.ports[", i, "].nodePort"), asked, *why));
        }
        just_taken.insert(static_cast<uint16_t>(asked));
        of_port.insert_or_assign(port, asked);
    }
    for (Json& port : *ports) {
        if (!gives || int_at(port, {"nodePort"}) != 0) continue;
        int64_t& shared = of_port[int_at(port, {"port"})];
        if (shared == 0) {
            const auto number = free_port(just_taken);
            if (!number) return internal_error("failed to allocate a nodePort: range is full");
            just_taken.insert(*number);
            shared = *number;
        }
        port["nodePort"] = shared;
    }
    return choose_health_check_port(service, key, just_taken);
}

/// The port by which balancers ask a node whether it has endpoints of its own.
Answer<Ok> ServiceAllocators::choose_health_check_port(Json& service, const ObjectKey& key,
                                                       std::set<uint16_t> just_taken) {
    Json& spec = service["spec"];
    if (string_at(spec, {"type"}) != "LoadBalancer" ||
        string_at(spec, {"externalTrafficPolicy"}) != "Local") {
        return Ok{};
    }
    const int64_t asked = int_at(spec, {"healthCheckNodePort"});
    if (asked != 0) {
        if (const auto why = why_not(asked, key, just_taken)) {
            return internal_error(
                cat("failed to allocate requested HealthCheck NodePort ", asked, ": ", *why));
        }
        return Ok{};
    }
    const auto number = free_port(just_taken);
    if (!number) return internal_error("failed to allocate a HealthCheck NodePort: range is full");
    spec["healthCheckNodePort"] = *number;
    return Ok{};
}

std::optional<uint16_t> ServiceAllocators::free_port(const std::set<uint16_t>& just_taken) {
    // The low end stays free for ports that people choose (KEP-3668): 86 of the usual range.
    const uint32_t count = options_.node_port_last - options_.node_port_first + 1U;
    const uint32_t reserved = std::min<uint32_t>(128, std::max<uint32_t>(16, count / 32));
    const uint32_t start = random_() % count;
    std::optional<uint16_t> low;
    for (uint32_t i = 0; i < count; ++i) {
        const uint32_t offset = (start + i) % count;
        const auto number = static_cast<uint16_t>(options_.node_port_first + offset);
        if (ports_.contains(number) || just_taken.contains(number)) continue;
        if (offset >= reserved) return number;
        if (!low) low = number;
    }
    return low;
}

void choose_families(Json& service, const Json* old) {
    Json& spec = service["spec"];
    if (!needs_cluster_ip(service)) return;
    if (old && needs_cluster_ip(*old)) {
        for (const char* key : {"ipFamilies", "ipFamilyPolicy"})
            if (const Json* held = find(*old, {"spec", key}); held && !spec.contains(key))
                spec[key] = *held;
    }
    const std::string ip = string_at(spec, {"clusterIP"});
    // Whoever writes the endpoints of a headless Service may use both families.
    const bool anything = ip == "None" && !spec.contains("selector");
    if (!spec.contains("ipFamilyPolicy"))
        spec["ipFamilyPolicy"] =
            anything && !spec.contains("ipFamilies") ? "RequireDualStack" : "SingleStack";
    if (spec.contains("ipFamilies")) return;
    const bool six = ip.find(':') != std::string::npos;
    spec["ipFamilies"] = Json::array({six ? "IPv6" : "IPv4"});
    if (anything && spec["ipFamilyPolicy"] != "SingleStack") spec["ipFamilies"].push_back("IPv6");
}

void carry_over_service(const Json& old, Json& service) {
    Json& spec = service["spec"];
    const std::string old_type = string_at(old, {"spec", "type"}, "ClusterIP");
    const std::string type = string_at(spec, {"type"}, "ClusterIP");
    if (type == "ExternalName") {
        for (const char* field : {"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy",
                                  "healthCheckNodePort", "internalTrafficPolicy"}) {
            spec.erase(field);
        }
        if (Json* ports = find(spec, "ports")) {
            for (Json& port : *ports) port.erase("nodePort");
        }
        return;
    }
    if (string_at(spec, {"clusterIP"}).empty() && old_type != "ExternalName") {
        for (const char* field : {"clusterIP", "clusterIPs"}) {
            if (const Json* value = find(old, {"spec", field})) spec[field] = *value;
        }
    }
    Json* ports = find(spec, "ports");
    if (!ports || !ports->is_array()) return;
    const bool uses_node_ports = type == "NodePort" || type == "LoadBalancer";
    if (!uses_node_ports) spec.erase("healthCheckNodePort");
    if (type != "LoadBalancer") spec.erase("allocateLoadBalancerNodePorts");
    if (uses_node_ports) return;
    // A port that the old type had given goes with that type; one the caller adds is judged.
    for (Json& port : *ports) {
        const Json* before = nullptr;
        for (const Json& candidate : array_at(old, {"spec", "ports"})) {
            if (int_at(candidate, {"port"}) == int_at(port, {"port"}) &&
                protocol_of_port(candidate) == protocol_of_port(port)) {
                before = &candidate;
            }
        }
        const int64_t held = before ? int_at(*before, {"nodePort"}) : 0;
        if (int_at(port, {"nodePort"}) == held) port.erase("nodePort");
    }
}

}  // namespace kin
