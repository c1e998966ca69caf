// Rules that several kinds share.

#include "core/api/validate.h"
#include "core/base/ip.h"
#include "core/base/strings.h"

namespace kin {

namespace {

void validate_expression(const Json& expression, const FieldPath& path, Findings& out) {
    const std::string name = string_at(expression, {"operator"});
    const Json& values = array_at(expression, {"values"});
    const FieldPath values_path = path.child("values");
    if (name == "In" || name == "NotIn") {
        if (values.empty())
            out.required(values_path, "must be specified when `operator` is 'In' or 'NotIn'");
    } else if (name == "Exists" || name == "DoesNotExist") {
        if (!values.empty())
            out.forbidden(values_path,
                          "may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    } else {
        out.invalid(path.child("operator"), name, "not a valid selector operator");
    }
    const std::string key = string_at(expression, {"key"});
    out.invalid(path.child("key"), key, check_qualified_name(key));
    for (size_t i = 0; i < values.size(); ++i)
        out.invalid(values_path.index(i), values[i],
                    check_label_value(values[i].get_ref<const std::string&>()));
}

}  // namespace

void validate_label_selector(const Json& selector, const FieldPath& path, Findings& out) {
    validate_labels(object_at(selector, {"matchLabels"}), path.child("matchLabels"), out);
    each(selector, "matchExpressions", path,
         [&](const Json& one, const FieldPath& at) { validate_expression(one, at, out); });
}

void validate_port_or_name(const Json& port, const FieldPath& path, Findings& out) {
    if (port.is_string()) {
        out.invalid(path, port, check_port_name(port.get_ref<const std::string&>()));
    } else {
        out.invalid(path, port, check_port_number(port.get<int64_t>()));
    }
}

void validate_required(const Json& object, const char* key, Complaints (*rule)(std::string_view),
                       const FieldPath& path, Findings& out) {
    const std::string text = string_at(object, {key});
    if (text.empty()) return out.required(path.child(key));
    if (rule) out.invalid(path.child(key), text, rule(text));
}

void validate_routable_ip(std::string_view text, const FieldPath& path, Findings& out) {
    if (!is_ip(text)) return out.invalid(path, text, kNotAnIp);
    const auto ip = Ipv4::parse(text);
    const std::string lower = to_lower(text);
    const auto in = [&](std::string_view block) { return ip && Cidr::parse(block)->contains(*ip); };
    if (text == "0.0.0.0" || text == "::")
        out.invalid(path, text, "may not be unspecified (0.0.0.0 or ::)");
    if (in("127.0.0.0/8") || text == "::1")
        out.invalid(path, text, "may not be in the loopback range (127.0.0.0/8, ::1/128)");
    if (in("169.254.0.0/16") || lower.starts_with("fe80:"))
        out.invalid(path, text, "may not be in the link-local range (169.254.0.0/16, fe80::/10)");
    if (in("224.0.0.0/24") || lower.starts_with("ff02:"))
        out.invalid(path, text,
                    "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)");
}

}  // namespace kin
