#include "netns/pod/probe.h"

#include <gtest/gtest.h>

namespace kin::netns {
namespace {

ProbeSpec probe(std::string_view text) {
    auto spec = decode_probe(parse_json(text).value());
    EXPECT_TRUE(spec.has_value());
    return spec.value_or(ProbeSpec{});
}

/// The verdicts after each of `tries`: '1' succeeds, '0' fails.
std::string verdicts(const ProbeSpec& spec, bool good, std::string_view tries) {
    ProbeCount count(spec, good);
    std::string out;
    for (const char one : tries) {
        count.note(one == '1');
        out += count.good() ? '1' : '0';
    }
    return out;
}

TEST(ProbeTest, NoProbeIsNone) { EXPECT_FALSE(decode_probe(Json()).has_value()); }

TEST(ProbeTest, TurnsBadAfterTheThresholdOfFailuresInARow) {
    const ProbeSpec spec = probe(R"({"tcpSocket":{"port":80},"failureThreshold":3})");
    EXPECT_EQ(verdicts(spec, true, "00100011"), "11111011");
}

TEST(ProbeTest, TurnsGoodAfterTheThresholdOfSuccessesInARow) {
    const ProbeSpec spec = probe(R"({"tcpSocket":{"port":80},"successThreshold":2})");
    EXPECT_EQ(verdicts(spec, false, "1011"), "0001");
}

TEST(ProbeTest, FailuresBelowTheThresholdStartAnewAfterASuccess) {
    ProbeCount count(probe(R"({"exec":{"command":["x"]},"failureThreshold":2})"), true);
    count.note(false);
    count.note(true);
    count.note(false);
    EXPECT_FALSE(count.exhausted());
    count.note(false);
    EXPECT_TRUE(count.exhausted());
}

TEST(ProbeTest, HostHeaderAndOthersOverrideTheDefaults) {
    const ProbeSpec spec = probe(R"({"httpGet":{"port":8080,"path":"ready","scheme":"HTTPS",
        "httpHeaders":[{"name":"host","value":"shop.example"},{"name":"user-agent","value":"me"},
                       {"name":"Cookie","value":"a=1"}]}})");
    const HttpQuestion question = question_of(spec.http, "10.244.1.2", 8080, "kube-probe/1.35");
    EXPECT_TRUE(question.tls);
    EXPECT_EQ(question.path, "/ready");
    EXPECT_EQ(question.host, "shop.example");
    const std::vector<std::pair<std::string, std::string>> headers{
        {"Accept", "*/*"}, {"user-agent", "me"}, {"Cookie", "a=1"}};
    EXPECT_EQ(question.headers, headers);
}

TEST(ProbeTest, WithoutHeadersItIsKubeProbe) {
    const ProbeSpec spec = probe(R"({"httpGet":{"port":80}})");
    const HttpQuestion question = question_of(spec.http, "10.0.0.1", 80, "kube-probe/1.35");
    EXPECT_EQ(question.host, "10.0.0.1:80");
    EXPECT_EQ(question.headers[0].second, "kube-probe/1.35");
}

TEST(ProbeTest, PortNamesAreTheContainersOwn) {
    const std::vector<ContainerPort> ports{{"http", 8080, 0, Protocol::kTcp}};
    EXPECT_EQ(resolve({0, "http"}, ports), 8080);
    EXPECT_EQ(resolve({0, "other"}, ports), 0);
    EXPECT_EQ(resolve({90, ""}, ports), 90);
}

TEST(ProbeTest, AnswersFrom200To399AreSuccess) {
    const ProbeSpec spec = probe(R"({"httpGet":{"port":80}})");
    for (const int code : {200, 302, 399}) {
        EXPECT_TRUE(outcome_of(spec, {false, "", code, ""}, "").success) << code;
    }
    const ProbeOutcome failed = outcome_of(spec, {false, "", 503, "busy"}, "http://a/");
    EXPECT_FALSE(failed.success);
    EXPECT_EQ(failed.message, "HTTP probe failed with statuscode: 503");
    EXPECT_EQ(outcome_of(spec, {false, "EOF", 0, ""}, "http://a/").message,
              "Get \"http://a/\": EOF");
}

TEST(ProbeTest, OutputOfACommandIsTheMessage) {
    const ProbeSpec spec = probe(R"({"exec":{"command":["cat","x"]}})");
    const ProbeOutcome failed = outcome_of(spec, {false, "", 1, "no such file\n"}, "");
    EXPECT_FALSE(failed.success);
    EXPECT_EQ(failed.message, "no such file\n");
    EXPECT_TRUE(outcome_of(spec, {false, "", 0, ""}, "").success);
}

}  // namespace
}  // namespace kin::netns
