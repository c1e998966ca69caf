#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/ip.h"

namespace kin::ingress {

/// A question of DNS for the addresses of a name (RFC 1035), as the bytes of a datagram; "" if
/// `name` is none: a label is empty or longer than 63, or all are longer than 253. Pure.
std::string address_question(uint16_t id, const std::string& name);

/// What a server said.
struct AddressAnswer {
    enum class What { kAddresses, kNoSuchName, kFailed };
    What what = What::kFailed;
    std::vector<Ipv4> addresses;
    std::chrono::seconds valid{0};  ///< the shortest TTL on the way to them
};
/// Reads the answer to a question with this id; nothing if it is none. Pure.
std::optional<AddressAnswer> read_address_answer(uint16_t id, std::span<const uint8_t> datagram);

}  // namespace kin::ingress
