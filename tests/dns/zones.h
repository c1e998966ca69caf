#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/api/views.h"
#include "dns/zone_builder.h"

/// A small cluster as DNS sees it.
namespace kin::test {

inline Service service(const std::string& name, Json spec) {
    return decode<Service>(std::make_shared<const Json>(
        Json{{"metadata", {{"name", name}, {"namespace", "shop"}}}, {"spec", std::move(spec)}}));
}

inline EndpointSlice slice(const std::string& service_name, Json endpoints, Json ports) {
    return decode<EndpointSlice>(std::make_shared<const Json>(
        Json{{"metadata",
              {{"name", service_name + "-1"},
               {"namespace", "shop"},
               {"labels", {{"kubernetes.io/service-name", service_name}}}}},
             {"addressType", "IPv4"},
             {"endpoints", std::move(endpoints)},
             {"ports", std::move(ports)}}));
}

inline Json endpoint(const std::string& address, bool ready = true,
                     const std::string& hostname = "") {
    Json out = {{"addresses", {address}}, {"conditions", {{"ready", ready}}}};
    if (!hostname.empty()) out["hostname"] = hostname;
    return out;
}

inline Json http_port(uint16_t port) {
    return Json::array({{{"name", "http"}, {"port", port}, {"protocol", "TCP"}}});
}

/// Service web (ClusterIP), db (headless, one named and one unready endpoint), nobody (headless,
/// without endpoints), shop (ExternalName to the outside), alias (ExternalName to web).
inline void fill(dns::ZoneBuilder& builder) {
    builder.set_namespace("shop", true);
    const auto set = [&](const Service& object, const std::vector<const EndpointSlice*>& slices) {
        builder.set_service(object.key(), dns::records_of(object, slices, {}));
    };
    const EndpointSlice web = slice("web", Json::array({endpoint("10.244.1.9")}), http_port(8080));
    set(service("web",
                {{"clusterIP", "10.96.0.20"},
                 {"ports", Json::array({{{"name", "http"}, {"port", 80}, {"protocol", "TCP"}},
                                        {{"port", 81}, {"protocol", "TCP"}}})}}),
        {&web});
    const EndpointSlice db =
        slice("db",
              Json::array({endpoint("10.244.1.2", true, "db-0"), endpoint("10.244.2.2"),
                           endpoint("10.244.3.2", false)}),
              http_port(5432));
    set(service("db", {{"clusterIP", "None"}}), {&db});
    set(service("nobody", {{"clusterIP", "None"}}), {});
    set(service("shop", {{"type", "ExternalName"}, {"externalName", "shop.example.com"}}), {});
    set(service("alias",
                {{"type", "ExternalName"}, {"externalName", "web.shop.svc.cluster.local"}}),
        {});
}

}  // namespace kin::test
