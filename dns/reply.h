#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "dns/zone.h"

namespace kin::dns {

enum class Transport { kUdp, kTcp };

/// Answers one message out of `zone` into `out`, whose memory is reused. False: no answer is to be
/// sent. Pure. `turn` rotates the order of addresses, so that askers spread over them. What does
/// not fit a datagram is left out whole and marked truncated.
bool reply(const Zone& zone, std::string_view packet, Transport transport, uint32_t turn,
           std::string& out);

/// Makes ready for answering these packets, one after the other: what their names lead to in memory
/// is fetched for all at once (up to 64). Without it answers are the same, and slower.
void expect(const Zone& zone, std::span<const std::string_view> packets);

}  // namespace kin::dns
