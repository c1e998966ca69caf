#include "netns/pod/downward.h"

#include "core/base/strings.h"
#include "netns/pod/quantity.h"

namespace kin::netns {
namespace {

/// The text as a Go string literal, which is how labels stand in files.
std::string go_literal(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        switch (c) {
            case '"':
                out += "\\\"";
                break;
            case '\\':
                out += "\\\\";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\t':
                out += "\\t";
                break;
            case '\r':
                out += "\\r";
                break;
            default:
                out += c;
        }
    }
    return out + '"';
}

std::string all_lines(const Labels& labels) {
    std::string out;
    for (const auto& [key, value] : labels) {
        if (!out.empty()) out += '\n';
        out += cat(key, '=', go_literal(value));
    }
    return out;
}

/// "app" of "metadata.labels['app']".
std::optional<std::string_view> subscript(std::string_view path, std::string_view of) {
    if (!path.starts_with(of) || !path.ends_with("']")) return {};
    path.remove_prefix(of.size());
    if (!path.starts_with("['") || path.size() < 4) return {};
    return path.substr(2, path.size() - 4);
}

std::string value_or_empty(const Labels& labels, std::string_view key) {
    const auto found = labels.find(key);
    return found == labels.end() ? "" : found->second;
}

const Json* quantity_of(const Json& resources, std::string_view resource) {
    const size_t dot = resource.find('.');
    if (dot == std::string_view::npos) return nullptr;
    return find(resources, {resource.substr(0, dot), resource.substr(dot + 1)});
}

int64_t node_amount_milli(const DownwardView& view, std::string_view resource) {
    if (resource.ends_with(".cpu")) return view.node_cpu_milli;
    if (resource.ends_with(".memory")) return view.node_memory_bytes * 1000;
    return 0;
}

}  // namespace

Result<std::string> field_value(const DownwardView& view, std::string_view path) {
    const PodSpec& pod = view.pod;
    if (path == "metadata.name") return pod.key.name;
    if (path == "metadata.namespace") return pod.key.ns;
    if (path == "metadata.uid") return pod.uid;
    if (path == "metadata.labels") return all_lines(view.labels);
    if (path == "metadata.annotations") return all_lines(view.annotations);
    if (path == "spec.nodeName") return pod.node;
    if (path == "spec.serviceAccountName") return pod.service_account;
    if (path == "status.podIP" || path == "status.podIPs") return view.pod_ip.to_string();
    if (path == "status.hostIP" || path == "status.hostIPs") return view.host_ip.to_string();
    if (const auto label = subscript(path, "metadata.labels")) {
        return value_or_empty(view.labels, *label);
    }
    if (const auto annotation = subscript(path, "metadata.annotations")) {
        return value_or_empty(view.annotations, *annotation);
    }
    return Error(Errc::kInvalid, cat("unsupported fieldPath: ", path));
}

Result<std::string> resource_value(const DownwardView& view, const ContainerSpecView& container,
                                   std::string_view resource, std::string_view divisor) {
    int64_t amount = 0;
    const Json* quantity = quantity_of(container.resources, resource);
    if (quantity) {
        const auto parsed = parse_milli_quantity(
            quantity->is_string() ? quantity->get<std::string>() : quantity->dump());
        if (!parsed) return Error(Errc::kInvalid, cat(resource, ": no quantity"));
        amount = *parsed;
    } else if (resource.starts_with("limits.")) {
        amount = node_amount_milli(view, resource);
    }
    const auto unit = divisor.empty() || divisor == "0" ? std::optional<int64_t>(1000)
                                                        : parse_milli_quantity(divisor);
    if (!unit || *unit <= 0) return Error(Errc::kInvalid, cat("divisor ", divisor));
    return cat((amount + *unit - 1) / *unit);
}

Result<std::string> resource_value_of(const DownwardView& view, std::string_view container,
                                      std::string_view resource, std::string_view divisor) {
    for (const auto* list : {&view.pod.containers, &view.pod.init_containers}) {
        for (const ContainerSpecView& candidate : *list) {
            if (candidate.name == container) {
                return resource_value(view, candidate, resource, divisor);
            }
        }
    }
    return Error(Errc::kNotFound, cat("container ", container, " not found"));
}

}  // namespace kin::netns
