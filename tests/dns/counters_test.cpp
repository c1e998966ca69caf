#include "dns/counters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/dns/messages.h"

namespace kin::dns {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string answer_with(Rcode code) {
    std::string answer = test::question("web.shop", Type::kA);
    answer[3] = static_cast<char>(code);
    return answer;
}

TEST(CountersTest, QuestionsAreCountedByTypeAndTransportAnswersByCode) {
    Counters counters;
    const std::string address = test::question("web.shop", Type::kA);
    counters.note(address, answer_with(Rcode::kNoError), Transport::kUdp);
    counters.note(address, answer_with(Rcode::kNxDomain), Transport::kUdp);
    counters.note(test::question("web.shop", Type::kSrv), answer_with(Rcode::kNoError),
                  Transport::kTcp);
    const std::string text = counters.text();
    EXPECT_THAT(
        text, HasSubstr("proto=\"udp\",server=\"dns://:53\",type=\"A\",view=\"\",zone=\".\"} 2\n"));
    EXPECT_THAT(
        text,
        HasSubstr("proto=\"tcp\",server=\"dns://:53\",type=\"SRV\",view=\"\",zone=\".\"} 1\n"));
    EXPECT_THAT(text,
                HasSubstr("rcode=\"NOERROR\",server=\"dns://:53\",view=\"\",zone=\".\"} 2\n"));
    EXPECT_THAT(text,
                HasSubstr("rcode=\"NXDOMAIN\",server=\"dns://:53\",view=\"\",zone=\".\"} 1\n"));
    EXPECT_THAT(text, Not(HasSubstr("SERVFAIL")));
}

TEST(CountersTest, MessagesCutShortCountAsOther) {
    Counters counters;
    const std::string whole = test::question("web.shop", Type::kA);
    for (size_t size = 0; size < whole.size(); ++size) {
        counters.note(std::string_view(whole).substr(0, size), "", Transport::kUdp);
    }
    EXPECT_THAT(counters.text(), HasSubstr("type=\"other\""));
}

TEST(CountersTest, MetricsAreAnsweredPerWholeRequest) {
    const Counters counters;
    std::string out;
    const std::string request = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
    EXPECT_EQ(answer_metrics(counters, request.substr(0, 20), out), 0U);
    EXPECT_EQ(out, "");
    EXPECT_EQ(answer_metrics(counters, request + request + "GET", out), 2 * request.size());
    EXPECT_THAT(out, HasSubstr("200 OK"));
    EXPECT_THAT(out, HasSubstr("coredns_build_info"));
    out.clear();
    (void)answer_metrics(counters, "GET / HTTP/1.1\r\n\r\n", out);
    EXPECT_THAT(out, HasSubstr("404 Not Found"));
}

}  // namespace
}  // namespace kin::dns
