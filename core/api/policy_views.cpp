#include "core/api/policy_views.h"

#include "core/api/view_fields.h"
#include "core/base/strings.h"

namespace kin {

namespace {
/// A block whose address may have host bits: they do not count. Nothing if it is not IPv4.
std::optional<Cidr> read_block(const std::string& text) {
    const size_t slash = text.find('/');
    const auto address = Ipv4::parse(text.substr(0, slash));
    const auto bits = slash == std::string::npos
                          ? std::nullopt
                          : parse_number<uint8_t>(std::string_view(text).substr(slash + 1));
    if (!address || !bits || *bits > 32) return {};
    Cidr block{*address, *bits};
    block.address.value &= block.mask();
    return block;
}

NetworkPolicyPort read_port(const Json& json) {
    NetworkPolicyPort out;
    out.protocol = protocol_of(string_at(json, {"protocol"}, "TCP"));
    const Json* port = find(json, "port");
    if (!port) return out;
    if (port->is_string()) {
        out.name = string_at(json, {"port"});
        return out;
    }
    out.first = static_cast<uint16_t>(int_at(json, {"port"}));
    out.last = static_cast<uint16_t>(int_at(json, {"endPort"}, out.first));
    return out;
}

NetworkPolicyPeer read_peer(const Json& json) {
    NetworkPolicyPeer out;
    if (const Json* block = find(json, "ipBlock")) {
        out.is_block = true;
        out.block = read_block(string_at(*block, {"cidr"}));
        for (const Json& one : array_at(*block, {"except"})) {
            if (!one.is_string()) continue;
            if (const auto except = read_block(one.get<std::string>()))
                out.except.push_back(*except);
        }
        return out;
    }
    if (const Json* namespaces = find(json, "namespaceSelector"))
        out.namespaces = LabelSelector::from_json(*namespaces);
    if (const Json* pods = find(json, "podSelector")) out.pods = LabelSelector::from_json(*pods);
    return out;
}

std::vector<NetworkPolicyRule> read_rules(const Json& list, std::string_view peers) {
    std::vector<NetworkPolicyRule> out;
    for (const Json& json : list) {
        NetworkPolicyRule rule;
        for (const Json& peer : array_at(json, {peers})) rule.peers.push_back(read_peer(peer));
        for (const Json& port : array_at(json, {"ports"})) rule.ports.push_back(read_port(port));
        out.push_back(std::move(rule));
    }
    return out;
}
}  // namespace

template <>
NetworkPolicy decode(std::shared_ptr<const Json> object) {
    auto view = with_metadata<NetworkPolicy>(std::move(object));
    view.selector = LabelSelector::from_json(object_at(view.spec(), {"podSelector"}));
    for (const Json& type : array_at(view.spec(), {"policyTypes"})) {
        if (type == "Ingress") view.isolates_ingress = true;
        if (type == "Egress") view.isolates_egress = true;
    }
    view.ingress = read_rules(array_at(view.spec(), {"ingress"}), "from");
    view.egress = read_rules(array_at(view.spec(), {"egress"}), "to");
    return view;
}

}  // namespace kin
