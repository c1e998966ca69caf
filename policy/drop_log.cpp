#include "policy/drop_log.h"

#include "core/base/strings.h"

namespace kin::policy {

namespace {
/// An attempt is repeated for so long; a new one after it is a new entry.
constexpr auto kSameAttempt = std::chrono::seconds(30);

uint16_t u16_at(std::string_view bytes, size_t at) {
    return static_cast<uint16_t>(static_cast<unsigned char>(bytes[at]) << 8 |
                                 static_cast<unsigned char>(bytes[at + 1]));
}
uint32_t u32_at(std::string_view bytes, size_t at) {
    return uint32_t{u16_at(bytes, at)} << 16 | u16_at(bytes, at + 2);
}
}  // namespace

std::optional<DroppedPacket> read_packet(std::string_view bytes) {
    constexpr size_t kLeastHeader = 20;
    if (bytes.size() < kLeastHeader) return {};
    const auto first = static_cast<unsigned char>(bytes[0]);
    const size_t header = (first & 0x0F) * size_t{4};
    if (first >> 4 != 4 || header < kLeastHeader || bytes.size() < header) return {};
    DroppedPacket out;
    out.packet.source.value = u32_at(bytes, 12);
    out.packet.destination.value = u32_at(bytes, 16);
    constexpr unsigned char kDscp = 0xFC;  // The other bits are for congestion.
    out.probe = (static_cast<unsigned char>(bytes[1]) & kDscp) == kProbeTos;
    switch (static_cast<unsigned char>(bytes[9])) {
        case static_cast<uint8_t>(nft::L4::kIcmp):
            out.packet.l4 = nft::L4::kIcmp;
            return out;
        case static_cast<uint8_t>(nft::L4::kTcp):
            out.packet.l4 = nft::L4::kTcp;
            break;
        case static_cast<uint8_t>(nft::L4::kUdp):
            out.packet.l4 = nft::L4::kUdp;
            break;
        case static_cast<uint8_t>(nft::L4::kSctp):
            out.packet.l4 = nft::L4::kSctp;
            break;
        default:
            return {};
    }
    // Later fragments have no ports.
    if ((u16_at(bytes, 6) & 0x1FFF) != 0 || bytes.size() < header + 4) return {};
    out.source_port = u16_at(bytes, header);
    out.packet.port = u16_at(bytes, header + 2);
    return out;
}

std::string Drop::to_string() const {
    std::string text = cat(rfc3339(time), ' ', node, ' ', name_of(direction), ' ', from, " -> ", to,
                           ' ', protocol_text(dropped.packet.l4));
    if (dropped.packet.l4 != nft::L4::kIcmp) text += cat(' ', dropped.packet.port);
    return cat(text, ": ", why);
}

bool DropHistory::add(Drop drop) {
    for (auto known = drops_.rbegin(); known != drops_.rend(); ++known) {
        if (drop.time - known->time > kSameAttempt) break;
        if (known->node != drop.node || known->direction != drop.direction ||
            known->dropped.packet != drop.dropped.packet ||
            known->dropped.source_port != drop.dropped.source_port || known->why != drop.why) {
            continue;
        }
        ++known->packets;
        known->change = ++changes_;
        return false;
    }
    drop.number = next_++;
    drop.change = ++changes_;
    drops_.push_back(std::move(drop));
    if (drops_.size() > kMost) drops_.pop_front();
    return true;
}

std::vector<Drop> DropHistory::after(uint64_t number) const {
    std::vector<Drop> out;
    for (const Drop& drop : drops_)
        if (drop.number > number) out.push_back(drop);
    return out;
}

std::vector<Drop> DropHistory::changed_after(uint64_t change) const {
    std::vector<Drop> out;
    for (const Drop& drop : drops_)
        if (drop.change > change) out.push_back(drop);
    return out;
}

}  // namespace kin::policy
