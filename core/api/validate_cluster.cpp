// Namespaces, nodes, events and leases.

#include <set>

#include "core/api/quantity.h"
#include "core/api/validate.h"
#include "core/base/strings.h"
#include "core/base/time.h"

namespace kin {

namespace {

void validate_amounts(const Json& status, const char* key, const FieldPath& path, Findings& out) {
    for (const auto& [name, value] : object_at(status, {key}).items()) {
        const auto amount = Quantity::parse(value.get_ref<const std::string&>());
        if (amount && amount->is_negative())
            out.invalid(path.child(key).child(name), value, "must be greater than or equal to 0");
    }
}

void validate_pod_blocks(const Json& spec, const FieldPath& path, Findings& out) {
    const Json& blocks = array_at(spec, {"podCIDRs"});
    size_t four = 0;
    each(spec, "podCIDRs", path, [&](const Json& block, const FieldPath& at) {
        const auto& text = block.get_ref<const std::string&>();
        if (!is_cidr(text)) out.invalid(at, block, kNotACidr);
        four += text.find(':') == std::string::npos;
    });
    const bool both = blocks.size() == 2 && four == 1;
    if (blocks.size() > 1 && !both)
        out.invalid(path.child("podCIDRs"), blocks,
                    "may specify no more than one CIDR for each IP family");
}

void validate_addresses(const Json& status, const FieldPath& path, Findings& out) {
    std::set<std::string> seen;
    each(status, "addresses", path, [&](const Json& address, const FieldPath& at) {
        if (!seen.insert(address.dump()).second) out.duplicate(at, address);
    });
}

/// Of a node's spec only taints, the cordon and what was empty may change.
void validate_node_change(const Json& spec, const Json& old, const FieldPath& path, Findings& out) {
    const std::string before = string_at(old, {"providerID"});
    if (!before.empty() && string_at(spec, {"providerID"}) != before)
        out.forbidden(path.child("providerID"),
                      "node updates may not change providerID except from \"\" to valid");
    const Json& blocks = array_at(old, {"podCIDRs"});
    if (!blocks.empty() && array_at(spec, {"podCIDRs"}) != blocks)
        out.forbidden(path.child("podCIDRs"),
                      "node updates may not change podCIDR except from \"\" to valid");
    Json expected = old;
    for (const char* key : {"taints", "unschedulable", "podCIDR", "podCIDRs", "configSource"}) {
        expected.erase(key);
        if (spec.contains(key)) expected[key] = spec[key];
    }
    if (before.empty() && spec.contains("providerID")) expected["providerID"] = spec["providerID"];
    if (expected != spec)
        out.forbidden(FieldPath("[]"), "node updates may only change labels, taints, or capacity");
}

void require(const Json& object, const char* key, Findings& out) {
    if (string_at(object, {key}).empty()) out.required(FieldPath(key));
}

/// The rules for events of the kind that events.k8s.io writes: those with eventTime.
void validate_new_event(const Json& event, Findings& out) {
    for (const char* key : {"reportingComponent", "reportingInstance", "action", "reason"})
        require(event, key, out);
    const std::string reporter = string_at(event, {"reportingComponent"});
    if (!reporter.empty())
        out.invalid(FieldPath("reportingController"), reporter, check_qualified_name(reporter));
    if (string_at(event, {"reportingInstance"}).size() > 128)
        out.invalid(FieldPath("reportingInstance"), "", "can have at most 128 characters");
    if (string_at(event, {"action"}).size() > 128)
        out.invalid(FieldPath("action"), "", "can have at most 128 characters");
    if (string_at(event, {"reason"}).size() > 128)
        out.invalid(FieldPath("reason"), "", "can have at most 128 characters");
    if (string_at(event, {"message"}).size() > 1024)
        out.invalid(FieldPath("message"), "", "can have at most 1024 characters");
}

}  // namespace

void validate_namespace(const Json& object, const Json*, Findings& out) {
    for (const Json& finalizer : array_at(object, {"spec", "finalizers"})) {
        const auto& name = finalizer.get_ref<const std::string&>();
        const FieldPath path = FieldPath("spec").child("finalizers");
        const Complaints complaints = check_qualified_name(name);
        out.invalid(path, name, complaints);
        if (complaints.empty() && name.find('/') == std::string::npos && name != "kubernetes" &&
            name != "orphan" && name != "foregroundDeletion")
            out.invalid(path, name,
                        "name is neither a standard finalizer name nor is it fully qualified");
    }
}

void validate_node(const Json& object, const Json* old, Findings& out) {
    const Json& spec = object_at(object, {"spec"});
    const Json& status = object_at(object, {"status"});
    const FieldPath spec_path("spec");
    const FieldPath status_path("status");
    // Upstream's path of the taints, though they stand in spec.
    validate_taints(array_at(spec, {"taints"}), FieldPath("metadata").child("taints"), out);
    validate_amounts(status, "capacity", status_path, out);
    validate_amounts(status, "allocatable", status_path, out);
    validate_pod_blocks(spec, spec_path, out);
    if (!old) return;
    validate_addresses(status, status_path, out);
    validate_node_change(spec, object_at(*old, {"spec"}), spec_path, out);
}

void validate_event(const Json& object, const Json* old, Findings& out) {
    const std::string ns = string_at(object, {"metadata", "namespace"});
    const std::string object_ns = string_at(object, {"involvedObject", "namespace"});
    const FieldPath path = FieldPath("involvedObject").child("namespace");
    const bool cluster_wide = object_ns.empty();
    if (cluster_wide ? ns != "default" && ns != "kube-system" && !ns.empty() : object_ns != ns)
        out.invalid(path, object_ns, "does not match event.namespace");
    if (!old && object.contains("eventTime")) validate_new_event(object, out);
}

void validate_lease(const Json& object, const Json*, Findings& out) {
    const FieldPath path("spec");
    const Json* duration = find(object, {"spec", "leaseDurationSeconds"});
    if (duration && duration->get<int64_t>() <= 0)
        out.invalid(path.child("leaseDurationSeconds"), *duration, "must be greater than 0");
    out.check_not_negative(path.child("leaseTransitions"),
                           find(object, {"spec", "leaseTransitions"}));
}

}  // namespace kin
