#include <map>

#include "core/api/kinds.h"
#include "core/api/name_rules.h"
#include "core/api/schema.h"
#include "core/api/selectors.h"
#include "core/api/validate.h"
#include "core/api/validation.h"
#include "core/base/strings.h"

namespace kin {

namespace {
/// Walks an object by its schema: required fields are there, enumerations are kept.
class SchemaCheck {
public:
    explicit SchemaCheck(std::vector<Cause>& causes) : causes_(causes) {}

    void message(const Message& type, const Json& object, const std::string& path) {
        for (const Field& field : type.fields) {
            if (field.inlined && field.message) {
                message(*field.message, object, path);
                continue;
            }
            // The rest of metadata has rules of its own.
            if (path.empty() && (field.name == "metadata" || field.name == "status")) continue;
            const std::string at = path.empty() ? field.name : cat(path, '.', field.name);
            const Json* value = find(object, field.name);
            if (!value || value->is_null()) {
                if (field.required) causes_.push_back(field_required(at));
                continue;
            }
            shaped(field, *value, at);
        }
    }

private:
    void shaped(const Field& field, const Json& value, const std::string& at) {
        if (field.shape == FieldShape::kList && value.is_array()) {
            for (size_t i = 0; i < value.size(); ++i) one(field, value[i], cat(at, '[', i, ']'));
        } else if (field.shape == FieldShape::kMap && value.is_object()) {
            for (const auto& [key, item] : value.items()) one(field, item, cat(at, '[', key, ']'));
        } else if (field.shape == FieldShape::kOne) {
            one(field, value, at);
        }
    }

    void one(const Field& field, const Json& value, const std::string& at) {
        if (field.message && value.is_object()) message(*field.message, value, at);
        if (field.allowed.empty() || !value.is_string()) return;
        const auto text = value.get<std::string>();
        if (text.empty() && !field.required) return;
        for (const std::string& allowed : field.allowed) {
            if (text == allowed) return;
        }
        causes_.push_back(field_not_supported(at, value, field.allowed));
    }

    std::vector<Cause>& causes_;
};

/// spec.selector and the template's labels of a workload: there, matching, and for good.
void check_workload(const Json& object, const Json* old, std::vector<Cause>& causes) {
    const Json& selector = object_at(object, {"spec", "selector"});
    const LabelSelector labels = LabelSelector::from_json(selector);
    if (labels.empty()) {
        causes.push_back(field_required("spec.selector"));
        return;
    }
    const Json& template_labels = object_at(object, {"spec", "template", "metadata", "labels"});
    if (!labels.matches(string_map_at(object, {"spec", "template", "metadata", "labels"}))) {
        causes.push_back(field_invalid("spec.template.metadata.labels", template_labels,
                                       "`selector` does not match template `labels`"));
    }
    if (old && object_at(*old, {"spec", "selector"}) != selector) {
        causes.push_back(field_invalid("spec.selector", selector, "field is immutable"));
    }
    if (int_at(object, {"spec", "replicas"}) < 0) {
        causes.push_back(field_invalid("spec.replicas", int_at(object, {"spec", "replicas"}),
                                       "must be greater than or equal to 0"));
    }
}

void check_containers(const Json& spec, const std::string& path, std::vector<Cause>& causes) {
    const Json& containers = array_at(spec, {"containers"});
    if (containers.empty()) causes.push_back(field_required(cat(path, ".containers")));
    std::map<std::string, bool> names;
    for (size_t i = 0; i < containers.size(); ++i) {
        const std::string at = cat(path, ".containers[", i, ']');
        const std::string name = string_at(containers[i], {"name"});
        if (string_at(containers[i], {"image"}).empty()) {
            causes.push_back(field_required(cat(at, ".image")));
        }
        if (name.empty()) continue;
        for (const std::string& text : check_dns1123_label(name)) {
            causes.push_back(field_invalid(cat(at, ".name"), name, text));
        }
        if (!names.emplace(name, true).second) {
            causes.push_back(field_duplicate(cat(at, ".name"), name));
        }
    }
}

/// What of a Pod may change after its creation: images, grace, deadlines, added tolerations.
void check_pod_update(const Json& object, const Json& old, std::vector<Cause>& causes) {
    Json spec = object_at(object, {"spec"});
    const Json& before = object_at(old, {"spec"});
    for (const char* free : {"tolerations", "activeDeadlineSeconds", "terminationGracePeriodSeconds",
                             "schedulingGates", "ephemeralContainers"}) {
        spec.erase(free);
        if (const Json* value = find(before, free)) spec[free] = *value;
    }
    for (const char* list : {"containers", "initContainers"}) {
        Json* now = find(spec, list);
        const Json& then = array_at(before, {list});
        if (!now || now->size() != then.size()) continue;
        for (size_t i = 0; i < then.size(); ++i) {
            if (const Json* image = find(then[i], "image")) (*now)[i]["image"] = *image;
        }
    }
    if (spec != before) {
        causes.push_back(field_forbidden(
            "spec",
            "pod updates may not change fields other than `spec.containers[*].image`,"
            "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
            "`spec.tolerations` (only additions to existing tolerations),"
            "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously "
            "negative)"));
    }
}

void check_service(const Json& object, const Json* old, std::vector<Cause>& causes) {
    const Json& spec = object_at(object, {"spec"});
    const std::string type = string_at(spec, {"type"}, "ClusterIP");
    const Json& ports = array_at(spec, {"ports"});
    const bool headless = string_at(spec, {"clusterIP"}) == "None";
    if (ports.empty() && !headless && type != "ExternalName") {
        causes.push_back(field_required("spec.ports"));
    }
    if (type == "ExternalName" && string_at(spec, {"externalName"}).empty()) {
        causes.push_back(field_required("spec.externalName"));
    }
    for (size_t i = 0; i < ports.size(); ++i) {
        const std::string at = cat("spec.ports[", i, ']');
        for (const std::string& text : check_port_number(int_at(ports[i], {"port"}))) {
            causes.push_back(field_invalid(cat(at, ".port"), int_at(ports[i], {"port"}), text));
        }
        if (ports.size() > 1 && string_at(ports[i], {"name"}).empty()) {
            causes.push_back(field_required(cat(at, ".name")));
        }
    }
    const std::string before = old ? string_at(*old, {"spec", "clusterIP"}) : std::string();
    const std::string now = string_at(spec, {"clusterIP"});
    if (!before.empty() && type != "ExternalName" && now != before) {
        causes.push_back(
            field_invalid("spec.clusterIPs[0]", Json::array({now}), "may not change once set"));
    }
}
}  // namespace

std::vector<Cause> validate_kind(const Kind& kind, const Json& object, const Json* old) {
    std::vector<Cause> causes;
    if (const Message* type = Schema::builtin().find(kind.message)) {
        SchemaCheck(causes).message(*type, object, "");
    }
    if (!causes.empty()) return causes;
    if (kind.kind == "Pod") {
        check_containers(object_at(object, {"spec"}), "spec", causes);
        if (old) check_pod_update(object, *old, causes);
    } else if (kind.kind == "Service") {
        check_service(object, old, causes);
    } else if (kind.kind == "Deployment" || kind.kind == "ReplicaSet" ||
               kind.kind == "DaemonSet") {
        check_workload(object, old, causes);
        check_containers(object_at(object, {"spec", "template", "spec"}), "spec.template.spec",
                         causes);
    }
    return causes;
}

}  // namespace kin
