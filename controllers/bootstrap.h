#pragma once

#include <vector>

#include "core/base/ip.h"
#include "core/base/json.h"
#include "core/client/client.h"

namespace kin::controllers {

struct BootstrapOptions {
    Ipv4 api_address{0xAC1E0002};  ///< 172.30.0.2: where pods reach the API server
    uint16_t api_port = 6443;
    Ipv4 api_service_ip{0x0A600001};  ///< 10.96.0.1
    Ipv4 dns_service_ip{0x0A60000A};  ///< 10.96.0.10
};

/// The objects of a new cluster, in the order in which they are to be created. Pure.
std::vector<Json> first_objects(const BootstrapOptions& options);
/// Service, Endpoints and EndpointSlice default/kubernetes: the way to the API server. Pure.
std::vector<Json> api_server_objects(const BootstrapOptions& options);

/// Writes those of them that are missing or point elsewhere. On the client's loop.
void restore_api_server_objects(Client& client, const BootstrapOptions& options);
/// Makes them anew when somebody deletes one. Call before Client::start(); lives as long as the
/// client.
void keep_api_server_objects(Client& client, const BootstrapOptions& options);

/// Creates the first objects once in a cluster's life: the mark is an annotation of Namespace
/// kube-system, so what somebody deletes stays deleted. The way to the API server is restored at
/// every start. Writes what is needed and returns; on the client's loop.
void bootstrap(Client& client, const BootstrapOptions& options);

}  // namespace kin::controllers
