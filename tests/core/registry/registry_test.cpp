#include "core/registry/registry.h"

#include <gtest/gtest.h>

#include <set>

#include "core/api/kinds.h"
#include "core/store/saved.h"

namespace kin {

namespace {
class RegistryTest : public testing::Test {
protected:
    void SetUp() override {
        auto opened = Store::open({.path = ":memory:"});
        ASSERT_TRUE(opened) << opened.error().text();
        store_ = std::move(*opened);
        registry_ = std::make_unique<Registry>(*store_, Registry::Options{});
        for (const char* name : {"default", "test"}) {
            ASSERT_TRUE(create("namespaces", "", {{"metadata", {{"name", name}}}}));
        }
    }

    static Target target(std::string_view resource, std::string ns, std::string name = "",
                         std::string subresource = "") {
        return {find_resource(resource), {std::move(ns), std::move(name)}, std::move(subresource)};
    }
    Answer<Written> create(std::string_view resource, const std::string& ns, Json body,
                           WriteOptions options = {}) {
        return checked(blocking_write([&](WriteDone done) {
            registry_->create(target(resource, ns), std::move(body), options, std::move(done));
        }));
    }
    Answer<Written> update(std::string_view resource, const std::string& ns, Json body,
                           std::string subresource = "") {
        const std::string name = string_at(body, {"metadata", "name"});
        return checked(blocking_write([&](WriteDone done) {
            registry_->update(target(resource, ns, name, std::move(subresource)), std::move(body),
                              {}, std::move(done));
        }));
    }
    Answer<Written> patch(Target what, PatchType type, Json body, WriteOptions options = {}) {
        return checked(blocking_write([&](WriteDone done) {
            registry_->patch(what, type, std::move(body), options, std::move(done));
        }));
    }
    Answer<Written> remove(Target what, DeleteOptions options = {}) {
        return checked(blocking_write(
            [&](WriteDone done) { registry_->remove(what, options, std::move(done)); }));
    }
    /// After every write of every test: what is handed on in memory says what is stored, and that
    /// can be saved and loaded.
    Answer<Written> checked(Answer<Written> answer) {
        if (!answer || !answer->object) return answer;
        const Json& object = *answer->object;
        const Kind* kind =
            find_kind_of(string_at(object, {"apiVersion"}), string_at(object, {"kind"}));
        EXPECT_NE(kind, nullptr) << object;
        if (!kind) return answer;
        const ObjectKey key{string_at(object, {"metadata", "namespace"}),
                            string_at(object, {"metadata", "name"})};
        const StoredPtr found = store_->find(kind->resource(), key);
        if (!found) return answer;
        EXPECT_EQ(object, *parse_json(found->body));
        EXPECT_EQ(*json_of(*found), object);
        const auto restorable = check_restorable(*found);
        EXPECT_TRUE(restorable) << restorable.error().text();
        return answer;
    }
    Json stored(std::string_view resource, const std::string& ns, const std::string& name) {
        const StoredPtr found = store_->find(resource, {ns, name});
        return found ? *parse_json(found->body) : Json();
    }
    static Json config_map(const std::string& name, Json data = {{"a", "1"}}) {
        return {{"metadata", {{"name", name}}}, {"data", std::move(data)}};
    }
    static Json pod(const std::string& name) {
        return {{"metadata", {{"name", name}}},
                {"spec", {{"containers", {{{"name", "c"}, {"image", "nginx"}}}}}}};
    }
    static Json service(const std::string& name, Json spec = Json::object()) {
        spec["ports"] = {{{"port", 80}}};
        return {{"metadata", {{"name", name}}}, {"spec", std::move(spec)}};
    }

