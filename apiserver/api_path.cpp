#include "apiserver/api_path.h"

namespace kin::apiserver {

std::optional<ApiPath> parse_api_path(const std::vector<std::string>& segments) {
    ApiPath path;
    size_t at = 0;
    const auto next = [&]() -> std::string {
        return at < segments.size() ? segments[at++] : std::string();
    };
    const std::string root = next();
    if (root == "apis") {
        path.group = next();
        if (path.group.empty()) return {};
    } else if (root != "api") {
        return {};
    }
    path.version = next();
    if (path.version.empty()) return {};
    if (at < segments.size() && segments[at] == "watch") {
        path.watch = true;
        ++at;
    }
    // "namespaces/x/status" is about the Namespace x; "namespaces/x/pods" is inside of it.
    if (at + 2 < segments.size() && segments[at] == "namespaces" && segments[at + 2] != "status" &&
        segments[at + 2] != "finalize") {
        path.ns = segments[at + 1];
        at += 2;
    }
    path.plural = next();
    path.name = next();
    path.subresource = next();
    for (; at < segments.size(); ++at) path.rest.push_back(segments[at]);
    const Kind* kind = find_kind(path.group, path.version, path.plural);
    const bool fits =
        kind && (kind->namespaced ? (!path.ns.empty() || path.name.empty()) : path.ns.empty());
    if (fits) path.kind = kind;
    return path;
}

}  // namespace kin::apiserver
