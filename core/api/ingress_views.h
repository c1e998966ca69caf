#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/api/views.h"

namespace kin {

/// Where an Ingress sends requests: a Service's port, by number or name.
struct IngressBackend {
    std::string service;
    PortRef port;
    bool resource = false;  ///< Not a Service but some other object.
};

enum class PathType : uint8_t { kExact, kPrefix, kImplementationSpecific };
std::string_view name_of(PathType type);  ///< "Exact"

struct IngressPath {
    PathType type = PathType::kImplementationSpecific;
    std::string path;  ///< "": every path
    IngressBackend backend;
};

struct IngressRule {
    std::string host;  ///< "*.example.com" too; "": every host
    std::vector<IngressPath> paths;
};

struct IngressTls {
    std::vector<std::string> hosts;  ///< empty: those of the rules
    std::string secret;              ///< "": none is named
};

/// networking.k8s.io/v1 Ingress.
struct Ingress : View {
    static constexpr std::string_view kResource = "ingresses.networking.k8s.io";
    std::string class_name;  ///< spec.ingressClassName
    std::optional<IngressBackend> default_backend;
    std::vector<IngressRule> rules;
    std::vector<IngressTls> tls;
};

/// networking.k8s.io/v1 IngressClass.
struct IngressClass : View {
    static constexpr std::string_view kResource = "ingressclasses.networking.k8s.io";
    std::string controller;   ///< "k8s.io/ingress-nginx"
    bool is_default = false;  ///< by its annotation
};

}  // namespace kin