    std::unique_ptr<Store> store_;
    std::unique_ptr<Registry> registry_;
};

Json body_of(const Answer<Written>& written) { return *parse_json(written->body); }
}  // namespace

TEST_F(RegistryTest, CreateFillsInMetadata) {
    const auto made = create("configmaps", "test", config_map("x"));
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(made->code, 201);
    const Json object = body_of(made);
    EXPECT_EQ(string_at(object, {"kind"}), "ConfigMap");
    EXPECT_EQ(string_at(object, {"metadata", "namespace"}), "test");
    EXPECT_EQ(string_at(object, {"metadata", "uid"}).size(), 36U);
    EXPECT_EQ(object, stored("configmaps", "test", "x"));
}

TEST_F(RegistryTest, CreateTwiceAlreadyExists) {
    ASSERT_TRUE(create("configmaps", "test", config_map("x")));
    const auto again = create("configmaps", "test", config_map("x"));
    ASSERT_FALSE(again);
    EXPECT_EQ(again.error().code, 409);
    EXPECT_EQ(again.error().message, "configmaps \"x\" already exists");
}

TEST_F(RegistryTest, CreateInAMissingNamespaceIsNotFound) {
    const auto made = create("configmaps", "nowhere", config_map("x"));
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, 404);
    EXPECT_EQ(made.error().message, "namespaces \"nowhere\" not found");
}

TEST_F(RegistryTest, GenerateNameNeverCollides) {
    std::set<std::string> names;
    for (int i = 0; i < 50; ++i) {
        const auto made =
            create("configmaps", "test", {{"metadata", {{"generateName", "web-"}}}});
        ASSERT_TRUE(made);
        names.insert(string_at(body_of(made), {"metadata", "name"}));
    }
    EXPECT_EQ(names.size(), 50U);
}

TEST_F(RegistryTest, AnUnchangedWriteKeepsItsRevision) {
    const auto made = create("configmaps", "test", config_map("x"));
    const Revision before = store_->revision();
    const auto same = patch(target("configmaps", "test", "x"), PatchType::kMerge,
                            {{"data", {{"a", "1"}}}});
    ASSERT_TRUE(same) << same.error().message;
    EXPECT_EQ(same->revision, made->revision);
    EXPECT_EQ(store_->revision(), before);
}

TEST_F(RegistryTest, ApplyingTheSameLaterKeepsTheRevision) {
    const Json without_protocol = Json::parse(R"({
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "np"},
        "spec": {"podSelector": {}, "ingress": [{"ports": [{"port": 80}]}]}})");
    const std::string resource = "networkpolicies.networking.k8s.io";
    const auto changes = [&] {
        WriteOptions options;
        options.field_manager = "test";
        const auto applied = patch(target(resource, "test", "np"), PatchType::kApply,
                                   without_protocol, std::move(options));
        return applied && applied->changed;
    };
    EXPECT_TRUE(changes());
    Json earlier = stored(resource, "test", "np");
    earlier["metadata"]["managedFields"][0]["time"] = "2020-01-01T00:00:00Z";
    ASSERT_TRUE(update(resource, "test", earlier));
    earlier = stored(resource, "test", "np");
    ASSERT_EQ(earlier["metadata"]["managedFields"][0]["time"], "2020-01-01T00:00:00Z");
    EXPECT_FALSE(changes());
    EXPECT_EQ(stored(resource, "test", "np"), earlier);
}

TEST_F(RegistryTest, AStaleUpdateIsAConflict) {
    const Json first = body_of(create("configmaps", "test", config_map("x")));
    ASSERT_TRUE(patch(target("configmaps", "test", "x"), PatchType::kMerge,
                      {{"data", {{"a", "2"}}}}));
    Json late = first;
    late["data"]["a"] = "3";
    const auto refused = update("configmaps", "test", late);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, 409);
    EXPECT_EQ(string_at(stored("configmaps", "test", "x"), {"data", "a"}), "2");
}

TEST_F(RegistryTest, ALeaseIsPatchedWithoutAndUpdatedWithItsRevision) {
    ASSERT_TRUE(create("leases.coordination.k8s.io", "test", {{"metadata", {{"name", "x"}}}}));
    const auto patched = patch(target("leases.coordination.k8s.io", "test", "x"),
                               PatchType::kMerge, {{"spec", {{"holderIdentity", "me"}}}});
    ASSERT_TRUE(patched) << patched.error().message;
    Json object = body_of(patched);
    object["spec"]["holderIdentity"] = "you";
    const auto updated = update("leases.coordination.k8s.io", "test", object);
    ASSERT_TRUE(updated) << updated.error().message;
    object["metadata"].erase("resourceVersion");
    EXPECT_FALSE(update("leases.coordination.k8s.io", "test", object));
}

TEST_F(RegistryTest, DryRunStoresNothing) {
    WriteOptions options;
    options.dry_run = DryRun::kYes;
    const Revision before = store_->revision();
    ASSERT_TRUE(create("configmaps", "test", config_map("x"), options));
    EXPECT_EQ(store_->revision(), before);
    EXPECT_TRUE(stored("configmaps", "test", "x").is_null());
}

