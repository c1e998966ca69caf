#include "netns/pod/environment.h"

#include <gtest/gtest.h>

#include "core/base/strings.h"
#include "tests/netns/pod/pods.h"

namespace kin::netns {
namespace {

using test::pod_with;

struct World {
    explicit World(Pod seen)
        : pod(std::move(seen)), spec(decode_pod_spec(pod)), view{spec,
                                           pod.meta.labels,
                                           pod.meta.annotations,
                                           *Ipv4::parse("10.244.1.2"),
                                           *Ipv4::parse("172.30.0.2"),
                                           2000,
                                           int64_t{4} << 30} {
        source.config_map = [this](const ObjectKey& key) { return look(config_maps, key); };
        source.secret = [this](const ObjectKey& key) { return look(secrets, key); };
    }
    static const Json* look(const std::map<ObjectKey, Json>& in, const ObjectKey& key) {
        const auto found = in.find(key);
        return found == in.end() ? nullptr : &found->second;
    }
    std::string environment() {
        auto made = container_environment(view, spec.containers.at(0), services, source);
        return made ? join(made->lines(), "\n") : "error: " + made.error().text();
    }

    Pod pod;
    PodSpec spec;
    DownwardView view;
    Environment services;
    std::map<ObjectKey, Json> config_maps, secrets;
    ConfigSource source;
};

TEST(EnvironmentTest, ReferencesAreExpandedInOrder) {
    World world(pod_with(R"("containers":[{"name":"c","env":[
        {"name":"A","value":"1"},{"name":"B","value":"$(A)2 $(LATER) $$(A) $"},
        {"name":"LATER","value":"x"},{"name":"A","value":"$(A)1"}]}])"));
    EXPECT_EQ(world.environment(), "A=11\nB=12 $(LATER) $(A) $\nLATER=x");
}

TEST(EnvironmentTest, DownwardFieldsAndResources) {
    World world(pod_with(R"("serviceAccountName":"sa","containers":[{"name":"c",
        "resources":{"limits":{"memory":"64Mi"},"requests":{"cpu":"250m"}},"env":[
        {"name":"NAME","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}},
        {"name":"APP","valueFrom":{"fieldRef":{"fieldPath":"metadata.labels['app']"}}},
        {"name":"IP","valueFrom":{"fieldRef":{"fieldPath":"status.podIP"}}},
        {"name":"NODE","valueFrom":{"fieldRef":{"fieldPath":"spec.nodeName"}}},
        {"name":"SA","valueFrom":{"fieldRef":{"fieldPath":"spec.serviceAccountName"}}},
        {"name":"MEM","valueFrom":{"resourceFieldRef":{"resource":"limits.memory","divisor":"1Mi"}}},
        {"name":"CPU","valueFrom":{"resourceFieldRef":{"resource":"requests.cpu"}}},
        {"name":"CPUS","valueFrom":{"resourceFieldRef":{"resource":"limits.cpu"}}}]}])"));
    EXPECT_EQ(world.environment(),
              "NAME=web-0\nAPP=web\nIP=10.244.1.2\nNODE=node-1\nSA=sa\nMEM=64\nCPU=1\nCPUS=2");
}

TEST(EnvironmentTest, ConfigMapsAndSecretsByKeyAndWhole) {
    World world(pod_with(R"j("containers":[{"name":"c",
        "envFrom":[{"prefix":"P_","configMapRef":{"name":"cm"}},
                   {"secretRef":{"name":"gone","optional":true}}],
        "env":[{"name":"S","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}},
               {"name":"O","valueFrom":{"configMapKeyRef":{"name":"cm","key":"no","optional":true}}},
               {"name":"Z","value":"$(P_b)"}]}])j"));
    world.config_maps[{"shop", "cm"}] = {{"data", {{"a", "1"}, {"b", "2"}}}};
    world.secrets[{"shop", "s"}] = {{"data", {{"k", "aGk="}}}};
    EXPECT_EQ(world.environment(), "P_a=1\nP_b=2\nS=hi\nZ=2");
}

TEST(EnvironmentTest, MissingObjectsAreNamedAsKubernetesDoes) {
    World world(pod_with(R"("containers":[{"name":"c","env":[{"name":"A",
        "valueFrom":{"configMapKeyRef":{"name":"cm","key":"k"}}}]}])"));
    EXPECT_EQ(world.environment(), "error: configmap \"cm\" not found");
    world.config_maps[{"shop", "cm"}] = Json::object();
    EXPECT_EQ(world.environment(), "error: couldn't find key k in ConfigMap shop/cm");
}

TEST(EnvironmentTest, ServicesOfThePodsNamespaceAndTheApi) {
    const Service web =
        test::service_of("shop", "my-web", "10.96.0.7",
                         R"([{"name":"http","port":80},{"port":53,"protocol":"UDP"}])");
    const Service api = test::service_of("default", "kubernetes", "10.96.0.1", R"([{"port":443}])");
    const Service other = test::service_of("default", "other", "10.96.0.9", R"([{"port":1}])");
    const Service headless = test::service_of("shop", "db", "None", R"([{"port":1}])");
    const std::vector<const Service*> all{&web, &api, &other, &headless};
    EXPECT_EQ(join(service_environment(all, "shop", true).lines(), "\n"),
              "MY_WEB_SERVICE_HOST=10.96.0.7\nMY_WEB_SERVICE_PORT=80\nMY_WEB_SERVICE_PORT_HTTP=80\n"
              "MY_WEB_PORT=tcp://10.96.0.7:80\nMY_WEB_PORT_80_TCP=tcp://10.96.0.7:80\n"
              "MY_WEB_PORT_80_TCP_PROTO=tcp\nMY_WEB_PORT_80_TCP_PORT=80\n"
              "MY_WEB_PORT_80_TCP_ADDR=10.96.0.7\nMY_WEB_PORT_53_UDP=udp://10.96.0.7:53\n"
              "MY_WEB_PORT_53_UDP_PROTO=udp\nMY_WEB_PORT_53_UDP_PORT=53\n"
              "MY_WEB_PORT_53_UDP_ADDR=10.96.0.7\nKUBERNETES_SERVICE_HOST=10.96.0.1\n"
              "KUBERNETES_SERVICE_PORT=443\nKUBERNETES_PORT=tcp://10.96.0.1:443\n"
              "KUBERNETES_PORT_443_TCP=tcp://10.96.0.1:443\nKUBERNETES_PORT_443_TCP_PROTO=tcp\n"
              "KUBERNETES_PORT_443_TCP_PORT=443\nKUBERNETES_PORT_443_TCP_ADDR=10.96.0.1");
    const Environment without_links = service_environment(all, "shop", false);
    EXPECT_TRUE(without_links.find("KUBERNETES_SERVICE_HOST"));
    EXPECT_FALSE(without_links.find("MY_WEB_SERVICE_HOST"));
}

TEST(DownwardTest, AllLabelsAreLinesWithQuotedValues) {
    World world(pod_with(R"("containers":[{"name":"c"}])"));
    EXPECT_EQ(*field_value(world.view, "metadata.annotations"), "note=\"a \\\"b\\\"\"");
    EXPECT_FALSE(field_value(world.view, "spec.nonsense"));
}

}  // namespace
}  // namespace kin::netns
