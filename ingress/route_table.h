#pragma once

#include <re2/re2.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ip.h"

namespace kin::ingress {

/// A pod's address and port.
struct Endpoint {
    Ipv4 address;
    uint16_t port = 0;
    auto operator<=>(const Endpoint&) const = default;
};

/// Where requests go: a port of a Service, and who stands behind it now.
struct Backend {
    std::string name;                 ///< "shop/web:80", for logs and errors
    std::vector<Endpoint> endpoints;  ///< the ready ones; none: 503
};

/// What an Ingress's annotations ask for at its paths, read and checked.
struct LocationOptions {
    std::string rewrite_target;       ///< "": the path stays; $1 to $9 are what the regex captured
    bool ssl_redirect = true;         ///< 308 to https, if the host has TLS
    bool force_ssl_redirect = false;  ///< even if it has not
    /// Permanent or temporal redirect to here; "": none. `$request_uri` in it stands for path and
    /// query as they were asked.
    std::string redirect;
    int redirect_code = 301;
    std::string app_root;               ///< 302 from / to here; "": none
    uint64_t max_body_bytes = 1 << 20;  ///< 413 beyond; 0: no limit
    std::chrono::milliseconds connect_timeout{5'000};
    std::chrono::milliseconds read_timeout{60'000};  ///< between two reads from the endpoint: 504
};

/// One path of a host.
struct Location {
    enum class Type { kExact, kPrefix, kRegex };
    Type type = Type::kPrefix;
    std::string path;                         ///< as written, "/api"
    std::shared_ptr<const re2::RE2> pattern;  ///< of kRegex, not case-sensitive, anchored in front
    std::shared_ptr<const Backend> backend;   ///< never nullptr
    LocationOptions options;
    std::string ingress;  ///< "shop/web"
};

/// A certificate and its key as PEM, read and found to belong together.
struct Certificate {
    std::string certificate_pem, key_pem;
    std::string secret;  ///< "shop/tls"; "": kin's own, which nobody trusts
};

/// A host with its paths, in the order in which they are tried.
struct VirtualHost {
    std::string name;  ///< "shop.example.com", "*.example.com" or "": every other
    std::vector<Location> locations;
    std::shared_ptr<const Certificate> certificate;  ///< nullptr: no TLS of its own
};

/// All that the proxy needs to know, at one moment. Immutable: a change makes a new one, which
/// shares what has not changed, and requests that have begun keep theirs.
///
/// As the Ingress API (networking.k8s.io/v1) has it: an exact host comes before a wildcard, which
/// stands for one label, before the host of no name; an exact path before the longest prefix,
/// element by element.
class RouteTable {
public:
    using HostPtr = std::shared_ptr<const VirtualHost>;
    /// A host as a table holds it: its name in lower case, its locations in the order in which
    /// they are tried.
    static HostPtr prepare(VirtualHost host);

    RouteTable() = default;
    explicit RouteTable(std::vector<VirtualHost> hosts);
    /// This table with other hosts in the place of those of these names (in lower case); nullptr:
    /// without it. Costs kBuckets pointers, and for each name the pointers of one bucket.
    RouteTable with(const std::map<std::string, HostPtr>& changed) const;

    struct Match {
        const VirtualHost* host = nullptr;
        const Location* location = nullptr;  ///< nullptr: 404
        std::vector<std::string> captures;   ///< [0]: $1
    };
    /// `host`: as in the request, without its port, in any case. `path`: without the query, decoded
    /// and without dot segments. Another host is tried only if none of this name exists.
    Match find(std::string_view host, std::string_view path) const;
    /// The certificate for a server name (SNI); nullptr: kin's own.
    std::shared_ptr<const Certificate> certificate(std::string_view server_name) const;
    /// In no order.
    std::vector<HostPtr> hosts() const;

private:
    using Bucket = std::vector<HostPtr>;  // By name.
    static constexpr size_t kBuckets = 256;
    static size_t bucket_of(std::string_view name) {
        return std::hash<std::string_view>()(name) % kBuckets;
    }
    static void put(Bucket& bucket, const std::string& name, HostPtr host);
    const VirtualHost* find_name(std::string_view name) const;
    const VirtualHost* find_host(std::string_view host) const;

    std::array<std::shared_ptr<const Bucket>, kBuckets> buckets_;  // nullptr: empty.
};

}  // namespace kin::ingress
