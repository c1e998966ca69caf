#include "kin/kernel_door.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "core/base/strings.h"

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

Json lines_json(const nft::Table& table, const std::vector<std::string>& words) {
    Json out = Json::array();
    for (const TableLine& line : lines_about(table, words))
        out.push_back({{"table", table.name},
                       {"place", line.place},
                       {"text", line.text},
                       {"comment", line.comment}});
    return out;
}
}  // namespace

http::Response refusal_of(const Error& error) {
    const int code = error.code() == Errc::kNotFound  ? 404
                     : error.code() == Errc::kInvalid ? 422
                                                      : 500;
    return {code, "application/json", to_text(Json{{"message", error.text()}}) + '\n'};
}

std::vector<TableLine> lines_about(const nft::Table& table, const std::vector<std::string>& words) {
    std::vector<TableLine> out;
    const auto add = [&](std::string place, std::string text, const std::string& comment) {
        const bool about =
            std::ranges::any_of(words, [&](const std::string& word) { return names(text, word); });
        if (about) out.push_back({std::move(place), std::move(text), comment});
    };
    for (const nft::Set& set : table.sets)
        for (const auto& [range, element] : set.elements)
            add(cat(set.shape.is_map() ? "map " : "set ", set.shape.name),
                nft::to_text(set.shape, range, element), element.comment);
    for (const nft::Chain& chain : table.chains)
        for (const nft::Rule& rule : chain.rules)
            add(cat("chain ", chain.name), nft::to_text(rule), rule.comment);
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

Result<Json> KernelDoor::elements_of(const http::Query& query) {
    const std::string node(query.get("node"));
    std::vector<std::string> words;
    for (const std::string_view word : query.all("about"))
        if (!word.empty()) words.emplace_back(word);
    TRY_ASSIGN(const nft::Table services, parts_.proxier.table(node));
    Json out = lines_json(services, words);
    for (Json& line : lines_json(parts_.enforcer.table(node), words))
        out.push_back(std::move(line));
    return Json{{"node", node}, {"lines", std::move(out)}};
}

http::Response KernelDoor::network(const http::Request& request) {
    Result<Json> out = Json();
    parts_.client.loop().call([&] { out = network_of(request.query); });
    return out ? http::Response{200, "application/json", to_text(*out)} : refusal_of(out.error());
}

http::Response KernelDoor::elements(const http::Request& request) {
    Result<Json> out = Json();
    parts_.client.loop().call([&] { out = elements_of(request.query); });
    return out ? http::Response{200, "application/json", to_text(*out)} : refusal_of(out.error());
}

}  // namespace kin
