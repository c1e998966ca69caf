#include <set>

#include "core/api/validation.h"
#include "core/base/ip.h"
#include "core/base/strings.h"

namespace kin {

namespace {

/// The pod spec inside an object and its path; nullptr if the kind has none.
const Json* pod_spec_of(const Kind& kind, const Json& object, std::string& path) {
    if (kind.message == "core.v1.Pod") {
        path = "spec";
        return find(object, "spec");
    }
    if (kind.message == "batch.v1.CronJob") {
        path = "spec.jobTemplate.spec.template.spec";
        return find(object, {"spec", "jobTemplate", "spec", "template", "spec"});
    }
    path = "spec.template.spec";
    return find(object, {"spec", "template", "spec"});
}

void warn_about_container(const Json& container, const std::string& path,
                          std::vector<std::string>& out) {
    std::set<std::string> names;
    const Json& variables = array_at(container, {"env"});
    for (size_t i = 0; i < variables.size(); ++i) {
        const std::string name = string_at(variables[i], {"name"});
        if (!names.insert(name).second)
            out.push_back(cat(path, ".env[", i, "]: hides previous definition of \"", name,
                              "\", which may be dropped when using apply"));
    }
    std::set<std::string> ports;
    const Json& list = array_at(container, {"ports"});
    for (size_t i = 0; i < list.size(); ++i) {
        const std::string port =
            cat(int_at(list[i], {"containerPort"}), '/', string_at(list[i], {"protocol"}));
        if (!ports.insert(port).second)
            out.push_back(cat(path, ".ports[", i, "]: duplicate port definition with ", port));
    }
}

void warn_about_pod(const Json& spec, const std::string& path, std::vector<std::string>& out) {
    for (const auto& [label, value] : object_at(spec, {"nodeSelector"}).items())
        if (label.starts_with("beta.kubernetes.io/") ||
            label.starts_with("failure-domain.beta.kubernetes.io/"))
            out.push_back(
                cat(path, ".nodeSelector[", label, "]: deprecated; use \"",
                    label.starts_with("failure") ? "topology.kubernetes.io/" : "kubernetes.io/",
                    label.substr(label.find('/') + 1), "\" instead"));
    for (const char* list : {"initContainers", "containers"}) {
        const Json& containers = array_at(spec, {list});
        for (size_t i = 0; i < containers.size(); ++i)
            warn_about_container(containers[i], cat(path, '.', list, '[', i, ']'), out);
    }
    if (int_at(spec, {"terminationGracePeriodSeconds"}) < 0)
        out.push_back(cat(path,
                          ".terminationGracePeriodSeconds: must be >= 0; negative values "
                          "are invalid and will be treated as 1"));
}

void warn_about_service(const Json& service, std::vector<std::string>& out) {
    const Json& spec = object_at(service, {"spec"});
    if (spec.contains("loadBalancerIP") && spec["loadBalancerIP"] != "" &&
        string_at(spec, {"type"}) == "LoadBalancer")
        out.emplace_back("spec.loadBalancerIP is deprecated; kin takes it as a wish");
    if (string_at(spec, {"type"}) == "ExternalName" && !array_at(spec, {"externalIPs"}).empty())
        out.emplace_back("spec.externalIPs is ignored when spec.type is \"ExternalName\"");
    if (string_at(spec, {"clusterIP"}) == "None" &&
        string_at(spec, {"sessionAffinity"}) == "ClientIP")
        out.emplace_back("spec.SessionAffinity is ignored for headless services");
}

void warn_about_ingress(const Json& ingress, std::vector<std::string>& out) {
    if (find(ingress, {"metadata", "annotations", "kubernetes.io/ingress.class"}))
        out.emplace_back(
            "annotation \"kubernetes.io/ingress.class\" is deprecated, please use "
            "'spec.ingressClassName' instead");
}

}  // namespace

std::vector<std::string> warnings_for(const Kind& kind, const Json& object, const Json*) {
    std::vector<std::string> out;
    if (!kind.stored_only_warning.empty()) out.emplace_back(kind.stored_only_warning);
    std::string path;
    if (const Json* spec = pod_spec_of(kind, object, path)) warn_about_pod(*spec, path, out);
    if (kind.message == "core.v1.Service") warn_about_service(object, out);
    if (kind.message == "networking.v1.Ingress") warn_about_ingress(object, out);
    if (kind.message == "core.v1.Endpoints")
        out.emplace_back(
            "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 "
            "EndpointSlice");
    return out;
}

}  // namespace kin
