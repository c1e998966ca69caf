#include "tests/core/api/oracle.h"

#include <algorithm>
#include <fstream>

#include "core/base/strings.h"
#include "tests/support/golden.h"

namespace kin::test {

namespace {

std::string key_of(const OracleRequest& request) {
    return cat(request.kind->resource(), '/', request.ns, '/', request.name);
}

void allocate(Json& service) {
    Json& spec = service["spec"];
    const std::string type = string_at(spec, {"type"});
    if (type != "ExternalName" && !spec.contains("clusterIP")) {
        spec["clusterIP"] = "10.96.0.50";
        spec["clusterIPs"] = Json::array({"10.96.0.50"});
    }
    const bool node_ports = type == "NodePort" || type == "LoadBalancer";
    int next = 30500;
    if (node_ports && spec.contains("ports"))
        for (Json& port : spec["ports"])
            if (!port.contains("nodePort")) port["nodePort"] = next++;
    if (type == "LoadBalancer" && string_at(spec, {"externalTrafficPolicy"}) == "Local" &&
        !spec.contains("healthCheckNodePort"))
        spec["healthCheckNodePort"] = 30999;
}

Json without_nulls(const Json& json) {
    if (!json.is_structured()) return json;
    Json out = json.is_array() ? Json::array() : Json::object();
    for (const auto& [key, value] : json.items()) {
        if (json.is_array()) {
            out.push_back(without_nulls(value));
        } else if (!value.is_null()) {
            out[key] = without_nulls(value);
        }
    }
    return out;
}

bool is_placeholder(const Json& json) {
    if (!json.is_string()) return false;
    const auto& text = json.get_ref<const std::string&>();
    return text.starts_with('<') && text.ends_with('>');
}

/// What version 1.20 does not know yet.
bool is_newer(const std::string& key, const Json& value) {
    static const std::vector<std::string> kNewer = {"internalTrafficPolicy",
                                                    "ipFamilies",
                                                    "ipFamilyPolicy",
                                                    "allocateLoadBalancerNodePorts",
                                                    "kubernetes.io/metadata.name",
                                                    "scope",
                                                    "persistentVolumeClaimRetentionPolicy",
                                                    "completionMode",
                                                    "suspend",
                                                    "podReplacementPolicy",
                                                    "batch.kubernetes.io/controller-uid",
                                                    "batch.kubernetes.io/job-name",
                                                    "availableReplicas",
                                                    "ipMode",
                                                    "generation"};
    if (key == "maxSurge") return value == 0;
    return std::find(kNewer.begin(), kNewer.end(), key) != kNewer.end();
}

bool same_json(const Json& expected, const Json& actual);

bool same_object(const Json& expected, const Json& actual) {
    for (const auto& [key, value] : expected.items()) {
        if (key == "apiVersion") continue;
        const auto at = actual.find(key);
        if (at == actual.end()) {
            if (value.is_object() && value.empty()) continue;
            return false;
        }
        if (!same_json(value, *at)) return false;
    }
    for (const auto& [key, value] : actual.items()) {
        if (expected.contains(key)) continue;
        if (value.is_object() && same_object(Json::object(), value)) continue;
        if (!is_newer(key, value)) return false;
    }
    return true;
}

bool same_json(const Json& expected, const Json& actual) {
    if (is_placeholder(expected)) return true;
    if (expected.is_object() && actual.is_object()) return same_object(expected, actual);
    if (!expected.is_array() || !actual.is_array()) return expected == actual;
    return std::equal(expected.begin(), expected.end(), actual.begin(), actual.end(), same_json);
}

}  // namespace

OracleRequest parse_oracle_path(std::string_view path) {
    OracleRequest out;
    std::vector<std::string_view> steps = split(path.substr(1), '/');
    size_t at = 0;
    std::string_view group;
    if (steps[at++] == "apis") group = steps[at++];
    std::string_view version = steps[at++];
    if (group == "discovery.k8s.io") version = "v1";
    if (at + 2 < steps.size() && steps[at] == "namespaces") {
        out.ns = steps[at + 1];
        at += 2;
    }
    if (at >= steps.size()) return out;
    out.kind = find_kind(group, version, steps[at++]);
    if (at < steps.size()) out.name = steps[at++];
    if (at < steps.size()) out.subresource = steps[at];
    return out;
}

std::vector<Json> oracle_lines(const std::string& file) {
    std::vector<Json> out;
    std::ifstream stream(shared_folder() + "/oracle/" + file);
    for (std::string line; std::getline(stream, line);)
        if (auto json = parse_json(line)) out.push_back(std::move(*json));
    return out;
}

Answer<Ok> TinyServer::check_body(const OracleRequest& request, Json& body) const {
    const Kind& kind = *request.kind;
    if (!body.is_object()) return bad_request("no object");
    std::string version = string_at(body, {"apiVersion"}, kind.api_version());
    if (version == "discovery.k8s.io/v1beta1") version = "discovery.k8s.io/v1";
    body["apiVersion"] = version;
    if (!body.contains("kind")) body["kind"] = kind.kind;
    if (find_kind_of(version, string_at(body, {"kind"})) != &kind)
        return bad_request("another kind");
    TRY(conform(kind, body));
    const std::string ns = string_at(body, {"metadata", "namespace"});
    if (!ns.empty() && kind.namespaced && ns != request.ns) return bad_request("another namespace");
    if (kind.namespaced) body["metadata"]["namespace"] = request.ns;
    return Ok{};
}

Answer<Ok> TinyServer::create(const OracleRequest& request, Json body) {
    TRY(check_body(request, body));
    const Kind& kind = *request.kind;
    if (body["metadata"].contains("resourceVersion"))
        return bad_request("resourceVersion should not be set on objects to be created");
    if (kind.has_status && !kind.status_on_create) body.erase("status");
    for (const char* key : {"uid", "creationTimestamp", "deletionTimestamp"})
        body["metadata"].erase(key);
    body["metadata"]["uid"] = "00000000-0000-0000-0000-000000000001";
    body["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z";
    if (!body["metadata"].contains("name") && body["metadata"].contains("generateName"))
        body["metadata"]["name"] = string_at(body, {"metadata", "generateName"}) + "x7k2p";
    set_defaults(kind, body, nullptr);
    auto causes = validate(kind, body, nullptr);
    const std::string name = string_at(body, {"metadata", "name"});
    if (!causes.empty()) return invalid(kind, name, std::move(causes));
    if (kind.kind == "Service") allocate(body);
    OracleRequest made = request;
    made.name = name;
    objects_.emplace_back(key_of(made), body);
    stored_ = std::move(body);
    return Ok{};
}

bool TinyServer::has(const OracleRequest& request) const {
    return std::any_of(objects_.begin(), objects_.end(),
                       [&](const auto& one) { return one.first == key_of(request); });
}

Answer<Ok> TinyServer::update(const OracleRequest& request, Json body) {
    TRY(check_body(request, body));
    const Kind& kind = *request.kind;
    if (string_at(body, {"metadata", "name"}) != request.name) return bad_request("another name");
    auto at = std::find_if(objects_.begin(), objects_.end(),
                           [&](const auto& one) { return one.first == key_of(request); });
    Json& old = at->second;
    for (const char* key : {"uid", "creationTimestamp"})
        if (const Json* value = find(old, {"metadata", key})) body["metadata"][key] = *value;
    if (kind.has_status) {
        body.erase("status");
        if (old.contains("status")) body["status"] = old["status"];
    }
    set_defaults(kind, body, &old);
    auto causes = validate(kind, body, &old);
    if (!causes.empty()) return invalid(kind, request.name, std::move(causes));
    if (kind.kind == "Service") allocate(body);
    old = body;
    stored_ = std::move(body);
    return Ok{};
}

bool same_stored(Json expected, Json actual) {
    for (Json* object : {&expected, &actual})
        for (const char* key : {"uid", "resourceVersion", "creationTimestamp", "generation",
                                "namespace", "managedFields"})
            (*object)["metadata"].erase(key);
    return same_json(without_nulls(expected), without_nulls(actual));
}

}  // namespace kin::test
