#include "tests/bench/ingress_compile.h"

#include <malloc.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "core/base/strings.h"
#include "ingress/compile.h"
#include "tests/bench/stopwatch.h"

namespace kin::bench {
namespace {

template <class T>
T view(Json object) {
    return decode<T>(std::make_shared<const Json>(std::move(object)));
}

/// A cluster of Ingresses: "h7.example.com" leads to Service "s7", whose pods are two.
struct Cluster {
    std::map<ObjectKey, Ingress> ingresses;
    std::map<ObjectKey, Service> services;
    std::map<ObjectKey, EndpointSlice> slices;  // By their Services.

    static ObjectKey ingress_key(int number) { return {"shop", cat("i", number)}; }
    static ObjectKey service_key(int number) { return {"shop", cat("s", number)}; }

    void set_ingress(int number, const std::string& path) {
        const Json backend = {
            {"service", {{"name", service_key(number).name}, {"port", {{"number", 80}}}}}};
        const Json paths =
            Json::array({{{"path", path}, {"pathType", "Prefix"}, {"backend", backend}}});
        const Json rule = {{"host", cat("h", number, ".example.com")},
                           {"http", {{"paths", paths}}}};
        ingresses[ingress_key(number)] =
            view<Ingress>({{"metadata",
                            {{"name", ingress_key(number).name},
                             {"namespace", "shop"},
                             {"annotations", {{"kubernetes.io/ingress.class", "nginx"}}}}},
                           {"spec", {{"rules", Json::array({rule})}}}});
    }
    void set_service(int number, int pod) {
        const ObjectKey key = service_key(number);
        const Json meta = {{"name", key.name},
                           {"namespace", key.ns},
                           {"labels", {{"kubernetes.io/service-name", key.name}}}};
        const Json port = {{"name", "http"}, {"port", 80}, {"protocol", "TCP"}};
        services[key] =
            view<Service>({{"metadata", meta},
                           {"spec", {{"type", "ClusterIP"}, {"ports", Json::array({port})}}}});
        const auto endpoint = [](int last) {
            const Ipv4 address = Ipv4{0x0AF40002}.plus(static_cast<uint32_t>(last));
            return Json{{"addresses", {address.to_string()}}, {"conditions", {{"ready", true}}}};
        };
        slices[key] = view<EndpointSlice>(
            {{"metadata", meta},
             {"addressType", "IPv4"},
             {"ports", Json::array({port})},
             {"endpoints", Json::array({endpoint(2 * number), endpoint(2 * number + pod)})}});
    }

    ingress::Objects objects() {
        ingress::Objects out;
        out.find_ingress = [this](const ObjectKey& key) { return find(ingresses, key); };
        out.all_ingresses = [this] {
            std::vector<ObjectKey> keys;
            for (const auto& [key, ingress] : ingresses) keys.push_back(key);
            return keys;
        };
        out.classes = [] { return std::vector<const IngressClass*>{}; };
        out.find_service = [this](const ObjectKey& key) { return find(services, key); };
        out.slices_of = [this](const ObjectKey& key) {
            return std::vector<const EndpointSlice*>{find(slices, key)};
        };
        out.find_secret = [](const ObjectKey&) { return nullptr; };
        return out;
    }

private:
    template <class T>
    static const T* find(const std::map<ObjectKey, T>& objects, const ObjectKey& key) {
        const auto found = objects.find(key);
        return found == objects.end() ? nullptr : &found->second;
    }
};

/// Median microseconds of so many calls.
template <class F>
double microseconds(F work) {
    constexpr int kTimes = 501;
    std::vector<double> times;
    for (int i = 0; i < kTimes; ++i) {
        const auto changes = work(i);
        const Stopwatch stopwatch;
        changes();
        times.push_back(stopwatch.read().wall_ms * 1e3);
    }
    std::sort(times.begin(), times.end());
    return times[kTimes / 2];
}

}  // namespace

void measure_ingress_compiling(int ingresses) {
    Cluster cluster;
    for (int i = 0; i < ingresses; ++i) {
        cluster.set_ingress(i, "/");
        cluster.set_service(i, 1);
    }
    const size_t used = ::mallinfo2().uordblks;
    ingress::Compiler compiler(cluster.objects());
    const Stopwatch stopwatch;
    compiler.compile({});
    const double all_ms = stopwatch.read().wall_ms;
    const double kib = static_cast<double>(::mallinfo2().uordblks - used) / 1024;
    const double ingress_us = microseconds([&](int i) {
        const int number = i * 7 % ingresses;
        cluster.set_ingress(number, i % 2 == 0 ? "/a" : "/b");
        ingress::Changes changes = ingress::Changes::none();
        changes.ingresses.insert(Cluster::ingress_key(number));
        return [&, changes] { compiler.compile(changes); };
    });
    const double service_us = microseconds([&](int i) {
        const int number = i * 7 % ingresses;
        cluster.set_service(number, 1 + i % 2);
        ingress::Changes changes = ingress::Changes::none();
        changes.services.insert(Cluster::service_key(number));
        return [&, changes] { compiler.compile(changes); };
    });
    std::printf("%.2f %.0f %.1f %.1f\n", all_ms, kib, ingress_us, service_us);
}

}  // namespace kin::bench
