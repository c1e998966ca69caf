#include "dns/zone_builder.h"

#include <algorithm>

#include "core/base/strings.h"

namespace kin::dns {

namespace {
/// What the zone has without any object.
const ObjectKey kFixed{"", ""};
constexpr uint16_t kInternet = 1;
constexpr uint16_t kPointerToQuestion = 0xC00C;

WireName wire(std::string_view dotted) {
    auto name = to_wire(dotted);
    KIN_ASSERT(name);
    return *name;
}

void put_record_tail(std::string& out, Type type, uint32_t ttl, std::string_view data) {
    put_u16(out, static_cast<uint16_t>(type));
    put_u16(out, kInternet);
    put_u32(out, ttl);
    put_u16(out, static_cast<uint16_t>(data.size()));
    out.append(data);
}

std::string soa_data(const WireName& server, const WireName& mailbox, uint32_t ttl) {
    std::string data = server + mailbox;
    put_u32(data, 1);  // Serial: nobody transfers this zone.
    put_u32(data, 7200);
    put_u32(data, 1800);
    put_u32(data, 86400);
    put_u32(data, ttl);
    return data;
}

/// What becomes a RecordSet.
struct SetText {
    Type type = Type::kA;
    uint16_t count = 0;
    std::string bytes;
    uint16_t extra_count = 0;
    std::string extra;

    operator RecordSet() const { return {type, count, bytes, extra_count, extra}; }
};

std::string reverse_apex(const Cidr& range) {
    std::string name = "in-addr.arpa";
    for (int byte = 0; byte < range.bits / 8; ++byte) {
        name = cat(range.address.value >> (24 - 8 * byte) & 0xFF, '.', name);
    }
    return name;
}
}  // namespace

ZoneBuilder::ZoneBuilder(ZoneOptions options) : options_(std::move(options)) {
    if (!options_.outside.empty()) {
        zone_.outside_ = std::make_shared<const Outside>(options_.outside);
    }
    if (options_.cluster) add_cluster();
}

void ZoneBuilder::add_cluster() {
    const std::string& domain = options_.domain.name;
    zone_.pods_ = wire(cat("pod.", domain));
    add_apex(wire(domain));
    for (const Cidr& range : options_.reverse) add_apex(wire(reverse_apex(range)));

    std::vector<Record> fixed;
    const WireName server = wire(cat("ns.dns.", domain));
    std::string address;
    put_u32(address, options_.dns_service_ip.value);
    fixed.push_back({server, Type::kA, address, {}, {}});
    fixed.push_back({wire(cat("dns-version.", domain)),
                     Type::kTxt,
                     "\x05"
                     "1.1.0",
                     {},
                     {}});
    for (const Apex& apex : zone_.apexes_) {
        fixed.push_back({apex.name, Type::kSoa, apex.soa, {}, {}});
        fixed.push_back({apex.name, Type::kNs, server, {}, {}});
    }
    set_service(kFixed, std::move(fixed));
    for (const char* parent : {"svc.", "pod."}) {
        const WireName name = wire(cat(parent, domain));
        count_names(name, 1);
        rebuild(name);
    }
}

void ZoneBuilder::add_apex(const WireName& name) {
    const std::string& domain = options_.domain.name;
    Apex apex{name,
              soa_data(wire(cat("ns.dns.", domain)), wire(cat("hostmaster.", domain)),
                       options_.ttl_seconds),
              name};
    put_record_tail(apex.denial, Type::kSoa, options_.ttl_seconds, apex.soa);
    zone_.apexes_.push_back(std::move(apex));
}

void ZoneBuilder::count_names(const WireName& name, int change) {
    const Apex* apex = apex_of(name);
    if (!apex) return;
    // Every name between here and the apex exists, too, though it may hold nothing.
    for (std::string_view at = name;; at = without_labels(at, 1)) {
        const WireName key(at);
        const auto cell = cells_.try_emplace(key).first;
        cell->second.uses += change;
        if (cell->second.uses == change || cell->second.uses == 0) dirty_.insert(key);
        if (at.size() <= apex->name.size()) return;
    }
}

void ZoneBuilder::set_service(const ObjectKey& key, std::vector<Record> records) {
    const auto found = services_.find(key);
    if (found != services_.end()) {
        if (found->second == records) return;
        for (const Record& record : found->second) {
            const auto cell = cells_.find(record.owner);
            if (cell == cells_.end()) continue;  // Outside every apex.
            cell->second.records.erase(key);
            dirty_.insert(record.owner);
            count_names(record.owner, -1);
        }
        services_.erase(found);
    }
    if (!records.empty()) {
        const std::vector<Record>& kept = services_[key] = std::move(records);
        for (const Record& record : kept) {
            if (!apex_of(record.owner)) continue;
            count_names(record.owner, 1);
            cells_[record.owner].records[key].push_back(&record);
            dirty_.insert(record.owner);
        }
    }
    for (const WireName& name : std::exchange(dirty_, {})) rebuild(name);
}

void ZoneBuilder::set_namespace(const std::string& name, bool exists) {
    const ObjectKey key{name, ""};
    std::vector<Record> names;
    for (WireName& each : names_of_namespace(name, options_.domain)) {
        // A record without data: the name exists and holds nothing.
        if (exists) names.push_back({std::move(each), Type::kAny, "", {}, {}});
    }
    set_service(key, std::move(names));
}

ZoneNode ZoneBuilder::node_of(const WireName& name, const Cell& cell) const {
    std::vector<SetText> sets;
    std::set<std::pair<Type, std::string>> seen;
    for (const auto& [key, records] : cell.records) {
        for (const Record* record : records) {
            if (record->type == Type::kAny || !seen.emplace(record->type, record->data).second) {
                continue;
            }
            auto set = std::ranges::find(sets, record->type, &SetText::type);
            if (set == sets.end()) {
                set = sets.insert(set, SetText());
                set->type = record->type;
            }
            ++set->count;
            put_u16(set->bytes, kPointerToQuestion);
            put_record_tail(set->bytes, record->type, options_.ttl_seconds, record->data);
            for (const Ipv4 address : record->extra) {
                std::string data;
                put_u32(data, address.value);
                if (!seen.emplace(Type::kOpt, record->target + data).second) continue;
                set->extra += record->target;
                put_record_tail(set->extra, Type::kA, options_.ttl_seconds, data);
                ++set->extra_count;
            }
        }
    }
    return {name, {sets.begin(), sets.end()}};
}

void ZoneBuilder::rebuild(const WireName& name) {
    const size_t hash = Zone::hash(name);
    auto& bucket = zone_.buckets_[hash % Zone::kBuckets];
    std::vector<Zone::Entry> changed(bucket.all().begin(), bucket.all().end());
    std::erase_if(changed, [&](const Zone::Entry& entry) { return entry.node.is(name); });
    const auto cell = cells_.find(name);
    if (cell != cells_.end() && cell->second.uses > 0) {
        changed.push_back({hash, node_of(name, cell->second)});
    } else if (cell != cells_.end()) {
        cells_.erase(cell);
    }
    const auto entries = std::make_shared<Zone::Entry[]>(changed.size());
    std::ranges::move(changed, entries.get());
    bucket = {entries, changed.size()};
}

}  // namespace kin::dns
