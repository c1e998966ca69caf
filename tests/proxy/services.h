#pragma once

#include <string_view>

#include "proxy/compile.h"

namespace kin::test {

inline Ipv4 ip(std::string_view text) { return Ipv4::parse(text).value_or(Ipv4{}); }
inline Cidr cidr(std::string_view text) { return Cidr::parse(text).value_or(Cidr{}); }

/// Node 1 of the usual address plan.
proxy::Network node_1();

proxy::ServicePort web();   ///< shop/web:http, 10.96.0.20:80/TCP, two pods
proxy::ServicePort dns();   ///< kube-system/kube-dns:dns, 10.96.0.10:53/UDP, two pods
proxy::ServicePort none();  ///< shop/none, 10.96.0.11:80/TCP, without endpoints

}  // namespace kin::test
