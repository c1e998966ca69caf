#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/api/object_key.h"
#include "dns/records.h"
#include "dns/zone.h"

namespace kin::dns {

struct ZoneOptions {
    Domain domain;
    Ipv4 dns_service_ip{0x0A60000A};                   ///< ns.dns.cluster.local
    std::vector<Cidr> reverse = {{{0x0A600000}, 16},   ///< address ranges whose PTR are answered,
                                 {{0x0AF40000}, 16}};  ///< on byte boundaries
    uint32_t ttl_seconds = 30;
    /// Names of the world outside, which a real server would ask others for; empty: such questions
    /// are refused.
    std::map<std::string, Ipv4> outside{};
    /// Answers for the cluster's names and addresses. Off: for the world outside alone.
    bool cluster = true;
};

/// Keeps the zone as objects come and go: a change of one object costs the names of that object.
/// Pure but for its memory; owned by one thread.
class ZoneBuilder {
public:
    explicit ZoneBuilder(ZoneOptions options);

    /// Replaces what the Service of this key brings; nothing: it is gone.
    void set_service(const ObjectKey& key, std::vector<Record> records);
    void set_namespace(const std::string& name, bool exists);
    /// The zone as of now. Costs 1,024 pointers, whatever the zone's size.
    std::shared_ptr<const Zone> snapshot() const { return std::make_shared<Zone>(zone_); }

    const ZoneOptions& options() const { return options_; }

private:
    /// What different objects bring to one name, and how many names are below it.
    struct Cell {
        std::map<ObjectKey, std::vector<const Record*>> records;
        int uses = 0;
    };

    void count_names(const WireName& name, int change);
    const Apex* apex_of(const WireName& name) const { return zone_.find_apex(name); }
    void rebuild(const WireName& name);
    void add_apex(const WireName& name);
    ZoneNode node_of(const WireName& name, const Cell& cell) const;

    void add_cluster();

    const ZoneOptions options_;
    Zone zone_;
    std::map<ObjectKey, std::vector<Record>> services_;
    std::map<WireName, Cell> cells_;
    std::set<WireName> dirty_;
};

}  // namespace kin::dns
