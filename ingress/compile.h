#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/api/ingress_views.h"
#include "ingress/backends.h"
#include "ingress/certificates.h"
#include "ingress/host_compile.h"
#include "ingress/regexes.h"
#include "ingress/route_table.h"

namespace kin::ingress {

/// spec.controller of the classes that are ours.
constexpr std::string_view kController = "k8s.io/ingress-nginx";

/// What routes are made of: how to find it. Called only from within compile().
struct Objects {
    std::function<const Ingress*(const ObjectKey&)> find_ingress;
    std::function<std::vector<ObjectKey>()> all_ingresses;
    std::function<std::vector<const IngressClass*>()> classes;
    Backends::FindService find_service;
    Backends::SlicesOf slices_of;
    Backends::AddressesOf addresses_of;
    std::function<const Secret*(const ObjectKey&)> find_secret;
};

/// Which of it is no longer as it was: changed, new or gone.
struct Changes {
    bool everything = true;  ///< before the first time, and when classes change
    std::set<ObjectKey> ingresses, services, secrets;
    static Changes none() { return {false, {}, {}, {}}; }
    bool empty() const {
        return !everything && ingresses.empty() && services.empty() && secrets.empty();
    }
};

struct Compiled {
    std::shared_ptr<const RouteTable> routes;
    std::set<Finding> findings;
    std::set<ObjectKey> ingresses;  ///< those of our classes
    /// Whose change changes the routes, there or not, and of which hosts.
    std::map<ObjectKey, std::set<std::string>> services, secrets;
    size_t hosts = 0, paths = 0;

    // By the last compile() alone:
    std::vector<Endpoint> gone;  ///< endpoints that no host has any more
    size_t compiled_hosts = 0;   ///< how many hosts it had to look at
};

/// Whether an Ingress is for us: by spec.ingressClassName, or by the annotation that came before
/// it (kubernetes.io/ingress.class), which counts more, as upstream has it. Pure.
bool is_ours(const Ingress& ingress, const std::vector<const IngressClass*>& classes);

/// Keeps routes as Ingresses and what they name come and go. Host by host: a change costs the hosts
/// that it concerns. What it has compiled depends on nothing but the objects as they are now. Owned
/// by one thread.
class Compiler {
public:
    explicit Compiler(Objects objects);
    const Compiled& compile(const Changes& changes);
    /// As of the last compile().
    const Compiled& compiled() const { return out_; }

private:
    /// An Ingress of ours, as it was read.
    struct Entry {
        std::string created;
        Annotated said;
        std::map<std::string, Share> shares;  // Of one that is skipped: none.
    };
    /// The oldest first, then by name.
    using Age = std::pair<std::string, ObjectKey>;

    void take_out(const ObjectKey& ingress);
    void take_in(const ObjectKey& ingress, const std::vector<const IngressClass*>& classes);
    void compile_hosts();
    std::vector<Source> sources_of(const std::string& host) const;
    void replace(const std::string& host, const HostPiece& before, const HostPiece& now);
    void count(const HostPiece& piece, int difference);
    void count(const Finding& finding, int difference);
    void forget_unused();

    const Objects objects_;
    Backends backends_;
    Certificates certificates_;
    Regexes regexes_;
    std::map<ObjectKey, Entry> entries_;
    std::map<std::string, std::set<Age>> by_host_;
    std::map<std::string, HostPiece> pieces_;
    std::map<Finding, int> findings_;
    std::map<Endpoint, int> endpoints_;
    std::set<std::string> stale_;                       // Hosts.
    std::set<ObjectKey> less_services_, less_secrets_;  // They lost a host...
    std::set<Endpoint> less_endpoints_;                 // ...as these did.
    Compiled out_;
};

}  // namespace kin::ingress
