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

std::string protocol_of_port(const Json& port) { return string_at(port, {"protocol"}, "TCP"); }
}  // namespace

void ServiceAllocators::rebuild(const Store& store) {
    ips_.clear();
    ports_.clear();
    for (const StoredPtr& stored : store.list("services", "").objects) {
        if (const auto service = parse_json(stored->body)) note(*service);
    }
}

Answer<Ok> ServiceAllocators::allocate(Json& service, const Json* old, DryRun dry_run) {
    const ObjectKey key = key_of(service);
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
        const int64_t number = int_at(port, {"nodePort"});
        if (number > 0) ports_.erase({static_cast<uint16_t>(number), protocol_of_port(port)});
    }
}

void ServiceAllocators::note(const Json& service) {
    const ObjectKey key = key_of(service);
    if (const auto ip = Ipv4::parse(string_at(service, {"spec", "clusterIP"}))) ips_[*ip] = key;
    for (const Json& port : array_at(service, {"spec", "ports"})) {
        const int64_t number = int_at(port, {"nodePort"});
        if (number > 0) ports_[{static_cast<uint16_t>(number), protocol_of_port(port)}] = key;
    }
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
        return invalid_service(service, field_invalid("spec.clusterIPs", Json::array({asked}),
                                                      cat("failed to allocate IP ", asked, ": ", why)));
    };
    if (!asked.empty()) {
        const auto ip = Ipv4::parse(asked);
        if (!ip || !options_.service_cidr.contains(*ip)) {
            return refuse(cat("the provided IP is not in the valid range. The range of valid IPs is ",
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

Answer<Ok> ServiceAllocators::choose_node_ports(Json& service, const ObjectKey& key) {
    Json* ports = find(service, {"spec", "ports"});
    if (!ports || !ports->is_array() || !needs_node_ports(service)) return Ok{};
    std::map<std::string, uint16_t> just_taken;  // "TCP:30080", within this Service
    for (size_t i = 0; i < ports->size(); ++i) {
        const int64_t asked = int_at((*ports)[i], {"nodePort"});
        if (asked == 0) continue;
        const std::string field = cat("spec.ports[", i, "].nodePort");
        if (asked < options_.node_port_first || asked > options_.node_port_last) {
            return invalid_service(
                service, field_invalid(field, asked,
                                       cat("provided port is not in the valid range. The range of "
                                           "valid ports is ",
                                           options_.node_port_first, '-', options_.node_port_last)));
        }
        const std::string protocol = protocol_of_port((*ports)[i]);
        const auto holder = ports_.find({static_cast<uint16_t>(asked), protocol});
        if (holder != ports_.end() && holder->second != key) {
            return invalid_service(
                service, field_invalid(field, asked, "provided port is already allocated"));
        }
        just_taken[cat(protocol, ':', asked)] = static_cast<uint16_t>(asked);
    }
    for (Json& port : *ports) {
        if (int_at(port, {"nodePort"}) != 0) continue;
        const std::string protocol = protocol_of_port(port);
        const auto number = free_port(protocol, just_taken);
        if (!number) return internal_error("failed to allocate a nodePort: range is full");
        port["nodePort"] = *number;
        just_taken[cat(protocol, ':', *number)] = *number;
    }
    return Ok{};
}

std::optional<uint16_t> ServiceAllocators::free_port(
    std::string_view protocol, const std::map<std::string, uint16_t>& just_taken) {
    // The low end stays free for ports that people choose (KEP-3668): 86 of the usual range.
    const uint32_t count = options_.node_port_last - options_.node_port_first + 1U;
    const uint32_t reserved = std::min<uint32_t>(128, std::max<uint32_t>(16, count / 32));
    const uint32_t start = random_() % count;
    std::optional<uint16_t> low;
    for (uint32_t i = 0; i < count; ++i) {
        const uint32_t offset = (start + i) % count;
        const auto number = static_cast<uint16_t>(options_.node_port_first + offset);
        if (ports_.contains({number, std::string(protocol)})) continue;
        if (just_taken.contains(cat(protocol, ':', number))) continue;
        if (offset >= reserved) return number;
        if (!low) low = number;
    }
    return low;
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
    for (Json& port : *ports) {
        const Json* before = nullptr;
        for (const Json& candidate : array_at(old, {"spec", "ports"})) {
            if (int_at(candidate, {"port"}) == int_at(port, {"port"}) &&
                protocol_of_port(candidate) == protocol_of_port(port)) {
                before = &candidate;
            }
        }
        const int64_t held = before ? int_at(*before, {"nodePort"}) : 0;
        if (uses_node_ports && int_at(port, {"nodePort"}) == 0 && held != 0) {
            port["nodePort"] = held;
        }
        // A port that the old type had given goes with that type; one the caller adds is judged.
        if (!uses_node_ports && int_at(port, {"nodePort"}) == held) port.erase("nodePort");
    }
    if (!uses_node_ports) spec.erase("healthCheckNodePort");
    if (type != "LoadBalancer") spec.erase("allocateLoadBalancerNodePorts");
}

}  // namespace kin