TEST_F(RegistryTest, StrictValidationNamesTheUnknownField) {
    WriteOptions options;
    options.field_validation = FieldValidation::kStrict;
    Json body = pod("p");
    body["spec"]["nonsense"] = 1;
    const auto refused = create("pods", "test", body, options);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, 400);
    EXPECT_NE(refused.error().message.find("unknown field \"spec.nonsense\""), std::string::npos);
    const auto warned = create("pods", "test", body);
    ASSERT_TRUE(warned);
    EXPECT_FALSE(warned->warnings.empty());
}

TEST_F(RegistryTest, ServicesGetDifferentAddresses) {
    std::set<std::string> ips;
    for (int i = 0; i < 20; ++i) {
        const auto made = create("services", "test", service("s" + std::to_string(i)));
        ASSERT_TRUE(made) << made.error().message;
        ips.insert(string_at(body_of(made), {"spec", "clusterIP"}));
    }
    EXPECT_EQ(ips.size(), 20U);
}

TEST_F(RegistryTest, AnAddressIsGivenOnceAndAgainAfterDeletion) {
    ASSERT_TRUE(create("services", "test", service("a", {{"clusterIP", "10.96.0.77"}})));
    const auto taken = create("services", "test", service("b", {{"clusterIP", "10.96.0.77"}}));
    ASSERT_FALSE(taken);
    EXPECT_EQ(taken.error().code, 422);
    EXPECT_NE(taken.error().message.find("provided IP is already allocated"), std::string::npos);
    ASSERT_TRUE(remove(target("services", "test", "a")));
    EXPECT_TRUE(create("services", "test", service("b", {{"clusterIP", "10.96.0.77"}})));
}

TEST_F(RegistryTest, NodePortsAreKeptByUpdatesAndClearedByTheType) {
    const Json made =
        body_of(create("services", "test", service("web", {{"type", "NodePort"}})));
    const int64_t port = int_at(made["spec"]["ports"][0], {"nodePort"});
    EXPECT_GE(port, 30000);
    const auto renumbered = patch(target("services", "test", "web"), PatchType::kMerge,
                                  {{"spec", {{"ports", {{{"port", 8080}}}}}}});
    ASSERT_TRUE(renumbered) << renumbered.error().message;
    EXPECT_EQ(int_at(body_of(renumbered)["spec"]["ports"][0], {"nodePort"}), port);
    const auto inside = patch(target("services", "test", "web"), PatchType::kMerge,
                              {{"spec", {{"type", "ClusterIP"}}}});
    ASSERT_TRUE(inside) << inside.error().message;
    EXPECT_EQ(int_at(body_of(inside)["spec"]["ports"][0], {"nodePort"}), 0);
}

TEST_F(RegistryTest, ANodePortGoesWithItsNameUnlessAnotherPortHasIt) {
    const auto ports = [](Json list) { return Json{{"spec", {{"ports", std::move(list)}}}}; };
    Json made = service("web", {{"type", "NodePort"}});
    made["spec"]["ports"] = {{{"name", "a"}, {"port", 80}, {"nodePort", 30080}},
                             {{"name", "b"}, {"port", 81}, {"nodePort", 30081}}};
    ASSERT_TRUE(create("services", "test", made));
    const auto swapped = patch(target("services", "test", "web"), PatchType::kMerge,
                               ports({{{"name", "b"}, {"port", 80}},
                                      {{"name", "c"}, {"port", 81}, {"nodePort", 30080}},
                                      {{"name", "a"}, {"port", 82}}}));
    ASSERT_TRUE(swapped) << swapped.error().message;
    const Json now = body_of(swapped)["spec"]["ports"];
    EXPECT_EQ(int_at(now[0], {"nodePort"}), 30081);
    EXPECT_EQ(int_at(now[1], {"nodePort"}), 30080);
    EXPECT_NE(int_at(now[2], {"nodePort"}), 30080);
    EXPECT_GE(int_at(now[2], {"nodePort"}), 30000);
}

