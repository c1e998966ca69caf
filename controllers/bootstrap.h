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

/// The newest edition of the first objects. A kin that brings more of them adds one, and says so at
/// each of those in first_objects.yaml (annotation kin/since; none: they were there from the first).
constexpr int kFirstObjectsEdition = 2;
/// The objects of a new cluster that came after an edition (0: all), in the order in which they
/// are to be created. Pure.
std::vector<Json> first_objects(const BootstrapOptions& options, int after_edition = 0);
/// Service, Endpoints and EndpointSlice default/kubernetes: the way to the API server. Pure.
std::vector<Json> api_server_objects(const BootstrapOptions& options);

/// Writes those of them that are missing or point elsewhere. On the client's loop.
void restore_api_server_objects(Client& client, const BootstrapOptions& options);
/// Makes them anew when somebody deletes one. Call before Client::start(); lives as long as the
/// client.
void keep_api_server_objects(Client& client, const BootstrapOptions& options);

/// Creates each of the first objects once in a cluster's life, those that a newer kin brings at its
/// first start on the cluster. Which edition the cluster has is written on Namespace kube-system,
/// so what somebody deletes stays deleted. The way to the API server is restored at
/// every start. Writes what is needed and returns; on the client's loop.
void bootstrap(Client& client, const BootstrapOptions& options);

}  // namespace kin::controllers
