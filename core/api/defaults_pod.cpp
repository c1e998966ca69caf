#include <algorithm>

#include "core/api/defaults.h"
#include "core/api/quantity.h"
#include "core/base/strings.h"

namespace kin {

namespace {

constexpr auto kContainerLists = {"initContainers", "containers", "ephemeralContainers"};

bool is_image_path(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               std::string_view("-_./:").find(c) != std::string_view::npos;
    });
}

/// The image's tag: "latest" if it names none, "" if it has a digest instead or is unreadable.
std::string_view image_tag(std::string_view image) {
    const size_t at = image.find('@');
    const bool digest = at != std::string_view::npos;
    image = image.substr(0, at);
    const size_t slash = image.rfind('/');
    const size_t colon = image.rfind(':');
    const bool tagged =
        colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash);
    if (!is_image_path(tagged ? image.substr(0, colon) : image)) return "";
    if (tagged) return image.substr(colon + 1);
    return digest ? "" : "latest";
}

void default_container(Json& container) {
    if (!container.contains("imagePullPolicy"))
        container["imagePullPolicy"] =
            image_tag(string_at(container, {"image"})) == "latest" ? "Always" : "IfNotPresent";
}

void default_volume(Json& volume) {
    if (volume.size() <= 1) volume["emptyDir"] = Json::object();
}

/// A limit without a request asks for as much.
void request_what_is_limited(Json& container) {
    for (const auto& [name, amount] : object_at(container, {"resources", "limits"}).items())
        set_missing(container["resources"]["requests"], name.c_str(), amount);
}

void use_host_ports(Json& container) {
    if (Json* ports = find(container, "ports"))
        for (Json& port : *ports)
            if (port.contains("containerPort"))
                set_missing(port, "hostPort", port["containerPort"]);
}

bool is_positive(const Json& amounts, const char* name) {
    const auto amount = Quantity::parse(string_at(amounts, {name}));
    return amount && !amount->is_zero();
}

}  // namespace

std::string qos_class(const Json& spec) {
    bool any = false;
    bool all = true;
    for (const char* list : {"initContainers", "containers"}) {
        for (const Json& container : array_at(spec, {list})) {
            const Json& limits = object_at(container, {"resources", "limits"});
            const Json& requests = object_at(container, {"resources", "requests"});
            for (const char* name : {"cpu", "memory"}) {
                const bool limited = is_positive(limits, name);
                any = any || limited || is_positive(requests, name);
                const bool same = Quantity::parse(string_at(limits, {name})) ==
                                  Quantity::parse(string_at(requests, {name}));
                all = all && limited && same;
            }
        }
    }
    return !any ? "BestEffort" : all ? "Guaranteed" : "Burstable";
}

void default_pod_spec(Json& spec) {
    for (const char* list : kContainerLists)
        if (Json* containers = find(spec, list))
            for (Json& container : *containers) default_container(container);
    if (Json* volumes = find(spec, "volumes"))
        for (Json& volume : *volumes) default_volume(volume);
    // Two names of one field.
    if (spec.contains("serviceAccount"))
        set_missing(spec, "serviceAccountName", spec["serviceAccount"]);
    if (spec.contains("serviceAccountName")) spec["serviceAccount"] = spec["serviceAccountName"];
}

void default_pod(Json& pod, const Json*) {
    Json& spec = pod["spec"];
    default_pod_spec(spec);
    set_missing(spec, "enableServiceLinks", true);
    const bool host_network = bool_at(spec, {"hostNetwork"});
    for (const char* list : {"initContainers", "containers"}) {
        Json* containers = find(spec, list);
        if (!containers) continue;
        for (Json& container : *containers) {
            request_what_is_limited(container);
            if (host_network) use_host_ports(container);
        }
    }
    Json& status = pod["status"];
    set_missing(status, "phase", "Pending");
    set_missing(status, "qosClass", qos_class(spec));
}

}  // namespace kin
