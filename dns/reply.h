#pragma once

#include <cstdint>
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

}  // namespace kin::dns
