#include "core/api/protobuf.h"

#include <gtest/gtest.h>

#include <random>

#include "core/base/strings.h"

namespace kin {
namespace {

std::string varint(uint64_t value) {
    std::string out;
    for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
    out.push_back(static_cast<char>(value));
    return out;
}
std::string number(uint32_t field, uint64_t value) {
    return varint(uint64_t{field} << 3) + varint(value);
}
std::string bytes(uint32_t field, std::string_view value) {
    return varint(uint64_t{field} << 3 | 2) + varint(value.size()) + std::string(value);
}

std::string body(std::string_view api_version, std::string_view kind, std::string_view object) {
    return std::string("k8s\0", 4) + bytes(1, bytes(1, api_version) + bytes(2, kind)) +
           bytes(2, object) + bytes(3, "") + bytes(4, "");
}
/// ObjectMeta with all the empty fields that Go's encoder writes.
std::string metadata(std::string_view name) {
    return bytes(1, name) + bytes(2, "") + bytes(3, "") + bytes(4, "") + bytes(5, "") +
           bytes(6, "") + number(7, 0) + bytes(8, "");
}
std::string int_or_string(int64_t value) {
    return number(1, 0) + number(2, static_cast<uint64_t>(value)) + bytes(3, "");
}

std::string decode(std::string_view input) {
    const auto decoded = decode_kubernetes_protobuf(input);
    return decoded ? to_text(*decoded) : cat(decoded.error().code, ' ', decoded.error().message);
}

TEST(ProtobufTest, AConfigMapAsKubectlSendsIt) {
    const std::string config_map = body(
        "v1", "ConfigMap", bytes(1, metadata("cm1")) + bytes(2, bytes(1, "a") + bytes(2, "b")));
    EXPECT_EQ(config_map.size(), 56u);
    EXPECT_TRUE(is_kubernetes_protobuf(config_map));
    EXPECT_EQ(
        decode(config_map),
        R"({"apiVersion":"v1","data":{"a":"b"},"kind":"ConfigMap","metadata":{"name":"cm1"}})");
}

TEST(ProtobufTest, BytesBecomeBase64AndOptionalFalseIsKept) {
    const std::string secret =
        body("v1", "Secret",
             bytes(1, metadata("s")) + bytes(2, bytes(1, "k") + bytes(2, "\xff")) +
                 bytes(2, bytes(1, "empty")) + bytes(3, "Opaque") + number(5, 0));
    EXPECT_EQ(decode(secret),
              R"({"apiVersion":"v1","data":{"empty":"","k":"/w=="},"immutable":false,)"
              R"("kind":"Secret","metadata":{"name":"s"},"type":"Opaque"})");
}

TEST(ProtobufTest, InlinedMessagesStandInTheirParent) {
    const std::string config_map_source = bytes(1, bytes(1, "settings")) + number(3, 0);
    const std::string volume = bytes(1, "v") + bytes(2, bytes(19, config_map_source));
    const std::string container =
        bytes(1, "c") + bytes(2, "nginx") + bytes(5, "") +
        bytes(6, bytes(1, "") + number(2, 0) + number(3, 80) + bytes(4, "TCP") + bytes(5, ""));
    const std::string pod =
        body("v1", "Pod",
             bytes(1, metadata("p")) +
                 bytes(2, bytes(1, volume) + bytes(2, container) + number(4, 0) + number(11, 0)) +
                 bytes(3, ""));
    EXPECT_EQ(decode(pod), R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":)"
                           R"({"containers":[{"image":"nginx","name":"c","ports":)"
                           R"([{"containerPort":80,"protocol":"TCP"}]}],)"
                           R"("terminationGracePeriodSeconds":0,"volumes":[{"configMap":)"
                           R"({"defaultMode":0,"name":"settings"},"name":"v"}]},"status":{}})");
}

TEST(ProtobufTest, AnUnsetTargetPortIsLeftOutAndOtherZeroesAreNot) {
    const std::string port = bytes(1, "") + bytes(2, "TCP") + number(3, 80);
    const std::string service = body(
        "v1", "Service",
        bytes(2, bytes(1, port + bytes(4, int_or_string(0)) + number(5, 0)) +
                     bytes(1, port + bytes(4, number(1, 1) + number(2, 0) + bytes(3, "http")))));
    EXPECT_EQ(decode(service),
              R"({"apiVersion":"v1","kind":"Service","spec":{"ports":[{"port":80,)"
              R"("protocol":"TCP"},{"port":80,"protocol":"TCP","targetPort":"http"}]}})");
    const std::string deployment =
        body("apps/v1", "Deployment",
             bytes(2, number(1, 0) + bytes(4, bytes(1, "RollingUpdate") +
                                                  bytes(2, bytes(1, int_or_string(0)) +
                                                               bytes(2, int_or_string(-1))))));
    EXPECT_EQ(decode(deployment),
              R"({"apiVersion":"apps/v1","kind":"Deployment","spec":{"replicas":0,"strategy":)"
              R"({"rollingUpdate":{"maxSurge":-1,"maxUnavailable":0},"type":"RollingUpdate"}}})");
}

TEST(ProtobufTest, TimesQuantitiesAndRawJson) {
    const std::string entry = bytes(1, "m") + bytes(2, "Apply") + bytes(3, "v1") +
                              bytes(4, number(1, 1'700'000'000) + number(2, 0)) +
                              bytes(6, "FieldsV1") + bytes(7, bytes(1, R"({"f:data":{}})"));
    const std::string quota =
        body("v1", "ResourceQuota",
             bytes(1, bytes(1, "q") + bytes(17, entry)) +
                 bytes(2, bytes(1, bytes(1, "cpu") + bytes(2, bytes(1, "100m")))));
    EXPECT_EQ(decode(quota),
              R"({"apiVersion":"v1","kind":"ResourceQuota","metadata":{"managedFields":)"
              R"([{"apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":{"f:data":{}},)"
              R"("manager":"m","operation":"Apply","time":"2023-11-14T22:13:20Z"}],"name":"q"},)"
              R"("spec":{"hard":{"cpu":"100m"}}})");
}

TEST(ProtobufTest, OptionsAndReviewsAreRead) {
    EXPECT_EQ(decode(body("apps/v1", "DeleteOptions", number(1, 0) + bytes(4, "Foreground"))),
              R"({"apiVersion":"apps/v1","gracePeriodSeconds":0,"kind":"DeleteOptions",)"
              R"("propagationPolicy":"Foreground"})");
    const std::string review = bytes(
        2, bytes(1, bytes(1, "default") + bytes(2, "get") + bytes(5, "pods") + bytes(6, "")) +
               bytes(3, "me") + bytes(5, bytes(1, "k") + bytes(2, bytes(1, "x") + bytes(1, "y"))));
    EXPECT_EQ(decode(body("authorization.k8s.io/v1", "SubjectAccessReview", review)),
              R"({"apiVersion":"authorization.k8s.io/v1","kind":"SubjectAccessReview","spec":)"
              R"({"extra":{"k":["x","y"]},"resourceAttributes":{"namespace":"default",)"
              R"("resource":"pods","verb":"get"},"user":"me"}})");
}

TEST(ProtobufTest, UnknownFieldsAreSkipped) {
    const std::string unknown = number(500, 7) + bytes(501, "x") + std::string("\xb9\x1f") +
                                std::string(8, '\1') + std::string("\xbd\x1f") +
                                std::string(4, '\1');
    EXPECT_EQ(decode(body("v1", "ConfigMap", unknown + bytes(1, bytes(1, "c") + unknown))),
              R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}})");
}

TEST(ProtobufTest, WhatCannotBeReadIs400) {
    EXPECT_EQ(decode("{}"), "400 the body does not begin as Kubernetes' protobuf does");
    EXPECT_EQ(decode(body("x.io/v1", "Foo", "")),
              "400 no kind \"Foo\" of version \"x.io/v1\" can be read from protobuf; send it as "
              "application/json");
    EXPECT_EQ(decode(body("v1", "ConfigMap", "\x0a\x7f")),
              "400 the body is no valid protobuf: a field is longer than its message");
    EXPECT_EQ(decode(body("v1", "ConfigMap", bytes(1, bytes(1, "\xff")))),
              "400 the body is no valid protobuf: metadata: name: a text is not UTF-8");
    EXPECT_EQ(decode(body("v1", "ConfigMap", number(1, 5))),
              "400 the body is no valid protobuf: metadata: wire type 0 instead of 2");
}

TEST(ProtobufTest, SurvivesMutatedBodies) {
    const std::string container =
        bytes(1, "c") + bytes(6, number(3, 80) + bytes(4, "TCP")) +
        bytes(10, bytes(1, bytes(2, bytes(2, int_or_string(80)))) + number(2, 5));
    const std::string seed =
        body("v1", "Pod",
             bytes(1, metadata("p") + bytes(11, bytes(1, "app") + bytes(2, "web"))) +
                 bytes(2, bytes(1, bytes(1, "v") + bytes(2, bytes(2, bytes(2, bytes(1, "1Gi"))))) +
                              bytes(2, container) + number(4, 30)));
    std::mt19937 random(3);
    for (int round = 0; round < 10'000; ++round) {
        std::string input = seed;
        for (size_t changes = random() % 4 + 1; changes > 0; --changes) {
            const size_t at = 4 + random() % (input.size() - 4);
            switch (random() % 3) {
                case 0:
                    input[at] = static_cast<char>(random());
                    break;
                case 1:
                    input.insert(at, 1, static_cast<char>(random() % 0x20));
                    break;
                default:
                    input.resize(std::max<size_t>(at, 5));
            }
        }
        if (const auto decoded = decode_kubernetes_protobuf(input)) to_text(*decoded);
    }
}

}  // namespace
}  // namespace kin
