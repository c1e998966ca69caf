#include "core/kernel/nft.h"

#include <algorithm>

#include "core/base/assert.h"
#include "core/base/strings.h"

namespace kin::nft {

std::string name_of(L4 l4) {
    switch (l4) {
        case L4::kIcmp:
            return "icmp";
        case L4::kTcp:
            return "tcp";
        case L4::kUdp:
            return "udp";
        case L4::kSctp:
            return "sctp";
    }
    return std::to_string(static_cast<unsigned>(l4));
}

void Key::push(uint32_t part) {
    KIN_ASSERT(size_ < kMaxParts);
    parts_[size_++] = part;
}

Range::Range(const Cidr& block)
    : first(block.address), last(Ipv4{block.address.value | ~block.mask()}) {}

bool Range::contains(const Key& key) const {
    if (key.size() != first.size()) return false;
    for (size_t index = 0; index < key.size(); ++index)
        if (key[index] < first[index] || key[index] > last[index]) return false;
    return true;
}

Set* Table::find_set(std::string_view set_name) {
    const auto found =
        std::ranges::find_if(sets, [&](const Set& set) { return set.shape.name == set_name; });
    return found == sets.end() ? nullptr : &*found;
}

const Set* Table::find_set(std::string_view set_name) const {
    return const_cast<Table*>(this)->find_set(set_name);
}

const Chain* Table::find_chain(std::string_view chain_name) const {
    const auto found =
        std::ranges::find_if(chains, [&](const Chain& chain) { return chain.name == chain_name; });
    return found == chains.end() ? nullptr : &*found;
}

std::string comment_text(std::string_view comment) {
    constexpr size_t kMaxBytes = 128;  // nft refuses to read longer ones back.
    std::string text(comment.substr(0, kMaxBytes));
    std::ranges::replace(text, '"', '\'');
    return text;
}

}  // namespace kin::nft
