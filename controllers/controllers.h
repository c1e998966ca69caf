#pragma once

#include <memory>
#include <string>

#include "controllers/bootstrap.h"
#include "core/base/ip.h"
#include "core/client/client.h"

namespace kin::controllers {

struct Options {
    Cidr pod_pool{{0x0AF40000}, 16};            ///< 10.244.0.0/16
    Cidr load_balancer_pool{{0xAC1EC800}, 24};  ///< 172.30.200.0/24
    std::string ca_certificate;  ///< PEM; goes into every namespace's kube-root-ca.crt
    BootstrapOptions bootstrap;
};

/// All controllers, on the client's loop. Create before Client::start() and destroy before the
/// client, both on any thread but the loop's.
class Controllers {
public:
    Controllers(Client& client, Options options);
    ~Controllers();

private:
    struct All;
    Client& client_;
    std::unique_ptr<All> all_;
};

}  // namespace kin::controllers
