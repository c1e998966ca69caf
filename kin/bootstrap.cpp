#include "kin/bootstrap.h"

#include "core/api/kinds.h"
#include "core/base/strings.h"

namespace kin {

namespace {
Result<> create(Registry& registry, std::string_view resource, const std::string& ns,
                const Json& object) {
    const Target target{find_resource(resource), {ns, ""}, ""};
    WriteOptions options;
    options.field_manager = "kube-apiserver";
    const auto written = blocking_write(
        [&](WriteDone done) { registry.create(target, object, options, std::move(done)); });
    if (written || written.error().reason == "AlreadyExists") return Ok{};
    return Error(Errc::kSystem, cat("create ", resource, ' ', string_at(object, {"metadata", "name"}),
                                    ": ", written.error().message));
}
}  // namespace

Result<> bootstrap(Registry& registry) {
    for (const char* name : {"default", "kube-system", "kube-public", "kube-node-lease"}) {
        if (registry.store().find("namespaces", {"", name})) continue;
        TRY(create(registry, "namespaces", "", {{"metadata", {{"name", name}}}}));
    }
    if (registry.store().find("services", {"default", "kubernetes"})) return Ok{};
    const Json port = {{"name", "https"}, {"port", 443}, {"protocol", "TCP"}, {"targetPort", 6443}};
    return create(registry, "services", "default",
                  {{"metadata",
                    {{"name", "kubernetes"},
                     {"labels", {{"component", "apiserver"}, {"provider", "kubernetes"}}}}},
                   {"spec",
                    {{"type", "ClusterIP"},
                     {"clusterIP", registry.options().service_cidr.address.plus(1).to_string()},
                     {"ports", Json::array({port})}}}});
}

}  // namespace kin
