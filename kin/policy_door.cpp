#include "kin/policy_door.h"

#include <algorithm>
#include <future>
#include <tuple>

#include "core/base/strings.h"
#include "kin/answers.h"

namespace kin {

namespace {
/// A dropped SYN comes again after a second: who has not answered until then does not.
constexpr std::chrono::milliseconds kTimeout{700};

/// "shop/web" or, in `ns`, "web".
ObjectKey key_in(const std::string& name, const std::string& ns) {
    const size_t slash = name.find('/');
    if (slash == std::string::npos) return {ns, name};
    return {name.substr(0, slash), name.substr(slash + 1)};
}

}  // namespace

Json drop_json(const policy::Drop& drop) {
    return {{"number", drop.number},
            {"time", rfc3339(drop.time)},
            {"node", drop.node},
            {"direction", policy::name_of(drop.direction)},
            {"from", drop.from},
            {"to", drop.to},
            {"protocol", policy::protocol_text(drop.dropped.packet.l4)},
            {"port", drop.dropped.packet.port},
            {"packets", drop.packets},
            {"why", drop.why},
            {"text", drop.to_string()}};
}

namespace {
Json outcome_json(const policy::Outcome& outcome) {
    return {{"meant", policy::name_of(outcome.meant)},
            {"tried", policy::name_of(outcome.what)},
            {"detail", outcome.detail},
            {"why", outcome.why},
            {"agrees", outcome.agrees()}};
}
}  // namespace

/// What was named as the other end.
struct PolicyDoor::Target {
    Ipv4 dialed;
    uint16_t port = 0;
    std::vector<End> ends;  ///< behind a Service, or itself
    std::string title;
};

http::Response PolicyDoor::flows(const http::Request& request) {
    const uint64_t after = parse_number<uint64_t>(request.query.get("after")).value_or(0);
    Json items = Json::array();
    client_.loop().call([&] {
        for (const policy::Drop& drop : enforcer_.drops().after(after))
            items.push_back(drop_json(drop));
    });
    return json_response(200, {{"dropped", std::move(items)}});
}

Result<const Pod*> PolicyDoor::find_pod(const std::string& name, const std::string& ns) const {
    const ObjectKey key = key_in(name, ns);
    const Pod* pod = client_.cache<Pod>().find(key);
    if (!pod) return Error(Errc::kNotFound, cat("there is no pod ", key));
    if (pod->host_network) {
        return Error(Errc::kInvalid, cat("pod ", key,
                                         " is in its node's network, which no policy "
                                         "isolates"));
    }
    if (!Ipv4::parse(pod->ip))
        return Error(Errc::kInvalid, cat("pod ", key, " has no address yet"));
    return pod;
}

std::vector<PolicyDoor::End> PolicyDoor::ends_behind(const Service& service,
                                                     const ServicePort& port) const {
    std::vector<End> out;
    client_.cache<EndpointSlice>().each_in(service.key().ns, [&](const EndpointSlice& slice) {
        if (slice.service != service.key().name) return;
        for (const EndpointsPort& behind : slice.ports) {
            if (behind.name != port.name || behind.protocol != port.protocol) continue;
            for (const auto& endpoint : slice.endpoints) {
                if (!endpoint.ready) continue;
                for (const std::string& text : endpoint.addresses)
                    if (const auto ip = Ipv4::parse(text)) out.emplace_back(*ip, behind.port);
            }
        }
    });
    return out;
}

Result<PolicyDoor::Target> PolicyDoor::service_target(const Service& service,
                                                      const std::string& port, nft::L4 l4) const {
    const auto address = Ipv4::parse(service.cluster_ip);
    const auto number = parse_number<uint16_t>(port);
    for (const ServicePort& one : service.ports) {
        if (policy::l4_of(one.protocol) != l4) continue;
        if (!port.empty() && one.name != port && number != one.port) continue;
        Target out{address.value_or(Ipv4{}), one.port, ends_behind(service, one),
                   cat("svc/", service.key(), ':', one.port)};
        if (!address && !out.ends.empty()) {  // Headless: clients take an endpoint themselves.
            std::tie(out.dialed, out.port) = out.ends.front();
            out.ends.resize(1);
        }
        return out;
    }
    return Error(Errc::kNotFound, cat("Service ", service.key(), " has no such port (",
                                      port.empty() ? policy::protocol_text(l4) : port, ')'));
}

/// An address may be a Service's: then policies see the pods behind it.
Result<PolicyDoor::Target> PolicyDoor::address_target(Ipv4 address, uint16_t port, nft::L4 l4,
                                                      const std::string& from_node) const {
    Target out{address, port, {{address, port}}, cat(address, ':', port)};
    const std::string text = address.to_string();
    std::string node;
    client_.cache<Node>().each([&](const Node& one) {
        if (one.internal_ip == text) node = one.key().name;
    });
    bool elsewhere = false;
    client_.cache<Service>().each([&](const Service& service) {
        const auto is_one_of = [&](const std::vector<std::string>& addresses) {
            return std::find(addresses.begin(), addresses.end(), text) != addresses.end();
        };
        const bool own = service.cluster_ip == text || is_one_of(service.load_balancer_ips) ||
                         is_one_of(service.external_ips);
        for (const ServicePort& one : service.ports) {
            if (policy::l4_of(one.protocol) != l4) continue;
            const bool by_node = !node.empty() && one.node_port == port;
            if (!by_node && !(own && one.port == port)) continue;
            out.ends = ends_behind(service, one);
            elsewhere = by_node && node != from_node;
        }
    });
    if (!elsewhere) return out;
    return Error(Errc::kInvalid,
                 cat("a node port of ", node,
                     " is judged on the way there, and again from there as "
                     "if ",
                     node, " asked: check the Service itself, or from a pod of ", node));
}

Result<PolicyDoor::Target> PolicyDoor::find_target(const std::string& text, const Pod& from,
                                                   const std::string& ns, nft::L4 l4) const {
    const size_t colon = text.rfind(':');
    const std::string name = text.substr(0, colon);
    const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
    if (name.starts_with("svc/") || name.starts_with("service/")) {
        const ObjectKey key = key_in(name.substr(name.find('/') + 1), ns);
        const Service* service = client_.cache<Service>().find(key);
        if (!service) return Error(Errc::kNotFound, cat("there is no Service ", key));
        return service_target(*service, port, l4);
    }
    std::optional<uint16_t> number = parse_number<uint16_t>(port);
    const auto address = Ipv4::parse(name);
    const Pod* pod = nullptr;
    if (!address) {
        TRY_ASSIGN(pod, find_pod(name, ns));
        for (const ContainerPort& has : pod->ports) {
            if (number || policy::l4_of(has.protocol) != l4) continue;
            if (port.empty() || has.name == port) number = has.port;
        }
    }
    if (!number && port.empty())
        return Error(Errc::kInvalid, cat("which port of ", name, "? Try: ", name, ":80"));
    if (!number || *number == 0)
        return Error(Errc::kInvalid, cat("\"", port, "\" is no port of ", name,
                                         ": a number from 1 to 65535, or the name of one of its ",
                                         policy::protocol_text(l4), " ports"));
    if (address) return address_target(*address, *number, l4, from.node);
    Target out{*Ipv4::parse(pod->ip), *number, {}, cat("pod ", pod->key(), ':', *number)};
    out.ends = {{out.dialed, out.port}};
    return out;
}

Result<policy::Attempt> PolicyDoor::attempt(const http::Query& query, std::string& title) const {
    std::string ns(query.get("namespace"));
    if (ns.empty()) ns = "default";
    const std::string protocol = to_lower(query.get("protocol"));
    if (!protocol.empty() && protocol != "tcp" && protocol != "udp") {
        return Error(Errc::kInvalid, cat("kin check tries tcp or udp, not ", protocol));
    }
    const nft::L4 l4 = protocol == "udp" ? nft::L4::kUdp : nft::L4::kTcp;
    TRY_ASSIGN(const Pod* const from, find_pod(std::string(query.get("from")), ns));
    TRY_ASSIGN(const Target to, find_target(std::string(query.get("to")), *from, ns, l4));
    policy::Attempt out{from->key(), *Ipv4::parse(from->ip), to.dialed, to.port, l4, {}};
    for (const auto& [address, port] : to.ends)
        out.packets.push_back({out.source, address, l4, port});
    title = cat("pod ", from->key(), " -> ", to.title, l4 == nft::L4::kUdp ? "/udp" : "");
    return out;
}

Result<std::vector<policy::Outcome>> PolicyDoor::probe(
    const std::function<Result<std::vector<policy::Attempt>>()>& prepare) {
    using Outcomes = std::vector<policy::Outcome>;
    std::promise<Result<Outcomes>> answer;
    client_.loop().post([&] {
        auto attempts = prepare();
        if (!attempts) return answer.set_value(std::move(attempts).error());
        prober_.run(std::move(*attempts), kTimeout,
                    [&](Outcomes outcomes) { answer.set_value(std::move(outcomes)); });
    });
    return answer.get_future().get();
}

http::Response PolicyDoor::check(const http::Request& request) {
    std::string title;
    const auto outcomes = probe([&]() -> Result<std::vector<policy::Attempt>> {
        TRY_ASSIGN(policy::Attempt one, attempt(request.query, title));
        return std::vector<policy::Attempt>{std::move(one)};
    });
    if (!outcomes) return refusal(outcomes.error());
    Json out = outcome_json(outcomes->front());
    out["title"] = title;
    return json_response(200, out);
}

http::Response PolicyDoor::matrix(const http::Request& request) {
    std::string ns(request.query.get("namespace"));
    Json pairs = Json::array();
    const auto outcomes = probe([&]() -> Result<std::vector<policy::Attempt>> {
        if (!ns.empty() && !client_.cache<Namespace>().find({"", ns}))
            return Error(Errc::kNotFound, cat("there is no namespace ", ns));
        std::vector<const Pod*> pods;
        client_.cache<Pod>().each([&](const Pod& pod) {
            const bool wanted = ns.empty() ? pod.key().ns != "kube-system" : pod.key().ns == ns;
            if (wanted && !pod.host_network && !pod.finished() && Ipv4::parse(pod.ip))
                pods.push_back(&pod);
        });
        std::vector<policy::Attempt> out;
        for (const Pod* from : pods) {
            for (const Pod* to : pods) {
                const auto port = std::find_if(
                    to->ports.begin(), to->ports.end(),
                    [](const ContainerPort& one) { return one.protocol == Protocol::kTcp; });
                const uint16_t number = port == to->ports.end() ? 80 : port->port;
                policy::Attempt one{from->key(), *Ipv4::parse(from->ip), *Ipv4::parse(to->ip),
                                    number,      nft::L4::kTcp,          {}};
                one.packets = {{one.source, one.dialed, one.l4, number}};
                pairs.push_back({{"from", from->key().to_string()},
                                 {"to", to->key().to_string()},
                                 {"port", number}});
                out.push_back(std::move(one));
            }
        }
        return out;
    });
    if (!outcomes) return refusal(outcomes.error());
    for (size_t i = 0; i < pairs.size(); ++i) pairs[i].update(outcome_json((*outcomes)[i]));
    return json_response(200, {{"pairs", std::move(pairs)}});
}

Result<Json> PolicyDoor::reach_of(const Pod& pod) const {
    const policy::World& world = enforcer_.world();
    const Ipv4 own = *Ipv4::parse(pod.ip);
    const auto found = world.pods.find(own);
    if (found == world.pods.end())
        return Error(Errc::kNotFound, cat("policies do not know pod ", pod.key(), " yet"));
    // A port that the pod says it has, as in matrix().
    const auto port_of = [](const policy::PolicyPod& to) -> uint16_t {
        const auto port = std::ranges::find(to.ports, Protocol::kTcp, &ContainerPort::protocol);
        return port == to.ports.end() ? 80 : port->port;
    };
    const auto verdict = [&](Ipv4 from, Ipv4 to, uint16_t port) {
        const policy::Packet packet{from, to, nft::L4::kTcp, port};
        const policy::Judgement said = policy::judge(world, packet);
        Json out{{"allowed", said.allowed()}, {"port", port}};
        if (!said.allowed()) out["why"] = said.to_string(world, packet);
        return out;
    };
    Json to = Json::object(), from = Json::object();
    for (const auto& [address, other] : world.pods) {
        if (address == own) continue;
        const std::string id = cat("pod/", other.key);
        to[id] = verdict(own, address, port_of(other));
        from[id] = verdict(address, own, port_of(found->second));
    }
    return Json{{"to", std::move(to)}, {"from", std::move(from)}};
}

http::Response PolicyDoor::reach(const http::Request& request) {
    Result<Json> out = Json();
    client_.loop().call([&] {
        const auto pod = find_pod(std::string(request.query.get("pod")), "default");
        out = pod ? reach_of(**pod) : Result<Json>(pod.error());
    });
    return out ? json_response(200, *out) : refusal(out.error());
}

}  // namespace kin
