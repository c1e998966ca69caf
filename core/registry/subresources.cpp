#include <chrono>
#include <limits>

#include "core/api/selectors.h"
#include "core/base/strings.h"
#include "core/base/time.h"
#include "core/registry/delete_options.h"
#include "core/registry/write.h"

namespace kin {

Json Registry::scale_of(const Kind& kind, const Json& object) {
    Json meta = Json::object();
    for (const char* field : {"name", "namespace", "uid", "resourceVersion", "creationTimestamp"}) {
        if (const Json* value = find(object, {"metadata", field})) meta[field] = *value;
    }
    const Json& selector = object_at(object, {"spec", "selector"});
    const bool plain_map = kind.kind == "ReplicationController";
    const LabelSelector labels =
        plain_map ? LabelSelector::from_map(string_map_at(object, {"spec", "selector"}))
                  : LabelSelector::from_json(selector);
    return {
        {"kind", "Scale"},
        {"apiVersion", "autoscaling/v1"},
        {"metadata", meta},
        {"spec", {{"replicas", int_at(object, {"spec", "replicas"})}}},
        {"status",
         {{"replicas", int_at(object, {"status", "replicas"})}, {"selector", labels.to_string()}}}};
}

namespace registry {

namespace {
std::string success_status() {
    return to_text({{"kind", "Status"},
                    {"apiVersion", "v1"},
                    {"metadata", Json::object()},
                    {"status", "Success"},
                    {"code", 201}});
}

/// What the body of a subresource says of itself must fit the address.
Answer<Ok> check_sent(const Json& body, std::string_view api_version, std::string_view kind,
                      const ObjectKey& key) {
    if (!body.is_object()) return bad_request("the body of the request is no object");
    const std::string version = string_at(body, {"apiVersion"}, api_version);
    const std::string said = string_at(body, {"kind"}, kind);
    // Clients from before policy/v1 send the same object.
    const bool old = version == "policy/v1beta1" && api_version == "policy/v1";
    if ((version != api_version && !old) || said != kind) {
        return bad_request(cat(said, " in version \"", version, "\" cannot be handled as a ", kind,
                               ": no kind \"", said, "\" is registered for version \"", version,
                               "\""));
    }
    const std::string ns = string_at(body, {"metadata", "namespace"}, key.ns);
    if (ns != key.ns) {
        return bad_request(cat("the namespace of the object (", ns,
                               ") does not match the namespace on the request (", key.ns, ")"));
    }
    const std::string name = string_at(body, {"metadata", "name"});
    if ((kind == "Eviction" || kind == "Binding") && name != key.name)
        return bad_request(cat("name in URL does not match name in ", kind, " object"));
    if (kind == "Scale" && !name.empty() && name != key.name) {
        return bad_request(cat("the name of the object (", name,
                               ") does not match the name on the URL (", key.name, ")"));
    }
    return Ok{};
}

/// POST pods/NAME/binding: gives the Pod its node.
Answer<Written> bind(Writing& writing, StoreTransaction& store) {
    const Kind& pods = writing.kind();
    const ObjectKey& key = writing.target.key;
    const StoredPtr stored = store.find("pods", key);
    if (!stored) return not_found(pods, key.name);
    const auto pod = json_of(*stored);
    const std::string node = string_at(writing.body, {"target", "name"});
    TRY(check_sent(writing.body, "v1", "Binding", key));
    if (node.empty()) {
        return invalid_of("", "Binding", key.name, {field_required("target.name")});
    }
    const std::string target_kind = string_at(writing.body, {"target", "kind"});
    if (!target_kind.empty() && target_kind != "Node") {
        return invalid_of("", "Binding", key.name,
                          {field_not_supported("target.kind", target_kind, {"Node", "<empty>"})});
    }
    if (!string_at(*pod, {"metadata", "deletionTimestamp"}).empty()) {
        return conflict(pods, key.name,
                        cat("pod ", key.name, " is being deleted, cannot be assigned to a host"));
    }
    const std::string held = string_at(*pod, {"spec", "nodeName"});
    if (!held.empty()) {
        Status status = conflict(
            pods, key.name, cat("pod ", key.name, " is already assigned to node \"", held, "\""));
        status.kind = "pods/binding";
        return status;
    }
    Json object = *pod;
    object["spec"]["nodeName"] = node;
    Json conditions = Json::array();
    for (const Json& condition : array_at(object, {"status", "conditions"})) {
        if (string_at(condition, {"type"}) != "PodScheduled") conditions.push_back(condition);
    }
    conditions.push_back({{"type", "PodScheduled"},
                          {"status", "True"},
                          {"lastProbeTime", nullptr},
                          {"lastTransitionTime", rfc3339(std::chrono::system_clock::now())}});
    object["status"]["conditions"] = std::move(conditions);
    const Settled settled = put_object(writing, std::move(object), store);
    Written written;
    written.code = 201;
    written.revision = settled.revision;
    written.object = settled.object;
    written.body = success_status();
    return written;
}

/// POST pods/NAME/eviction: a delete that asks first (budgets are not kept yet, so it may).
Answer<Written> evict(Writing& writing, StoreTransaction& store) {
    TRY(check_sent(writing.body, "policy/v1", "Eviction", writing.target.key));
    TRY_ASSIGN(const DeleteOptions options,
               read_delete_options(object_at(writing.body, {"deleteOptions"})));
    if (options.dry_run == DryRun::kYes) writing.options.dry_run = DryRun::kYes;
    static const Registry::Options kNoServices;
    ServiceAllocators unused(kNoServices);
    auto removed = remove_in(writing, options, unused, store);
    if (!removed) return removed;
    removed->code = 201;
    removed->body = success_status();
    return removed;
}
}  // namespace

std::function<Answer<Written>(StoreTransaction&)> subresource_create(Target target, Json body,
                                                                     WriteOptions options) {
    auto writing = std::make_shared<Writing>(std::move(target), std::move(options));
    writing->body = std::move(body);
    return [writing](StoreTransaction& store) -> Answer<Written> {
        const bool pod = writing->kind().kind == "Pod";
        if (pod && writing->target.subresource == "binding") return bind(*writing, store);
        if (pod && writing->target.subresource == "eviction") return evict(*writing, store);
        return method_not_allowed();
    };
}

Answer<Ok> settle_scale(const Target& target, Json& body) {
    TRY(check_sent(body, "autoscaling/v1", "Scale", target.key));
    if (const Json* spec = find(body, "spec"); spec && !spec->is_object()) {
        return bad_request(
            "Scale in version \"v1\" cannot be handled as a Scale: spec is no object");
    }
    const Json* replicas = find(body, {"spec", "replicas"});
    if (!replicas) {
        if (!find(body, "spec")) body["spec"] = Json::object();
        body["spec"]["replicas"] = 0;
        return Ok{};
    }
    if (!replicas->is_number_integer() || *replicas > std::numeric_limits<int32_t>::max()) {
        return bad_request(
            "Scale in version \"v1\" cannot be handled as a Scale: json: cannot unmarshal into Go "
            "struct field ScaleSpec.spec.replicas of type int32");
    }
    if (replicas->get<int64_t>() < 0) {
        return invalid_of(
            "autoscaling", "Scale", target.key.name,
            {field_invalid("spec.replicas", *replicas, "must be greater than or equal to 0")});
    }
    return Ok{};
}

}  // namespace registry
}  // namespace kin
