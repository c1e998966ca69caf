#include "ingress/route_table.h"

#include <algorithm>

#include "core/base/assert.h"
#include "core/base/strings.h"

namespace kin::ingress {

namespace {
/// "/foo/" -> "/foo": a prefix ends between elements, and an empty last one is none.
std::string_view without_slash(std::string_view path) {
    while (path.ends_with('/')) path.remove_suffix(1);
    return path;
}

/// "/aaa" is a prefix of "/aaa" and "/aaa/bbb", not of "/aaabbb".
bool is_prefix(std::string_view prefix, std::string_view path) {
    prefix = without_slash(prefix);
    return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

/// True, and what its groups caught, if `pattern` matches the beginning of `path`.
bool matches(const re2::RE2& pattern, std::string_view path, std::vector<std::string>& captures) {
    const int groups = std::clamp(pattern.NumberOfCapturingGroups(), 0, 9);
    re2::StringPiece caught[10];
    const re2::StringPiece text(path.data(), path.size());
    if (!pattern.Match(text, 0, text.size(), re2::RE2::ANCHOR_START, caught, groups + 1)) {
        return false;
    }
    for (int group = 1; group <= groups; ++group) {
        captures.emplace_back(caught[group].data() ? caught[group].ToString() : "");
    }
    return true;
}

/// Whether `location` takes the path.
bool takes(const Location& location, std::string_view path, std::vector<std::string>& captures) {
    switch (location.type) {
        case Location::Type::kExact:
            return path == location.path;
        case Location::Type::kPrefix:
            return is_prefix(location.path, path);
        case Location::Type::kRegex:
            return matches(*location.pattern, path, captures);
    }
    return false;
}

/// How much of a path a location asks for.
size_t length(const Location& location) {
    const bool prefix = location.type == Location::Type::kPrefix;
    return prefix ? without_slash(location.path).size() : location.path.size();
}

/// What is tried first: exact paths, then the longer ones. Regexes as ingress-nginx has it, by the
/// length of their text and, of one length, against the alphabet.
bool before(const Location& left, const Location& right) {
    using Type = Location::Type;
    if ((left.type == Type::kExact) != (right.type == Type::kExact)) {
        return left.type == Type::kExact;
    }
    if (length(left) != length(right)) return length(left) > length(right);
    return left.type == Type::kRegex && right.type == Type::kRegex && left.path > right.path;
}
}  // namespace

RouteTable::HostPtr RouteTable::prepare(VirtualHost host) {
    host.name = to_lower(host.name);
    for (const Location& location : host.locations) KIN_ASSERT(location.backend);
    std::stable_sort(host.locations.begin(), host.locations.end(), before);
    return std::make_shared<const VirtualHost>(std::move(host));
}

RouteTable::RouteTable(std::vector<VirtualHost> hosts) {
    std::map<std::string, HostPtr> all;
    for (VirtualHost& host : hosts) {
        HostPtr ready = prepare(std::move(host));
        all.try_emplace(ready->name, std::move(ready));
    }
    *this = with(all);
}

RouteTable RouteTable::with(const std::map<std::string, HostPtr>& changed) const {
    RouteTable out = *this;
    std::map<size_t, std::shared_ptr<Bucket>> copies;
    for (const auto& [name, host] : changed) {
        const size_t index = bucket_of(name);
        auto& copy = copies[index];
        if (!copy) {
            copy = std::make_shared<Bucket>();
            if (buckets_[index]) *copy = *buckets_[index];
        }
        put(*copy, name, host);
    }
    for (auto& [index, copy] : copies) {
        if (copy->empty()) copy = nullptr;
        out.buckets_[index] = std::move(copy);
    }
    return out;
}

void RouteTable::put(Bucket& bucket, const std::string& name, HostPtr host) {
    const auto at = std::lower_bound(
        bucket.begin(), bucket.end(), name,
        [](const HostPtr& one, const std::string& wanted) { return one->name < wanted; });
    const bool there = at != bucket.end() && (*at)->name == name;
    if (there && host)
        *at = std::move(host);
    else if (there)
        bucket.erase(at);
    else if (host)
        bucket.insert(at, std::move(host));
}

const VirtualHost* RouteTable::find_name(std::string_view name) const {
    const Bucket* const bucket = buckets_[bucket_of(name)].get();
    if (!bucket) return nullptr;
    const auto at = std::lower_bound(
        bucket->begin(), bucket->end(), name,
        [](const HostPtr& one, std::string_view wanted) { return one->name < wanted; });
    return at != bucket->end() && (*at)->name == name ? at->get() : nullptr;
}

const VirtualHost* RouteTable::find_host(std::string_view host) const {
    std::string name = to_lower(host);
    if (name.ends_with('.')) name.pop_back();  // "example.com." is the same name, written in full.
    if (!name.starts_with('*')) {
        if (const VirtualHost* exact = find_name(name)) return exact;
    }
    if (const size_t dot = name.find('.'); dot != std::string::npos && dot != 0) {
        name.replace(0, dot, "*");
        if (const VirtualHost* wildcard = find_name(name)) return wildcard;
    }
    return find_name({});
}

std::vector<RouteTable::HostPtr> RouteTable::hosts() const {
    std::vector<HostPtr> out;
    for (const auto& bucket : buckets_) {
        if (bucket) out.insert(out.end(), bucket->begin(), bucket->end());
    }
    return out;
}

RouteTable::Match RouteTable::find(std::string_view host, std::string_view path) const {
    Match match;
    match.host = find_host(host);
    if (!match.host) return match;
    for (const Location& location : match.host->locations) {
        match.captures.clear();
        if (!takes(location, path, match.captures)) continue;
        match.location = &location;
        return match;
    }
    match.captures.clear();
    return match;
}

std::shared_ptr<const Certificate> RouteTable::certificate(std::string_view server_name) const {
    const VirtualHost* host = find_host(server_name);
    if (!host || !host->certificate || host->certificate->secret.empty()) return nullptr;
    return host->certificate;
}

}  // namespace kin::ingress
