#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/strings.h"
#include "ingress/compile.h"

/// A small cluster as Ingress sees it.
namespace kin::test {

template <class T>
T view(Json object) {
    return decode<T>(std::make_shared<const Json>(std::move(object)));
}

inline Json path(const std::string& path, const std::string& service,
                 const std::string& type = "Prefix", Json port = {{"number", 80}}) {
    return {{"path", path},
            {"pathType", type},
            {"backend", {{"service", {{"name", service}, {"port", std::move(port)}}}}}};
}

inline Json rule(const std::string& host, Json paths) {
    Json out = {{"http", {{"paths", std::move(paths)}}}};
    if (!host.empty()) out["host"] = host;
    return out;
}

inline Json backend(const std::string& service) {
    return {{"service", {{"name", service}, {"port", {{"number", 80}}}}}};
}

struct World {
    std::vector<Ingress> ingresses;
    std::vector<IngressClass> classes;
    std::map<ObjectKey, Service> services;
    std::vector<EndpointSlice> slices;
    std::map<ObjectKey, Secret> secrets;
    std::map<std::string, std::vector<Ipv4>> names;  ///< What DNS says.
    ingress::Compiler compiler{objects()};

    World() {
        add_class("nginx", "k8s.io/ingress-nginx");
        add_service("web", {{"10.244.1.2", true}, {"10.244.2.2", true}, {"10.244.3.2", false}});
        add_service("api", {{"10.244.1.3", true}});
        add_service("empty", {});
    }

    void add_class(const std::string& name, const std::string& controller) {
        classes.push_back(view<IngressClass>(
            {{"metadata", {{"name", name}}}, {"spec", {{"controller", controller}}}}));
    }

    /// Port 80, named http; its pods listen on 8080.
    void add_service(const std::string& name,
                     const std::vector<std::pair<std::string, bool>>& pods) {
        services[{"shop", name}] = view<Service>(
            {{"metadata", {{"name", name}, {"namespace", "shop"}}},
             {"spec",
              {{"type", "ClusterIP"},
               {"ports", Json::array({{{"name", "http"}, {"port", 80}, {"protocol", "TCP"}},
                                      {{"name", "dns"}, {"port", 53}, {"protocol", "UDP"}}})}}}});
        Json endpoints = Json::array();
        for (const auto& [address, ready] : pods) {
            endpoints.push_back({{"addresses", {address}}, {"conditions", {{"ready", ready}}}});
        }
        slices.push_back(view<EndpointSlice>(
            {{"metadata",
              {{"name", name + "-1"},
               {"namespace", "shop"},
               {"labels", {{"kubernetes.io/service-name", name}}}}},
             {"addressType", "IPv4"},
             {"endpoints", std::move(endpoints)},
             {"ports", Json::array({{{"name", "http"}, {"port", 8080}, {"protocol", "TCP"}}})}}));
    }

    void add_external_name(const std::string& name, const std::string& stands_for,
                           Json ports = Json::array()) {
        services[{"shop", name}] =
            view<Service>({{"metadata", {{"name", name}, {"namespace", "shop"}}},
                           {"spec",
                            {{"type", "ExternalName"},
                             {"externalName", stands_for},
                             {"ports", std::move(ports)}}}});
    }

    /// The later one is added, the younger it is.
    Ingress& add(const std::string& name, Json spec, Json annotations = Json::object()) {
        if (!spec.contains("ingressClassName")) spec["ingressClassName"] = "nginx";
        const std::string second = std::to_string(10 + ingresses.size());
        ingresses.push_back(
            view<Ingress>({{"metadata",
                            {{"name", name},
                             {"namespace", "shop"},
                             {"uid", "uid-" + name},
                             {"creationTimestamp", "2026-01-01T00:00:" + second + "Z"},
                             {"annotations", std::move(annotations)}}},
                           {"spec", std::move(spec)}}));
        return ingresses.back();
    }

    void add_secret(const std::string& name, const std::string& certificate, const std::string& key,
                    int revision = 1) {
        secrets[{"shop", name}] = view<Secret>(
            {{"metadata",
              {{"name", name},
               {"namespace", "shop"},
               {"resourceVersion", std::to_string(revision)}}},
             {"type", "kubernetes.io/tls"},
             {"data", {{"tls.crt", base64_encode(certificate)}, {"tls.key", base64_encode(key)}}}});
    }

    ingress::Objects objects() {
        ingress::Objects out;
        out.find_ingress = [this](const ObjectKey& key) -> const Ingress* {
            for (const Ingress& one : ingresses) {
                if (one.key() == key) return &one;
            }
            return nullptr;
        };
        out.all_ingresses = [this] {
            std::vector<ObjectKey> keys;
            for (const Ingress& one : ingresses) keys.push_back(one.key());
            return keys;
        };
        out.classes = [this] {
            std::vector<const IngressClass*> all;
            for (const IngressClass& one : classes) all.push_back(&one);
            return all;
        };
        out.find_service = [this](const ObjectKey& key) -> const Service* {
            const auto found = services.find(key);
            return found == services.end() ? nullptr : &found->second;
        };
        out.slices_of = [this](const ObjectKey& key) {
            std::vector<const EndpointSlice*> of;
            for (const EndpointSlice& slice : slices) {
                if (slice.key().ns == key.ns && slice.service == key.name) of.push_back(&slice);
            }
            return of;
        };
        out.addresses_of = [this](const ObjectKey&, const std::string& name) {
            return names[name];
        };
        out.find_secret = [this](const ObjectKey& key) -> const Secret* {
            const auto found = secrets.find(key);
            return found == secrets.end() ? nullptr : &found->second;
        };
        return out;
    }

    /// All of it is looked at again, or what has changed alone.
    ingress::Compiled compile(const ingress::Changes& changes = {}) {
        return compiler.compile(changes);
    }
};

}  // namespace kin::test
