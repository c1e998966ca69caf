#include "netns/images/images.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kin::images {
namespace {

using testing::Contains;
using testing::ElementsAre;

std::string family_of(std::string_view reference) {
    const auto image = find_image(reference);
    return image ? image->name : "";
}

TEST(ImageNameTest, RegistryTagAndDigestAreTakenApart) {
    const auto name = parse_image_name("localhost:5000/team/web:1.2@sha256:abc");
    ASSERT_TRUE(name.has_value());
    EXPECT_EQ(name->registry, "localhost:5000");
    EXPECT_EQ(name->repository, "team/web");
    EXPECT_EQ(name->tag, "1.2");
    EXPECT_EQ(name->digest, "sha256:abc");
    EXPECT_EQ(name->last, "web");
}

TEST(ImageNameTest, ShortNamesAreTheHubsOfficialImages) {
    const auto name = parse_image_name("nginx");
    ASSERT_TRUE(name.has_value());
    EXPECT_EQ(name->registry, "docker.io");
    EXPECT_EQ(name->repository, "library/nginx");
    EXPECT_EQ(name->tag, "latest");
    EXPECT_EQ(parse_image_name("traefik/whoami")->repository, "traefik/whoami");
}

TEST(ImageNameTest, WhatIsNoReferenceIsRefused) {
    for (const char* text :
         {"", "Nginx", "a b", "nginx:", "/nginx", "a//b", "nginx@x", "nginx:-a"}) {
        EXPECT_FALSE(parse_image_name(text).has_value()) << text;
    }
}

TEST(FindImageTest, NamesOfManifestsAreKnownWhateverTheirRegistry) {
    const std::pair<const char*, const char*> cases[] = {
        {"nginx:1.25.3-alpine", "nginx"},
        {"public.ecr.aws/nginx/nginx", "nginx"},
        {"registry.k8s.io/nginx-slim:0.21", "nginx"},
        {"gcr.io/google_containers/nginx", "nginx"},
        {"httpd:2.4.57-alpine", "httpd"},
        {"registry.k8s.io/e2e-test-images/agnhost:2.39", "agnhost"},
        {"registry.k8s.io/pause:3.1", "pause"},
        {"busybox:1.28", "busybox"},
        {"rancher/mirrored-library-busybox:1.37.0", "busybox"},
        {"radial/busyboxplus:curl", "busybox"},
        {"docker.io/curlimages/curl:8.16.0", "curlimages/curl"},
        {"hashicorp/http-echo", "hashicorp/http-echo"},
        {"us-docker.pkg.dev/google-samples/containers/gke/hello-app:2.0",
         "google-samples/hello-app"},
        {"registry.k8s.io/ingress-nginx/e2e-test-echo:v1.2.9", "e2e-test-echo"},
        {"nicolaka/netshoot", "nicolaka/netshoot"},
        {"registry.istio.io/release/examples-bookinfo-reviews-v2:1.20.3",
         "istio/examples-bookinfo"},
        {"dockersamples/examplevotingapp_vote", "dockersamples/examplevotingapp"},
        {"dockercoins/worker:v0.1", "dockercoins"},
        {"gcr.io/kuar-demo/kuard-amd64:1", "kuar-demo/kuard"},
        {"postgres:15-alpine", "postgres"},
    };
    for (const auto& [reference, family] : cases) EXPECT_EQ(family_of(reference), family);
}

TEST(FindImageTest, UnknownNamesAndImpossibleTagsAreNotFound) {
    EXPECT_EQ(family_of("example.com/shop/cart:3"), "");
    EXPECT_EQ(family_of("nginx:1.91"), "");
    EXPECT_EQ(family_of("example.com/shop/worker"), "");
    EXPECT_EQ(family_of("nginx:1.161"), "");
    EXPECT_EQ(family_of("nginx:stable"), "nginx");
    EXPECT_EQ(family_of("nginx:1.14.2"), "nginx");
}

TEST(ProcessOfTest, CommandAndArgsReplaceAsKubernetesSays) {
    const auto agnhost = *find_image("agnhost");
    EXPECT_THAT(process_of(agnhost, {}, {}, {}).argv, ElementsAre("/agnhost", "pause"));
    EXPECT_THAT(process_of(agnhost, {}, {"netexec"}, {}).argv, ElementsAre("/agnhost", "netexec"));
    EXPECT_THAT(process_of(agnhost, {"sh"}, {}, {}).argv, ElementsAre("sh"));
    EXPECT_THAT(process_of(agnhost, {"/agnhost"}, {"netexec"}, {}).argv,
                ElementsAre("/agnhost", "netexec"));
}

TEST(ProcessOfTest, BuiltInProgramsAreRecognizedByTheirName) {
    const auto agnhost = *find_image("agnhost");
    EXPECT_EQ(process_of(agnhost, {}, {}, {}).personality, "agnhost");
    EXPECT_EQ(process_of(agnhost, {"/agnhost", "netexec"}, {}, {}).personality, "agnhost");
    EXPECT_EQ(process_of(agnhost, {"sh"}, {}, {}).personality, "");
    EXPECT_EQ(exec_of(*find_image("nginx"), {"nginx", "-v"}, {}).personality, "nginx");
    // busybox has an httpd of its own.
    EXPECT_EQ(process_of(*find_image("busybox"), {"httpd"}, {}, {}).personality, "");
}

TEST(ProcessOfTest, CurlIsPutBeforeArgumentsThatAreNoProgram) {
    const auto curl = *find_image("curlimages/curl");
    EXPECT_THAT(process_of(curl, {}, {"-s", "http://web"}, {}).argv,
                ElementsAre("curl", "-s", "http://web"));
    EXPECT_THAT(process_of(curl, {}, {"http://web"}, {}).argv, ElementsAre("curl", "http://web"));
    EXPECT_THAT(process_of(curl, {}, {"sleep", "1"}, {}).argv, ElementsAre("sleep", "1"));
}

TEST(ProcessOfTest, DatabasesTakeFlagsAndRunOtherCommands) {
    const auto redis = *find_image("redis:alpine");
    EXPECT_THAT(process_of(redis, {}, {}, {}).argv, ElementsAre("redis-server"));
    EXPECT_THAT(process_of(redis, {}, {"--port", "1"}, {}).argv,
                ElementsAre("redis-server", "--port", "1"));
    EXPECT_THAT(process_of(redis, {}, {"redis-cli", "ping"}, {}).argv,
                ElementsAre("redis-cli", "ping"));
    EXPECT_THAT(process_of(*find_image("mongo:4.2"), {}, {"--bind_ip", "0.0.0.0"}, {}).argv,
                ElementsAre("mongod", "--bind_ip", "0.0.0.0"));
}

TEST(ProcessOfTest, TheContainersEnvironmentWins) {
    const auto process =
        process_of(*find_image("nginx:1.25.3"), {}, {}, {"NGINX_VERSION=9", "A=1", "A=2"});
    EXPECT_THAT(process.env, Contains("NGINX_VERSION=9"));
    EXPECT_THAT(process.env, Contains("A=2"));
    EXPECT_THAT(process.env, testing::Not(Contains("A=1")));
    EXPECT_THAT(process_of(*find_image("nginx:1.25.3"), {}, {}, {}).env,
                Contains("NGINX_VERSION=1.25.3"));
}

}  // namespace
}  // namespace kin::images