TEST_F(RegistryTest, ABalancerWithoutNodePortsTakesNobodyElses) {
    Json held = service("a", {{"type", "NodePort"}});
    held["spec"]["ports"][0]["nodePort"] = 30080;
    ASSERT_TRUE(create("services", "test", held));
    Json bare = service("b", {{"type", "LoadBalancer"},
                              {"allocateLoadBalancerNodePorts", false},
                              {"externalTrafficPolicy", "Local"}});
    for (const int64_t taken : {30080, 22, 95616}) {
        bare["spec"]["ports"][0]["nodePort"] = taken;
        const auto refused = create("services", "test", bare);
        ASSERT_FALSE(refused) << taken;
        EXPECT_EQ(refused.error().code, 422);
    }
    bare["spec"]["ports"][0].erase("nodePort");
    const auto made = create("services", "test", bare);
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(int_at(body_of(made)["spec"]["ports"][0], {"nodePort"}), 0);
    EXPECT_GE(int_at(body_of(made), {"spec", "healthCheckNodePort"}), 30000);
    EXPECT_TRUE(patch(target("services", "test", "a"), PatchType::kMerge,
                      {{"metadata", {{"labels", {{"x", "y"}}}}}}));
}

TEST_F(RegistryTest, Ipv6IsRefusedWhereTheClusterWouldHaveToGiveIt) {
    const auto six = create("services", "test", service("six", {{"ipFamilies", {"IPv6"}}}));
    ASSERT_FALSE(six);
    EXPECT_EQ(six.error().code, 422);
    EXPECT_NE(six.error().message.find(
                  "spec.ipFamilies[0]: Invalid value: \"IPv6\": not configured on this cluster"),
              std::string::npos)
        << six.error().message;
    EXPECT_FALSE(
        create("services", "test", service("both", {{"ipFamilyPolicy", "RequireDualStack"}})));
    const auto wished =
        create("services", "test", service("wished", {{"ipFamilyPolicy", "PreferDualStack"}}));
    ASSERT_TRUE(wished) << wished.error().message;
    EXPECT_EQ(to_text(body_of(wished)["spec"]["ipFamilies"]), "[\"IPv4\"]");
    EXPECT_TRUE(create("services", "test",
                       service("by-hand", {{"clusterIP", "None"}, {"ipFamilies", {"IPv6"}}})));
}

TEST_F(RegistryTest, FinalizersHoldAnObjectUntilTheyGo) {
    Json body = config_map("x");
    body["metadata"]["finalizers"] = {"example.com/hold"};
    ASSERT_TRUE(create("configmaps", "test", body));
    ASSERT_TRUE(remove(target("configmaps", "test", "x")));
    EXPECT_FALSE(
        string_at(stored("configmaps", "test", "x"), {"metadata", "deletionTimestamp"}).empty());
    const auto freed = patch(target("configmaps", "test", "x"), PatchType::kMerge,
                             {{"metadata", {{"finalizers", nullptr}}}});
    ASSERT_TRUE(freed) << freed.error().message;
    EXPECT_TRUE(stored("configmaps", "test", "x").is_null());
}

TEST_F(RegistryTest, AScheduledPodLingersForItsGrace) {
    ASSERT_TRUE(create("pods", "test", pod("p")));
    Target binding = target("pods", "test", "p", "binding");
    const auto bound = blocking_write([&](WriteDone done) {
        registry_->create(binding, {{"metadata", {{"name", "p"}}}, {"target", {{"name", "node-1"}}}},
                          {}, std::move(done));
    });
    ASSERT_TRUE(bound) << bound.error().message;
    EXPECT_EQ(string_at(stored("pods", "test", "p"), {"spec", "nodeName"}), "node-1");
    ASSERT_TRUE(remove(target("pods", "test", "p")));
    EXPECT_EQ(int_at(stored("pods", "test", "p"), {"metadata", "deletionGracePeriodSeconds"}), 30);
    DeleteOptions now;
    now.grace_period_seconds = 0;
    ASSERT_TRUE(remove(target("pods", "test", "p"), now));
    EXPECT_TRUE(stored("pods", "test", "p").is_null());
}

