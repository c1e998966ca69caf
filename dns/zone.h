#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/ip.h"
#include "dns/wire.h"

namespace kin::dns {

/// All records of one name and type, as the bytes that an answer holds. Every record begins with a
/// pointer to the question's name.
struct RecordSet {
    Type type = Type::kA;
    std::string bytes;
    std::vector<uint32_t> starts;  ///< where each record begins in `bytes`
    std::string extra;             ///< addresses of SRV targets, with their full names
    uint16_t extra_count = 0;
    WireName target;  ///< where a CNAME leads
};

/// What stands at one name. Without sets the name only has names below it (or no data).
struct ZoneNode {
    std::vector<RecordSet> sets;

    const RecordSet* find(Type type) const;
};

/// One part of the name tree that is answered: "cluster.local".
struct Apex {
    WireName name;
    std::string soa;  ///< rdata
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
    /// The apex that `name` is within; nullptr: not ours to answer.
    const Apex* find_apex(std::string_view name) const;
    /// The address in a pod's name; nothing if `name` is none or its namespace does not exist.
    std::optional<Ipv4> pod_address(std::string_view name) const;
    /// Who answers for names beyond every apex; nullptr: nobody.
    const Outside* outside() const { return outside_.get(); }

private:
    friend class ZoneBuilder;
    struct Hash {
        using is_transparent = void;
        size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>()(text);
        }
    };
    using Bucket =
        std::unordered_map<WireName, std::shared_ptr<const ZoneNode>, Hash, std::equal_to<>>;
    static constexpr size_t kBuckets = 1024;

    std::array<std::shared_ptr<const Bucket>, kBuckets> buckets_;
    std::vector<Apex> apexes_;
    WireName pods_;  // "pod.cluster.local"
    std::shared_ptr<const Outside> outside_;
};

}  // namespace kin::dns
