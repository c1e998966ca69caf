#pragma once

#include <string_view>

#include "core/base/ip.h"

namespace kin::test {

/// Addresses as tests write them; what is no address is 0.0.0.0.
inline Ipv4 ip(std::string_view text) { return Ipv4::parse(text).value_or(Ipv4{}); }
inline Cidr cidr(std::string_view text) { return Cidr::parse(text).value_or(Cidr{}); }

}  // namespace kin::test
