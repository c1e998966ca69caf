#include "netns/pod/environment.h"

#include "core/base/strings.h"

namespace kin::netns {
namespace {

using From = ValueSource::From;

/// "MY_SVC" of "my-svc".
std::string variable_name(std::string_view name) {
    std::string out(name);
    for (char& c : out) {
        if (c == '-' || c == '.') c = '_';
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return out;
}

void add_service(const Service& service, Environment& out) {
    const std::string name = variable_name(service.key().name);
    out.set(name + "_SERVICE_HOST", service.cluster_ip);
    out.set(name + "_SERVICE_PORT", cat(service.ports.front().port));
    for (const ServicePort& port : service.ports) {
        if (port.name.empty()) continue;
        out.set(cat(name, "_SERVICE_PORT_", variable_name(port.name)), cat(port.port));
    }
    // The variables of Docker's links, which predate Kubernetes.
    for (const ServicePort& port : service.ports) {
        const std::string protocol(name_of(port.protocol));
        const std::string url = cat(to_lower(protocol), "://", service.cluster_ip, ':', port.port);
        if (&port == &service.ports.front()) out.set(name + "_PORT", url);
        const std::string prefix = cat(name, "_PORT_", port.port, '_', protocol);
        out.set(prefix, url);
        out.set(prefix + "_PROTO", to_lower(protocol));
        out.set(prefix + "_PORT", cat(port.port));
        out.set(prefix + "_ADDR", service.cluster_ip);
    }
}

struct Kept {
    std::string_view lower, upper;  // As messages spell the kind: `configmap "x"`, `in ConfigMap`.
};

Kept words_of(From from) {
    return from == From::kSecret ? Kept{"secret", "Secret"} : Kept{"configmap", "ConfigMap"};
}

const Json* find_object(const ConfigSource& source, From from, const ObjectKey& key) {
    return from == From::kSecret ? source.secret(key) : source.config_map(key);
}

std::map<std::string, std::string> data_of(From from, const Json& object) {
    return from == From::kSecret ? secret_data(object) : config_map_data(object);
}

/// nullopt: optional and missing.
Result<std::optional<std::string>> referenced(const ValueSource& value, const ObjectKey& key,
                                              const ConfigSource& source) {
    const Json* object = find_object(source, value.from, key);
    if (!object) {
        if (value.optional) return std::optional<std::string>();
        return Error(Errc::kNotFound,
                     cat(words_of(value.from).lower, " \"", key.name, "\" not found"));
    }
    const auto data = data_of(value.from, *object);
    if (const auto found = data.find(value.key); found != data.end()) {
        return std::optional(found->second);
    }
    if (value.optional) return std::optional<std::string>();
    return Error(Errc::kNotFound, cat("couldn't find key ", value.key, " in ",
                                      words_of(value.from).upper, ' ', key));
}

Result<std::optional<std::string>> value_of(const DownwardView& view,
                                            const ContainerSpecView& container,
                                            const EnvVar& variable, const Environment& known,
                                            const ConfigSource& source) {
    const ValueSource& value = variable.value;
    switch (value.from) {
        case From::kLiteral:
            return std::optional(expand(value.literal, known));
        case From::kField: {
            TRY_ASSIGN(std::string text, field_value(view, value.key));
            return std::optional(std::move(text));
        }
        case From::kResource: {
            auto text = value.name.empty()
                            ? resource_value(view, container, value.key, value.divisor)
                            : resource_value_of(view, value.name, value.key, value.divisor);
            if (!text) return std::move(text).error();
            return std::optional(std::move(text).value());
        }
        default:
            return referenced(value, {view.pod.key.ns, value.name}, source);
    }
}

Result<> add_all_keys(const EnvFrom& from, const std::string& ns, const ConfigSource& source,
                      Environment& out) {
    const Json* object = find_object(source, from.from, {ns, from.name});
    if (!object) {
        if (from.optional) return Ok{};
        return Error(Errc::kNotFound,
                     cat(words_of(from.from).lower, " \"", from.name, "\" not found"));
    }
    for (auto& [key, value] : data_of(from.from, *object)) {
        // A variable's name has no '=' and no zero; other odd names are passed on as they are.
        if (key.find('=') == std::string::npos) out.set(from.prefix + key, std::move(value));
    }
    return Ok{};
}

}  // namespace

void Environment::set(const std::string& name, std::string value) {
    const auto [found, added] = values_.try_emplace(name);
    found->second = std::move(value);
    if (added) order_.push_back(name);
}

const std::string* Environment::find(const std::string& name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? nullptr : &found->second;
}

std::vector<std::string> Environment::lines() const {
    std::vector<std::string> out;
    out.reserve(order_.size());
    for (const std::string& name : order_) out.push_back(cat(name, '=', values_.at(name)));
    return out;
}

std::string expand(std::string_view text, const Environment& variables) {
    std::string out;
    for (size_t at = 0; at < text.size(); ++at) {
        if (text[at] != '$' || at + 1 == text.size()) {
            out += text[at];
            continue;
        }
        const char next = text[++at];
        if (next == '$') {
            out += '$';
            continue;
        }
        const size_t end = next == '(' ? text.find(')', at) : std::string_view::npos;
        if (end == std::string_view::npos) {
            out += '$';
            out += next;
            continue;
        }
        const std::string name(text.substr(at + 1, end - at - 1));
        const std::string* value = variables.find(name);
        out += value ? *value : cat("$(", name, ')');
        at = end;
    }
    return out;
}

Environment service_environment(const std::vector<const Service*>& services, std::string_view ns,
                                bool service_links) {
    Environment out;
    for (const Service* service : services) {
        const ObjectKey& key = service->key();
        const bool the_api = key.ns == "default" && key.name == "kubernetes";
        if (!the_api && (!service_links || key.ns != ns)) continue;
        if (service->cluster_ip.empty() || service->headless() || service->ports.empty()) continue;
        add_service(*service, out);
    }
    return out;
}

Result<Environment> container_environment(const DownwardView& view,
                                          const ContainerSpecView& container,
                                          const Environment& services, const ConfigSource& source) {
    Environment out = services;
    for (const EnvFrom& from : container.env_from) {
        TRY(add_all_keys(from, view.pod.key.ns, source, out));
    }
    for (const EnvVar& variable : container.env) {
        TRY_ASSIGN(auto value, value_of(view, container, variable, out, source));
        if (value) out.set(variable.name, std::move(*value));
    }
    return out;
}

}  // namespace kin::netns