TEST_F(RegistryTest, StatusWritesTouchOnlyStatus) {
    ASSERT_TRUE(create("pods", "test", pod("p")));
    Json changed = stored("pods", "test", "p");
    changed["status"]["phase"] = "Running";
    changed["spec"]["nodeName"] = "elsewhere";
    changed["metadata"]["labels"] = {{"x", "y"}};
    const auto written = update("pods", "test", changed, "status");
    ASSERT_TRUE(written) << written.error().message;
    const Json now = stored("pods", "test", "p");
    EXPECT_EQ(string_at(now, {"status", "phase"}), "Running");
    EXPECT_EQ(find(now, {"spec", "nodeName"}), nullptr);
    EXPECT_EQ(find(now, {"metadata", "labels"}), nullptr);
}

/// As `kubectl debug` sends it.
Json debugger(const std::string& name, Json more = Json::object()) {
    Json container{{"name", name}, {"image", "busybox"}};
    container.update(more);
    return {{"spec", {{"ephemeralContainers", Json::array({container})}}}};
}

TEST_F(RegistryTest, EphemeralContainersAreAddedByTheirSubresourceAlone) {
    ASSERT_TRUE(create("pods", "test", pod("p")));
    const Target there = target("pods", "test", "p", "ephemeralcontainers");
    Json first = debugger("one", {{"targetContainerName", "c"}, {"stdin", true}});
    first["metadata"]["labels"] = {{"x", "y"}};
    first["spec"]["nodeName"] = "elsewhere";
    const auto written = patch(there, PatchType::kStrategic, first);
    ASSERT_TRUE(written) << written.error().message;
    ASSERT_TRUE(patch(there, PatchType::kStrategic, debugger("two")));
    const Json now = stored("pods", "test", "p");
    const Json& added = now["spec"]["ephemeralContainers"];
    ASSERT_EQ(added.size(), 2U);
    // Defaults are filled in, the rest of the object stays, each write counts.
    EXPECT_EQ(string_at(added.back()["name"] == "one" ? added.back() : added.front(),
                        {"terminationMessagePolicy"}),
              "File");
    EXPECT_EQ(find(now, {"metadata", "labels"}), nullptr);
    EXPECT_EQ(find(now, {"spec", "nodeName"}), nullptr);
    EXPECT_EQ(int_at(now, {"metadata", "generation"}), 3);
    // As a whole by PUT, and unchanged: nothing to write.
    const auto same = update("pods", "test", now, "ephemeralcontainers");
    ASSERT_TRUE(same) << same.error().message;
    EXPECT_EQ(stored("pods", "test", "p"), now);
    const auto plain = patch(target("pods", "test", "p"), PatchType::kStrategic, debugger("three"));
    ASSERT_FALSE(plain);
    EXPECT_NE(plain.error().message.find("pod updates may not change fields other than"),
              std::string::npos);
}

TEST_F(RegistryTest, EphemeralContainersAreAppliedByTheirOwner) {
    ASSERT_TRUE(create("pods", "test", pod("p")));
    Json applied = debugger("one");
    applied["metadata"] = {{"name", "p"}};
    applied["apiVersion"] = "v1";
    applied["kind"] = "Pod";
    WriteOptions options;
    options.field_manager = "me";
    const auto written = patch(target("pods", "test", "p", "ephemeralcontainers"),
                               PatchType::kApply, applied, options);
    ASSERT_TRUE(written) << written.error().message;
    const Json now = stored("pods", "test", "p");
    EXPECT_EQ(now["spec"]["ephemeralContainers"].size(), 1U);
    const Json& managed = now["metadata"]["managedFields"];
    EXPECT_TRUE(std::any_of(managed.begin(), managed.end(), [](const Json& entry) {
        return string_at(entry, {"manager"}) == "me" &&
               string_at(entry, {"subresource"}) == "ephemeralcontainers";
    })) << managed;
}

TEST_F(RegistryTest, EphemeralContainersNeitherChangeNorGo) {
    ASSERT_TRUE(create("pods", "test", pod("p")));
    const Target there = target("pods", "test", "p", "ephemeralcontainers");
    ASSERT_TRUE(patch(there, PatchType::kStrategic, debugger("one")));
    const auto changed =
        patch(there, PatchType::kStrategic, debugger("one", {{"image", "nginx"}}));
    ASSERT_FALSE(changed);
    EXPECT_EQ(changed.error().message,
              "Pod \"p\" is invalid: spec.ephemeralContainers: Forbidden: existing ephemeral "
              "containers \"one\" may not be changed");
    Json without = stored("pods", "test", "p");
    without["spec"].erase("ephemeralContainers");
    const auto removed = update("pods", "test", without, "ephemeralcontainers");
    ASSERT_FALSE(removed);
    EXPECT_NE(removed.error().message.find("\"one\" may not be removed"), std::string::npos);
}

