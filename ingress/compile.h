#pragma once

#include <compare>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/api/ingress_views.h"
#include "ingress/backends.h"
#include "ingress/certificates.h"
#include "ingress/route_table.h"

namespace kin::ingress {

/// spec.controller of the classes that are ours.
constexpr std::string_view kController = "k8s.io/ingress-nginx";

/// What routes are made of.
struct Objects {
    std::vector<const Ingress*> ingresses;
    std::vector<const IngressClass*> classes;
    Backends::FindService find_service;
    Backends::SlicesOf slices_of;
    std::function<const Secret*(const ObjectKey&)> find_secret;
};

/// What an Ingress's owner should know: a Warning Event about it.
struct Finding {
    ObjectKey ingress;
    std::string reason, message;
    auto operator<=>(const Finding&) const = default;
};

struct Compiled {
    std::shared_ptr<const RouteTable> routes;
    std::set<Finding> findings;
    std::set<ObjectKey> ingresses;          ///< those of our classes
    std::set<ObjectKey> services, secrets;  ///< whose change changes the routes; there or not
};

/// Whether an Ingress is for us: by spec.ingressClassName, or by the annotation that came before
/// it (kubernetes.io/ingress.class), which counts more, as upstream has it. Pure.
bool is_ours(const Ingress& ingress, const std::vector<const IngressClass*>& classes);

/// Regexes compiled once. Not case-sensitive, as ingress-nginx documents; bytes, as nginx sees
/// them.
class Regexes {
public:
    /// kInvalid: why RE2 refuses it. The memory of each is limited.
    Result<std::shared_ptr<const re2::RE2>> find(const std::string& text);
    /// Forgets those that were not asked for since the last call.
    void forget_others();

private:
    std::map<std::string, std::shared_ptr<const re2::RE2>> now_, before_;
};

/// Turns Ingresses into routes. Pure but for what it remembers: certificates and regexes that have
/// not changed are the same objects as before.
class Compiler {
public:
    Compiled compile(const Objects& objects);

private:
    Certificates certificates_;
    Regexes regexes_;
};

}  // namespace kin::ingress
