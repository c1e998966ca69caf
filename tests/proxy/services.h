#pragma once

#include <string_view>

#include "proxy/compile.h"
#include "tests/support/addresses.h"

namespace kin::test {

/// Node 1 of the usual address plan.
proxy::Network node_1();

proxy::ServicePort web();   ///< shop/web:http, 10.96.0.20:80/TCP, two pods
proxy::ServicePort dns();   ///< kube-system/kube-dns:dns, 10.96.0.10:53/UDP, two pods
proxy::ServicePort none();  ///< shop/none, 10.96.0.11:80/TCP, without endpoints

}  // namespace kin::test
