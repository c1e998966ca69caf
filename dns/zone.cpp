#include "dns/zone.h"

#include <algorithm>

namespace kin::dns {

const RecordSet* ZoneNode::find(Type type) const {
    const auto found = std::find_if(sets.begin(), sets.end(),
                                    [&](const RecordSet& set) { return set.type == type; });
    return found == sets.end() ? nullptr : &*found;
}

const ZoneNode* Zone::find(std::string_view name) const {
    const auto& bucket = buckets_[Hash()(name) % kBuckets];
    if (!bucket) return nullptr;
    const auto found = bucket->find(name);
    return found == bucket->end() ? nullptr : found->second.get();
}

const Apex* Zone::find_apex(std::string_view name) const {
    const auto found = std::find_if(apexes_.begin(), apexes_.end(),
                                    [&](const Apex& apex) { return is_within(name, apex.name); });
    return found == apexes_.end() ? nullptr : &*found;
}

std::optional<Ipv4> Zone::pod_address(std::string_view name) const {
    // Address, namespace, then exactly pod.cluster.local.
    if (without_labels(name, 2) != pods_ || !find(without_labels(name, 1))) return {};
    std::string text(name.substr(1, static_cast<unsigned char>(name[0])));
    if (text.find('.') != std::string::npos) return {};
    std::replace(text.begin(), text.end(), '-', '.');
    return Ipv4::parse(text);
}

}  // namespace kin::dns
