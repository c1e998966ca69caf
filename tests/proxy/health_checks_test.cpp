#include "proxy/health_checks.h"

#include <gtest/gtest.h>

#include "core/base/json.h"
#include "core/base/strings.h"

namespace kin::proxy {
namespace {

struct Answered {
    std::string first_line;
    std::string headers;
    std::string body;
};

Answered answered(size_t local_endpoints) {
    const std::string text = health_answer({{"shop", "web"}, local_endpoints});
    const size_t line = text.find("\r\n"), end = text.find("\r\n\r\n");
    return {text.substr(0, line), text.substr(line, end - line), text.substr(end + 4)};
}

TEST(HealthAnswerTest, NodeWithEndpointsIsHealthyAndSaysHowMany) {
    const Answered answer = answered(3);
    EXPECT_EQ(answer.first_line, "HTTP/1.1 200 OK");
    const auto json = parse_json(answer.body);
    ASSERT_TRUE(json);
    EXPECT_EQ(int_at(*json, {"localEndpoints"}), 3);
    EXPECT_EQ(string_at(*json, {"service", "namespace"}), "shop");
    EXPECT_EQ(string_at(*json, {"service", "name"}), "web");
}

TEST(HealthAnswerTest, NodeWithoutEndpointsIsNotAvailableAndSaysNone) {
    const Answered answer = answered(0);
    EXPECT_EQ(answer.first_line, "HTTP/1.1 503 Service Unavailable");
    const auto json = parse_json(answer.body);
    ASSERT_TRUE(json);
    EXPECT_EQ(int_at(*json, {"localEndpoints"}, -1), 0);
}

TEST(HealthAnswerTest, AnswerIsWholeAndEndsTheConnection) {
    const Answered answer = answered(1);
    EXPECT_NE(answer.headers.find(cat("\r\nContent-Length: ", answer.body.size())),
              std::string::npos);
    EXPECT_NE(answer.headers.find("\r\nConnection: close"), std::string::npos);
    EXPECT_NE(answer.headers.find("\r\nX-Load-Balancing-Endpoint-Weight: 1"), std::string::npos);
}

TEST(HealthAnswerTest, ModeIsOneWordAndOtherPathsAreNotFound) {
    const Answers answers = mode_answers();
    const auto ends_with = [&](const char* request, std::string_view end) {
        return answer_to(answers, request).ends_with(cat("\r\n\r\n", end));
    };
    EXPECT_TRUE(ends_with("GET /proxyMode HTTP/1.1\r\nHost: x\r\n\r\n", "nftables"));
    EXPECT_TRUE(ends_with("GET /healthz?verbose HTTP/1.1\r\n\r\n", "ok"));
    EXPECT_TRUE(ends_with("GET /other HTTP/1.1\r\n\r\n", "404 page not found\n"));
    EXPECT_TRUE(ends_with("nonsense\r\n\r\n", "404 page not found\n"));
    EXPECT_TRUE(ends_with("\r\n\r\n", "404 page not found\n"));
}

TEST(HealthAnswerTest, AHealthPortAnswersWhateverPathIsAsked) {
    const Answers answers{{"", health_answer({{"shop", "web"}, 1})}};
    EXPECT_EQ(answer_to(answers, "GET /healthz HTTP/1.1\r\n\r\n"),
              answer_to(answers, "GET / HTTP/1.1\r\n\r\n"));
}

}  // namespace
}  // namespace kin::proxy
