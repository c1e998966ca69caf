#include "web/slots.h"

#include <cctype>

#include "core/base/strings.h"

namespace kin::web {

namespace {
bool is_system(const std::string& ns) { return ns.starts_with("kube-") || ns == "ingress-nginx"; }

/// Numbers in names as long as each other: "web-2" as "web-000000002".
std::string counted(const std::string& text) {
    constexpr size_t kDigits = 9;
    std::string out;
    for (size_t at = 0; at < text.size();) {
        size_t end = at;
        while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0) ++end;
        if (end == at) {
            out += text[at++];
            continue;
        }
        if (end - at < kDigits) out.append(kDigits - (end - at), '0');
        out.append(text, at, end - at);
        at = end;
    }
    return out;
}

/// With whom a thing stands: map/layout.ts has the same groups.
std::string group_of(const Json& thing) {
    const std::string kind = string_at(thing, {"kind"});
    if (kind == "service" || kind == "ingress") return kind;
    if (kind != "pod") return {};
    const std::string node = string_at(thing, {"node"});
    if (node.empty()) return thing.contains("waits") ? "waiting" : "";
    if (bool_at(thing, {"hostNetwork"})) return {};
    return cat("host/", node, is_system(string_at(thing, {"ns"})) ? " system" : " pods");
}
}  // namespace

std::string place_key(const Json& thing) {
    const std::string ns = string_at(thing, {"ns"});
    return cat(is_system(ns) ? '1' : '0', '\n', ns, '\n', counted(string_at(thing, {"owner"})),
               '\n', counted(string_at(thing, {"name"})));
}

int Slots::place(const Json& thing) {
    const std::string id = string_at(thing, {"id"}), group = group_of(thing);
    const auto held = places_.find(id);
    if (held != places_.end() && held->second.group == group) return held->second.slot;
    leave(id);
    if (group.empty()) return -1;
    Group& among = groups_[group];
    int slot = among.end;
    if (among.free.empty())
        ++among.end;
    else
        slot = among.free.extract(among.free.begin()).value();
    places_[id] = {group, slot};
    return slot;
}

void Slots::leave(const std::string& id) {
    const auto held = places_.find(id);
    if (held == places_.end()) return;
    const auto found = groups_.find(held->second.group);
    Group& among = found->second;
    among.free.insert(held->second.slot);
    while (among.free.erase(among.end - 1) != 0) --among.end;
    if (among.end == 0) groups_.erase(found);
    places_.erase(held);
}

void Slots::keep_only(const std::set<std::string>& ids) {
    for (auto next = places_.begin(); next != places_.end();) {
        const std::string id = (next++)->first;
        if (!ids.contains(id)) leave(id);
    }
}

}  // namespace kin::web
