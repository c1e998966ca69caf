#include "kin/kernel_door.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>

#include "core/base/strings.h"
#include "kin/answers.h"

namespace kin {

namespace {
bool in_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '/';
}

/// Whether `word` stands in `text` by itself: "shop/web" not in "shop/web-0", but in
/// "shop/web:http".
bool names(std::string_view text, std::string_view word) {
    for (size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
        const size_t end = at + word.size();
        // An address in a list of fields ends with " . ", one with a length with "/32".
        const bool begins = at == 0 || !in_word(text[at - 1]);
        const bool ends = end == text.size() || !in_word(text[end]) || text[end] == '/';
        if (begins && ends) return true;
    }
    return false;
}

std::string link_name(const std::vector<Link>& links, int index) {
    for (const Link& link : links)
        if (link.index == index) return link.name;
    return std::to_string(index);
}

/// "dev 7" of Route::to_string() as "dev veth1a2b".
std::string route_text(const Route& route, const std::vector<Link>& links) {
    std::string text = route.to_string();
    constexpr std::string_view kDev = " dev ";
    for (size_t at = text.find(kDev); at != std::string::npos; at = text.find(kDev, at + 1)) {
        const size_t begin = at + kDev.size();
        const size_t end = std::min(text.find(' ', begin), text.size());
        const auto index = parse_number<int>(std::string_view(text).substr(begin, end - begin));
        if (index) text.replace(begin, end - begin, link_name(links, *index));
    }
    return text;
}

Result<Json> network_json(Rtnl& rtnl) {
    TRY_ASSIGN(const auto links, rtnl.links());
    TRY_ASSIGN(const auto addresses, rtnl.addresses());
    TRY_ASSIGN(const auto routes, rtnl.routes());
    TRY_ASSIGN(const auto neighbours, rtnl.neighbours());
    Json out{{"links", Json::array()}, {"routes", Json::array()}, {"neighbours", Json::array()}};
    for (const Link& link : links) {
        Json one{{"name", link.name},           {"index", link.index},   {"kind", link.kind},
                 {"mac", link.mac.to_string()}, {"mtu", link.mtu_bytes}, {"up", link.up}};
        if (link.peer != 0) one["peer"] = link.peer;
        if (link.bridge != 0) one["bridge"] = link_name(links, link.bridge);
        for (const LinkAddress& address : addresses)
            if (address.link == link.index)
                one["addresses"].push_back(cat(address.address, '/', int{address.bits}));
        out["links"].push_back(std::move(one));
    }
    for (const Route& route : routes) out["routes"].push_back(route_text(route, links));
    for (const Neighbour& one : neighbours)
        out["neighbours"].push_back(cat(one.address, " dev ", link_name(links, one.link),
                                        " lladdr ", one.mac, " PERMANENT"));
    return out;
}

bool is_address(const nft::Field& field) {
    return field.kind == nft::Field::Kind::kSourceAddress ||
           field.kind == nft::Field::Kind::kDestinationAddress;
}

/// What a comment in the tables of kube-proxy and kin-policy is about: proxy/compile, policy/compile.
Subject::Kind kind_of_comment(const nft::Table& table, const nft::SetShape& set) {
    const bool verdict = std::holds_alternative<nft::Verdict>(set.data);
    const bool addresses_only = std::ranges::all_of(set.key, is_address);
    if (table.name == policy::kTableName) {
        const bool pods = verdict || (addresses_only && set.key.size() == 2);
        return pods ? Subject::Kind::kPod : Subject::Kind::kPolicy;
    }
    const bool service = verdict || (addresses_only && set.key.size() == 1);
    return service ? Subject::Kind::kService : Subject::Kind::kPod;
}

/// "shop/web" in "shop/web:http", "shop/web egress rule 1", and in a chain's "shop: api, web".
bool means(const std::string& comment, const std::string& name) {
    if (names(comment, name)) return true;
    const size_t slash = name.find('/'), colon = comment.find(": ");
    return colon != std::string::npos && comment.substr(0, colon) == name.substr(0, slash) &&
           std::ranges::any_of(split(std::string_view(comment).substr(colon + 2), ','),
                               [&](std::string_view one) { return trim(one) == name.substr(slash + 1); });
}

Json lines_json(const nft::Table& table, const Subject& subject) {
    Json out = Json::array();
    for (const TableLine& line : lines_about(table, subject))
        out.push_back({{"table", table.name},
                       {"place", line.place},
                       {"text", line.text},
                       {"comment", line.comment}});
    return out;
}
/// How much each part of a table holds, chains by their rules.
Json sizes_json(const nft::Table& table) {
    Json parts = Json::array();
    for (const nft::Set& set : table.sets)
        parts.push_back({{"kind", set.shape.is_map() ? "map" : "set"},
                         {"name", set.shape.name},
                         {"count", set.elements.size()}});
    for (const nft::Chain& chain : table.chains)
        parts.push_back({{"kind", "chain"},
                         {"name", chain.name},
                         {"count", chain.rules.size()}});
    return {{"table", table.name}, {"parts", std::move(parts)}};
}
}  // namespace

