#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kin::apiserver {

/// In which shape a client wants an answer (kube-apiserver's content negotiation).
enum class Form {
    kJson,
    kYaml,
    kTable,             ///< meta.k8s.io Table: what `kubectl get` prints
    kPartialMetadata,   ///< meta.k8s.io PartialObjectMetadata(List)
    kDiscoveryV2,       ///< apidiscovery.k8s.io/v2 APIGroupDiscoveryList
    kDiscoveryV2beta1,
    kProtobuf,          ///< accepted by name only; answered as JSON where both are offered
};

/// Which forms a place of the API can answer in.
struct Offers {
    bool table = false;
    bool partial_metadata = false;
    bool discovery = false;
};

/// The first entry of an Accept header that can be served; nullopt: 406. An empty header and
/// "*/*" mean JSON.
std::optional<Form> negotiate(std::string_view accept, const Offers& offers);

}  // namespace kin::apiserver
