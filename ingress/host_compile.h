#pragma once

#include <compare>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/api/ingress_views.h"
#include "ingress/annotations.h"
#include "ingress/backends.h"
#include "ingress/certificates.h"
#include "ingress/regexes.h"
#include "ingress/route_table.h"

namespace kin::ingress {

/// What an Ingress's owner should know: a Warning Event about it.
struct Finding {
    ObjectKey ingress;
    std::string reason, message;
    auto operator<=>(const Finding&) const = default;
};

/// What an Ingress says about one host: indices of its rules, and of its TLS entries in their
/// order.
struct Share {
    std::vector<size_t> rules, tls;
};
/// By host: those of its rules, its TLS and its default backend ("": every other host). Pure.
std::map<std::string, Share> shares_of(const Ingress& ingress);

/// An Ingress that has something to say about a host, with its annotations read.
struct Source {
    const Ingress* ingress = nullptr;
    const Annotated* said = nullptr;
    const Share* share = nullptr;
};

/// What routes are made of besides Ingresses. What is kept in it between two calls is the same
/// object as long as it has not changed.
struct Parts {
    Backends& backends;
    Certificates& certificates;
    Regexes& regexes;
    std::function<const Secret*(const ObjectKey&)> find_secret;
};

/// One host, compiled.
struct HostPiece {
    RouteTable::HostPtr host;  ///< nullptr: no Ingress has a rule for it
    std::set<Finding> findings;
    std::set<ObjectKey> services, secrets;  ///< whose change changes this piece; there or not
};

/// All that Ingresses say about the host `name`. `sources`: those that have a share in it, the
/// oldest first. Depends on nothing else, so a change is worked into the hosts that it
/// concerns and leaves the others alone. Pure but for what `parts` remember.
HostPiece compile_host(const std::string& name, const std::vector<Source>& sources, Parts& parts);

}  // namespace kin::ingress
