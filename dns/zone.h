#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ip.h"
#include "dns/wire.h"

namespace kin::dns {

/// All records of one name and type, as the bytes that an answer holds. Every record begins with a
/// pointer to the question's name. Views into a ZoneNode.
struct RecordSet {
    Type type = Type::kA;
    uint16_t count = 0;
    std::string_view bytes;
    uint16_t extra_count = 0;
    std::string_view extra;  ///< addresses of SRV targets, with their full names

    /// Where the record that begins at `start` ends.
    size_t end_of(size_t start) const;
    /// Where a CNAME leads.
    std::string_view target() const;
};

/// What stands at one name, in lower case. Without sets the name only has names below it (or no
/// data). In one piece of memory, because most of what an answer costs is waiting for memory that
/// nobody asked for of late.
class ZoneNode {
public:
    ZoneNode() = default;
    ZoneNode(std::string_view name, const std::vector<RecordSet>& sets);

    bool is(std::string_view name) const;
    /// kAny: the first one.
    std::optional<RecordSet> find(Type type) const;
    void fetch() const;

private:
    std::shared_ptr<const char[]> bytes_;  // NodeFrame, name; then each set: SetFrame, bytes, extra
};

/// One part of the name tree that is answered: "cluster.local".
struct Apex {
    WireName name;
    std::string soa;     ///< rdata
    std::string denial;  ///< the SOA record of a negative answer, whole, owner included
};

/// The names of the world outside the cluster, as far as a lab has one. Unknown names do not exist.
class Outside {
public:
    /// `names` in dotted form, with their addresses.
    explicit Outside(const std::map<std::string, Ipv4>& names);

    enum class Found { kNothing, kNoData, kAddress };
    /// By lower-cased wire name. kNoData: only longer names end so.
    Found find(std::string_view name, Ipv4& address) const;
    /// The SOA record that comes with a negative answer, whole, owner included.
    const std::string& soa() const { return soa_; }

private:
    std::map<WireName, std::optional<Ipv4>, std::less<>> names_;
    std::string soa_;
};

/// Everything that DNS answers at one moment. Immutable; copies share what did not change.
class Zone {
public:
    /// By lower-cased wire name; nullptr if nothing stands there. Addresses of pods
    /// (10-244-1-2.shop.pod.cluster.local) are made from their names and not found here.
    const ZoneNode* find(std::string_view name) const;
    /// What find() goes by.
    static size_t hash(std::string_view name) { return std::hash<std::string_view>()(name); }
    /// Has the processor fetch what find() of the names with these hashes will read, for all at
    /// once: one after the other each would wait for memory several times.
    void fetch(std::span<const size_t> hashes) const;
    /// The apex that `name` is within; nullptr: not ours to answer.
    const Apex* find_apex(std::string_view name) const;
    /// The address in a pod's name; nothing if `name` is none or its namespace does not exist.
    std::optional<Ipv4> pod_address(std::string_view name) const;
    /// Who answers for names beyond every apex; nullptr: nobody.
    const Outside* outside() const { return outside_.get(); }

private:
    friend class ZoneBuilder;
    struct Entry {
        size_t hash = 0;
        ZoneNode node;
    };
    /// Few, so that a change copies little: a zone of 1,000 Services has some eight in each.
    struct Bucket {
        std::shared_ptr<const Entry[]> entries;
        size_t size = 0;

        std::span<const Entry> all() const { return {entries.get(), size}; }
    };
    static constexpr size_t kBuckets = 1024;
    const Bucket& bucket_of(size_t hashed) const { return buckets_[hashed % kBuckets]; }

    std::array<Bucket, kBuckets> buckets_;
    std::vector<Apex> apexes_;
    WireName pods_;  // "pod.cluster.local"
    std::shared_ptr<const Outside> outside_;
};

}  // namespace kin::dns
