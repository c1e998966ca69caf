#include "core/api/ingress_views.h"

#include "core/api/view_fields.h"

namespace kin {

namespace {
IngressBackend read_backend(const Json& json) {
    IngressBackend out;
    out.resource = find(json, "resource") != nullptr;
    out.service = string_at(json, {"service", "name"});
    out.port.name = string_at(json, {"service", "port", "name"});
    out.port.number = static_cast<uint16_t>(int_at(json, {"service", "port", "number"}));
    return out;
}

PathType path_type_of(std::string_view name) {
    if (name == "Exact") return PathType::kExact;
    return name == "Prefix" ? PathType::kPrefix : PathType::kImplementationSpecific;
}

IngressRule read_rule(const Json& json) {
    IngressRule out;
    out.host = string_at(json, {"host"});
    for (const Json& path : array_at(json, {"http", "paths"})) {
        out.paths.push_back({path_type_of(string_at(path, {"pathType"})), string_at(path, {"path"}),
                             read_backend(object_at(path, {"backend"}))});
    }
    return out;
}

IngressTls read_tls(const Json& json) {
    IngressTls out;
    for (const Json& host : array_at(json, {"hosts"})) {
        if (host.is_string()) out.hosts.push_back(host.get<std::string>());
    }
    out.secret = string_at(json, {"secretName"});
    return out;
}
}  // namespace

std::string_view name_of(PathType type) {
    switch (type) {
        case PathType::kExact:
            return "Exact";
        case PathType::kPrefix:
            return "Prefix";
        case PathType::kImplementationSpecific:
            return "ImplementationSpecific";
    }
    return "";
}

template <>
Ingress decode(std::shared_ptr<const Json> object) {
    auto view = with_metadata<Ingress>(std::move(object));
    const Json& spec = view.spec();
    view.class_name = string_at(spec, {"ingressClassName"});
    if (const Json* backend = find(spec, "defaultBackend")) {
        view.default_backend = read_backend(*backend);
    }
    for (const Json& rule : array_at(spec, {"rules"})) view.rules.push_back(read_rule(rule));
    for (const Json& tls : array_at(spec, {"tls"})) view.tls.push_back(read_tls(tls));
    return view;
}

template <>
IngressClass decode(std::shared_ptr<const Json> object) {
    auto view = with_metadata<IngressClass>(std::move(object));
    view.controller = string_at(view.spec(), {"controller"});
    const auto marked = view.meta.annotations.find("ingressclass.kubernetes.io/is-default-class");
    view.is_default = marked != view.meta.annotations.end() && marked->second == "true";
    return view;
}

}  // namespace kin