TEST_F(RegistryTest, WhatAnEphemeralContainerMayNotHaveIsNamed) {
    ASSERT_TRUE(create("pods", "test", pod("p")));
    const auto causes = [&](const Json& body) {
        const auto answer = patch(target("pods", "test", "p", "ephemeralcontainers"),
                                  PatchType::kMerge, body);
        std::set<std::string> out;
        if (answer) return out;
        for (const Cause& cause : answer.error().causes)
            out.insert(cause.field + ": " + cause.message);
        return out;
    };
    const std::string at = "spec.ephemeralContainers[0].";
    const std::string no = ": Forbidden: cannot be set for an Ephemeral Container";
    using Set = std::set<std::string>;
    EXPECT_EQ(causes({{"spec", {{"ephemeralContainers", {{{"name", "e"}}}}}}}),
              Set{at + "image: Required value"});
    EXPECT_EQ(causes(debugger("c")), Set{at + "name: Duplicate value: \"c\""});
    EXPECT_EQ(causes(debugger("e", {{"targetContainerName", "e"}})),
              Set{at + "targetContainerName: Not found: \"e\""});
    EXPECT_EQ(causes(debugger("e", {{"ports", {{{"containerPort", 80}}}},
                                    {"livenessProbe", {{"tcpSocket", {{"port", 80}}}}},
                                    {"readinessProbe", {{"tcpSocket", {{"port", 80}}}}},
                                    {"startupProbe", {{"tcpSocket", {{"port", 80}}}}},
                                    {"lifecycle", {{"preStop", {{"sleep", {{"seconds", 1}}}}}}},
                                    {"resources", {{"limits", {{"cpu", "1"}}}}},
                                    {"restartPolicy", "Always"}})),
              (Set{at + "ports" + no, at + "livenessProbe" + no, at + "readinessProbe" + no,
                   at + "startupProbe" + no, at + "lifecycle" + no, at + "resources" + no,
                   at + "restartPolicy" + no}));
    const std::string volume =
        string_at(stored("pods", "test", "p")["spec"]["volumes"][0], {"name"});
    EXPECT_EQ(causes(debugger("e", {{"volumeMounts",
                                     {{{"name", volume}, {"mountPath", "/x"}, {"subPath", "y"}}}}})),
              Set{at + "volumeMounts[0].subPath" + no});
}

TEST_F(RegistryTest, PodsGetTheirServiceAccountMounted) {
    ASSERT_TRUE(create("pods", "test", pod("p")));
    const Json now = stored("pods", "test", "p");
    EXPECT_TRUE(string_at(now["spec"]["volumes"][0], {"name"}).starts_with("kube-api-access-"));
    EXPECT_EQ(string_at(now["spec"]["containers"][0]["volumeMounts"][0], {"mountPath"}),
              "/var/run/secrets/kubernetes.io/serviceaccount");
}