std::vector<TableLine> lines_about(const nft::Table& table, const Subject& subject) {
    // The chains that are the object's own, or a policy's share: all of their rules are about it.
    std::vector<std::string> words = subject.addresses;
    std::set<std::string> chains;
    for (const nft::Chain& chain : table.chains) {
        if (subject.kind == Subject::Kind::kPod || !means(chain.comment, subject.name)) continue;
        chains.insert(chain.name);
        words.push_back(chain.name);
    }
    const auto has_word = [&](const std::string& text) {
        return std::ranges::any_of(words, [&](const std::string& word) { return names(text, word); });
    };
    std::vector<TableLine> out;
    for (const nft::Set& set : table.sets) {
        const bool meant = kind_of_comment(table, set.shape) == subject.kind;
        for (const auto& [range, element] : set.elements) {
            std::string text = nft::to_text(set.shape, range, element);
            if (has_word(text) || (meant && means(element.comment, subject.name)))
                out.push_back({cat(set.shape.is_map() ? "map " : "set ", set.shape.name),
                               std::move(text), element.comment});
        }
    }
    for (const nft::Chain& chain : table.chains) {
        for (const nft::Rule& rule : chain.rules) {
            std::string text = nft::to_text(rule);
            if (chains.contains(chain.name) || has_word(text))
                out.push_back({cat("chain ", chain.name), std::move(text), rule.comment});
        }
    }
    return out;
}

Result<Json> KernelDoor::network_of(const http::Query& query) {
    const std::string host(query.get("host"));
    if (!host.empty()) {
        KernelNode* const found = parts_.links.find(host);
        if (!found) return Error(Errc::kNotFound, cat("there is no host ", host));
        return network_json(found->rtnl);
    }
    const std::string name(query.get("pod"));
    const size_t slash = name.find('/');
    if (slash == std::string::npos)
        return Error(Errc::kInvalid, "network of what? host=NODE or pod=NAMESPACE/NAME");
    const Pod* const pod =
        parts_.client.cache<Pod>().find({name.substr(0, slash), name.substr(slash + 1)});
    const auto* const attached = pod ? parts_.pods.find(pod->meta.uid) : nullptr;
    if (!attached) return Error(Errc::kNotFound, cat("pod ", name, " has no network of its own"));
    TRY_ASSIGN(Rtnl rtnl, Rtnl::open(attached->netns));
    TRY_ASSIGN(Json out, network_json(rtnl));
    if (KernelNode* const node = parts_.links.find(attached->node)) {
        TRY_ASSIGN(const auto links, node->rtnl.links());
        out["node"] = {{"name", attached->node}, {"link", link_name(links, attached->link)}};
    }
    return out;
}

Result<Subject> KernelDoor::subject_of(const http::Query& query) {
    const std::string pod(query.get("pod")), service(query.get("service")),
        policy(query.get("policy"));
    const auto key_of = [](const std::string& name) -> ObjectKey {
        const size_t slash = name.find('/');
        return slash == std::string::npos ? ObjectKey{"", name}
                                          : ObjectKey{name.substr(0, slash), name.substr(slash + 1)};
    };
    if (!policy.empty()) return Subject{Subject::Kind::kPolicy, policy, {}};
    if (!pod.empty()) {
        const Pod* const found = parts_.client.cache<Pod>().find(key_of(pod));
        if (!found) return Error(Errc::kNotFound, cat("there is no pod ", pod));
        // One in its node's network has no address of its own.
        Subject subject{Subject::Kind::kPod, pod, {}};
        if (!found->host_network && !found->ip.empty()) subject.addresses.push_back(found->ip);
        return subject;
    }
    const Service* const found = parts_.client.cache<Service>().find(key_of(service));
    if (!found) return Error(Errc::kNotFound, cat("there is no Service ", service));
    Subject subject{Subject::Kind::kService, service, found->external_ips};
    subject.addresses.insert(subject.addresses.end(), found->load_balancer_ips.begin(),
                             found->load_balancer_ips.end());
    if (Ipv4::parse(found->cluster_ip)) subject.addresses.push_back(found->cluster_ip);
    return subject;
}

Result<Json> KernelDoor::tables_of(const std::string& node) {
    TRY_ASSIGN(const nft::Table services, parts_.proxier.table(node));
    return Json{{"node", node},
                {"tables", Json::array({sizes_json(services),
                                        sizes_json(parts_.enforcer.table(node))})}};
}

Result<Json> KernelDoor::elements_of(const http::Query& query) {
    const std::string node(query.get("node"));
    const bool about_nothing = query.get("pod").empty() && query.get("service").empty() &&
                               query.get("policy").empty();
    if (about_nothing) return tables_of(node);
    TRY_ASSIGN(const Subject subject, subject_of(query));
    Json out = Json::array();
    if (subject.kind != Subject::Kind::kPolicy) {
        TRY_ASSIGN(const nft::Table services, parts_.proxier.table(node));
        out = lines_json(services, subject);
    }
    if (subject.kind != Subject::Kind::kService) {
        for (Json& line : lines_json(parts_.enforcer.table(node), subject))
            out.push_back(std::move(line));
    }
    return Json{{"node", node}, {"lines", std::move(out)}};
}

http::Response KernelDoor::network(const http::Request& request) {
    Result<Json> out = Json();
    parts_.client.loop().call([&] { out = network_of(request.query); });
    return out ? json_response(200, *out) : refusal(out.error());
}

http::Response KernelDoor::elements(const http::Request& request) {
    Result<Json> out = Json();
    parts_.client.loop().call([&] { out = elements_of(request.query); });
    return out ? json_response(200, *out) : refusal(out.error());
}

}  // namespace kin
