#include "tests/proxy/services.h"

namespace kin::test {

using nft::L4;

proxy::Network node_1() {
    return {"node-1",
            ip("172.30.0.11"),
            {cidr("10.244.0.0/16"), cidr("10.96.0.0/16"), cidr("172.30.0.0/24"),
             cidr("172.30.200.0/24")}};
}

proxy::ServicePort web() {
    return {"shop/web:http",
            ip("10.96.0.20"),
            L4::kTcp,
            80,
            {{ip("10.244.1.2"), 8080, "shop/web-0"}, {ip("10.244.2.2"), 8080, "shop/web-1"}}};
}

proxy::ServicePort dns() {
    return {"kube-system/kube-dns:dns",
            ip("10.96.0.10"),
            L4::kUdp,
            53,
            {{ip("10.244.1.3"), 53, "kube-system/coredns-a"},
             {ip("10.244.2.3"), 53, "kube-system/coredns-b"}}};
}

proxy::ServicePort none() { return {"shop/none", ip("10.96.0.11"), L4::kTcp, 80, {}}; }

}  // namespace kin::test
