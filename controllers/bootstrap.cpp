#include "controllers/bootstrap.h"

#include <embedded/first_objects.h>

#include "core/api/yaml.h"
#include "core/base/log.h"
#include "core/base/strings.h"

namespace kin::controllers {

namespace {
constexpr std::string_view kMark = "kin/first-objects-created";  // The edition; "true": the first.
constexpr std::string_view kSince = "kin/since";

Json meta(std::string_view name, Json labels) {
    return {{"name", name}, {"namespace", "default"}, {"labels", std::move(labels)}};
}

/// Creates `object`; one that is there already is as good.
void create(Client& client, Json object) {
    const Kind* kind = find_kind_of(string_at(object, {"apiVersion"}), string_at(object, {"kind"}));
    KIN_ASSERT(kind);
    const std::string name = cat(kind->kind, ' ', string_at(object, {"metadata", "name"}));
    client.create(kind->resource(), std::move(object), [name](const Answer<Written>& answer) {
        if (answer || answer.error().code == 409) return;
        log_error("bootstrap", answer.error().message, {{"object", name}});
    });
}

/// Brings the parts of `wanted` into the stored object of the same name.
void restore(Client& client, const Json& wanted, std::initializer_list<const char*> parts) {
    const Kind* kind = find_kind_of(string_at(wanted, {"apiVersion"}), string_at(wanted, {"kind"}));
    KIN_ASSERT(kind);
    const ObjectKey key{"default", "kubernetes"};
    const auto stored = client.get(kind->resource(), key);
    if (!stored) return create(client, wanted);
    Json changed = *stored;
    for (const char* part : parts) changed[part] = wanted[part];
    if (changed != *stored) client.update(kind->resource(), std::move(changed));
}
/// The edition that brought this object; it is not to be seen in the cluster.
int take_edition(Json& object) {
    const auto since = parse_number<int>(string_at(object, {"metadata", "annotations", kSince}));
    if (!since) return 1;
    Json& annotations = object["metadata"]["annotations"];
    annotations.erase(std::string(kSince));
    if (annotations.empty()) object["metadata"].erase("annotations");
    return *since;
}

/// Of this cluster; 0: it is new.
int edition_of(const std::shared_ptr<const Json>& system) {
    const std::string mark =
        system ? string_at(*system, {"metadata", "annotations", kMark}) : std::string();
    return mark == "true" ? 1 : parse_number<int>(mark).value_or(0);
}
}  // namespace

std::vector<Json> first_objects(const BootstrapOptions& options, int after_edition) {
    auto objects = parse_yaml_documents(embedded::first_objects());
    KIN_ASSERT(objects);
    std::vector<Json> out;
    for (Json& object : *objects) {
        const int edition = take_edition(object);
        KIN_ASSERT(edition <= kFirstObjectsEdition);
        if (edition <= after_edition) continue;
        if (string_at(object, {"metadata", "name"}) == "kube-dns") {
            object["spec"]["clusterIP"] = options.dns_service_ip.to_string();
        }
        out.push_back(std::move(object));
    }
    return out;
}

std::vector<Json> api_server_objects(const BootstrapOptions& options) {
    const std::string address = options.api_address.to_string();
    const Json port = {{"name", "https"}, {"port", options.api_port}, {"protocol", "TCP"}};
    return {
        {{"apiVersion", "v1"},
         {"kind", "Service"},
         {"metadata", meta("kubernetes", {{"component", "apiserver"}, {"provider", "kubernetes"}})},
         {"spec",
          {{"clusterIP", options.api_service_ip.to_string()},
           {"ports", Json::array({{{"name", "https"},
                                   {"port", 443},
                                   {"protocol", "TCP"},
                                   {"targetPort", options.api_port}}})}}}},
        {{"apiVersion", "v1"},
         {"kind", "Endpoints"},
         {"metadata", meta("kubernetes", {{"endpointslice.kubernetes.io/skip-mirror", "true"}})},
         {"subsets", Json::array({{{"addresses", Json::array({{{"ip", address}}})},
                                   {"ports", Json::array({port})}}})}},
        {{"apiVersion", "discovery.k8s.io/v1"},
         {"kind", "EndpointSlice"},
         {"metadata", meta("kubernetes", {{"kubernetes.io/service-name", "kubernetes"}})},
         {"addressType", "IPv4"},
         {"endpoints", Json::array({{{"addresses", Json::array({address})},
                                     {"conditions", {{"ready", true}}}}})},
         {"ports", Json::array({port})}}};
}

void restore_api_server_objects(Client& client, const BootstrapOptions& options) {
    const std::vector<Json> api = api_server_objects(options);
    restore(client, api[0], {});
    restore(client, api[1], {"subsets"});
    restore(client, api[2], {"endpoints", "ports"});
}

void keep_api_server_objects(Client& client, const BootstrapOptions& options) {
    client.watch_metadata(
        [&client, options](const Kind& kind, const Metadata* before, const Metadata* now) {
            if (now || before->key != ObjectKey{"default", "kubernetes"}) return;
            for (const std::string_view kept : {"Service", "Endpoints", "EndpointSlice"}) {
                if (kind.kind == kept) return restore_api_server_objects(client, options);
            }
        });
}

void bootstrap(Client& client, const BootstrapOptions& options) {
    const ObjectKey system{"", "kube-system"};
    const int edition = edition_of(client.get(Namespace::kResource, system));
    for (Json& object : first_objects(options, edition)) create(client, std::move(object));
    restore_api_server_objects(client, options);
    if (edition >= kFirstObjectsEdition) return;
    // Written last: whoever is interrupted before begins anew, and finds half of it there.
    client.patch(
        Namespace::kResource, system,
        {{"metadata", {{"annotations", {{std::string(kMark), cat(kFirstObjectsEdition)}}}}}});
}

}  // namespace kin::controllers