TEST_F(RegistryTest, ScaleChangesReplicasOnly) {
    const Json labels = {{"app", "web"}};
    Json deployment = {
        {"metadata", {{"name", "web"}}},
        {"spec",
         {{"selector", {{"matchLabels", labels}}},
          {"template",
           {{"metadata", {{"labels", labels}}},
            {"spec", {{"containers", {{{"name", "c"}, {"image", "nginx"}}}}}}}}}}};
    ASSERT_TRUE(create("deployments.apps", "test", deployment));
    const auto scaled = patch(target("deployments.apps", "test", "web", "scale"),
                              PatchType::kMerge, {{"spec", {{"replicas", 5}}}});
    ASSERT_TRUE(scaled) << scaled.error().message;
    EXPECT_EQ(string_at(body_of(scaled), {"kind"}), "Scale");
    const Json now = stored("deployments.apps", "test", "web");
    EXPECT_EQ(int_at(now, {"spec", "replicas"}), 5);
    EXPECT_EQ(int_at(now, {"metadata", "generation"}), 2);
    for (const Json& replicas : {Json("3"), Json(2.5), Json(10'000'000'000), Json(-1)}) {
        const auto refused = patch(target("deployments.apps", "test", "web", "scale"),
                                   PatchType::kMerge, {{"spec", {{"replicas", replicas}}}});
        ASSERT_FALSE(refused) << replicas;
        EXPECT_EQ(refused.error().code, replicas == -1 ? 422 : 400);
    }
    EXPECT_EQ(stored("deployments.apps", "test", "web"), now);
}

TEST_F(RegistryTest, ATerminatingNamespaceTakesNothingNew) {
    ASSERT_TRUE(remove(target("namespaces", "", "test")));
    EXPECT_EQ(string_at(stored("namespaces", "", "test"), {"status", "phase"}), "Terminating");
    const auto refused = create("configmaps", "test", config_map("x"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, 403);
    Json empty = stored("namespaces", "", "test");
    empty["spec"]["finalizers"] = Json::array();
    ASSERT_TRUE(update("namespaces", "", empty, "finalize"));
    EXPECT_TRUE(stored("namespaces", "", "test").is_null());
}

TEST_F(RegistryTest, OnlyFinalizeTakesTheFinalizersOfANamespace) {
    const Json kept = Json::array({"kubernetes"});
    ASSERT_TRUE(update("namespaces", "", {{"metadata", {{"name", "test"}}}}));
    EXPECT_EQ(stored("namespaces", "", "test")["spec"]["finalizers"], kept);
    ASSERT_TRUE(patch(target("namespaces", "", "test"), PatchType::kMerge,
                      {{"spec", {{"finalizers", nullptr}}}}));
    EXPECT_EQ(stored("namespaces", "", "test")["spec"]["finalizers"], kept);
    ASSERT_TRUE(create("namespaces", "",
                       {{"metadata", {{"name", "more"}}}, {"spec", {{"finalizers", {"a.b/c"}}}}}));
    EXPECT_EQ(stored("namespaces", "", "more")["spec"]["finalizers"],
              Json::array({"a.b/c", "kubernetes"}));
}

TEST_F(RegistryTest, AJobLeavesItsPodsUnlessTheCallerSaysOtherwise) {
    const Json job = {
        {"metadata", {{"name", "once"}}},
        {"spec",
         {{"template",
           {{"spec",
             {{"restartPolicy", "Never"},
              {"containers", {{{"name", "c"}, {"image", "busybox"}}}}}}}}}}};
    ASSERT_TRUE(create("jobs.batch", "test", job));
    const auto removed = remove(target("jobs.batch", "test", "once"));
    ASSERT_TRUE(removed) << removed.error().message;
    EXPECT_EQ(stored("jobs.batch", "test", "once")["metadata"]["finalizers"],
              Json::array({"orphan"}));
    EXPECT_EQ(removed->warnings.size(), 1U);
    Json other = job;
    other["metadata"]["name"] = "other";
    ASSERT_TRUE(create("jobs.batch", "test", other));
    DeleteOptions background;
    background.propagation = Propagation::kBackground;
    const auto gone = remove(target("jobs.batch", "test", "other"), background);
    ASSERT_TRUE(gone) << gone.error().message;
    EXPECT_TRUE(gone->warnings.empty());
    EXPECT_TRUE(stored("jobs.batch", "test", "other").is_null());
}

TEST_F(RegistryTest, AClaimMayGrowOnceItIsBoundAndNotShrink) {
    ASSERT_TRUE(create("persistentvolumeclaims", "test",
                       {{"metadata", {{"name", "data"}}},
                        {"spec",
                         {{"accessModes", {"ReadWriteOnce"}},
                          {"resources", {{"requests", {{"storage", "1Gi"}}}}}}}}));
    const auto ask = [&](const char* size) {
        return patch(target("persistentvolumeclaims", "test", "data"), PatchType::kMerge,
                     {{"spec", {{"resources", {{"requests", {{"storage", size}}}}}}}});
    };
    EXPECT_FALSE(ask("2Gi")) << "before it is bound";
    Json bound = stored("persistentvolumeclaims", "test", "data");
    bound["status"] = {{"phase", "Bound"}, {"capacity", {{"storage", "1Gi"}}}};
    ASSERT_TRUE(update("persistentvolumeclaims", "test", bound, "status"));
    const auto refused = ask("1Mi");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, 422);
    EXPECT_TRUE(ask("2Gi"));
    EXPECT_TRUE(ask("1500Mi")) << "more than there is still";
}

}  // namespace kin
