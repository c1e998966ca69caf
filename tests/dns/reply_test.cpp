#include "dns/reply.h"

#include <gmock/gmock.h>

#include <random>

#include "tests/dns/messages.h"
#include "tests/dns/zones.h"

namespace kin::dns {
namespace {

using test::Answer;
using test::AnswerReader;
using test::opt;
using test::question;

class ReplyTest : public testing::Test {
protected:
    ReplyTest() { test::fill(builder_); }

    Answer ask(std::string_view name, Type type, Transport transport = Transport::kUdp) {
        return send(question(name, type), transport);
    }
    Answer send(const std::string& packet, Transport transport = Transport::kUdp) {
        std::string out;
        if (!reply(*builder_.snapshot(), packet, transport, turn_, out)) return {};
        size_ = out.size();
        return AnswerReader(out).read();
    }
    /// The rcode, and the answers one by one.
    std::string short_of(std::string_view name, Type type) {
        const Answer answer = ask(name, type);
        std::string out = std::to_string(answer.rcode);
        for (const std::string& record : answer.answers) out += "; " + record;
        return out;
    }

    ZoneBuilder builder_{ZoneOptions{}};
    uint32_t turn_ = 0;
    size_t size_ = 0;
};

struct Case {
    const char* name;
    const char* asked;
    Type type;
    const char* expected;
};
class ReplyTableTest : public ReplyTest, public testing::WithParamInterface<Case> {};

TEST_P(ReplyTableTest, AnswersAsSpecified) {
    EXPECT_EQ(short_of(GetParam().asked, GetParam().type), GetParam().expected);
}

// clang-format off
INSTANTIATE_TEST_SUITE_P(Cluster, ReplyTableTest, testing::Values(
    Case{"ClusterIp", "web.shop.svc.cluster.local", Type::kA,
         "0; web.shop.svc.cluster.local. A 10.96.0.20"},
    Case{"NamedPort", "_http._tcp.web.shop.svc.cluster.local", Type::kSrv,
         "0; _http._tcp.web.shop.svc.cluster.local. SRV 0 100 80 web.shop.svc.cluster.local."},
    Case{"AllPortsOfAService", "web.shop.svc.cluster.local", Type::kSrv,
         "0; web.shop.svc.cluster.local. SRV 0 100 80 web.shop.svc.cluster.local."
         "; web.shop.svc.cluster.local. SRV 0 100 81 web.shop.svc.cluster.local."},
    Case{"NoServiceRecordOfAPortWithoutName", "_._tcp.web.shop.svc.cluster.local", Type::kSrv, "3"},
    Case{"ClusterIpReverse", "20.0.96.10.in-addr.arpa", Type::kPtr,
         "0; 20.0.96.10.in-addr.arpa. PTR web.shop.svc.cluster.local."},
    Case{"NoIpv6IsNoData", "web.shop.svc.cluster.local", Type::kAaaa, "0"},
    Case{"HeadlessReadyOnly", "db.shop.svc.cluster.local", Type::kA,
         "0; db.shop.svc.cluster.local. A 10.244.1.2; db.shop.svc.cluster.local. A 10.244.2.2"},
    Case{"HeadlessHostname", "db-0.db.shop.svc.cluster.local", Type::kA,
         "0; db-0.db.shop.svc.cluster.local. A 10.244.1.2"},
    Case{"HeadlessByAddress", "10-244-2-2.db.shop.svc.cluster.local", Type::kA,
         "0; 10-244-2-2.db.shop.svc.cluster.local. A 10.244.2.2"},
    Case{"HeadlessPort", "_http._tcp.db.shop.svc.cluster.local", Type::kSrv,
         "0; _http._tcp.db.shop.svc.cluster.local. SRV 0 50 5432 db-0.db.shop.svc.cluster.local."
         "; _http._tcp.db.shop.svc.cluster.local. SRV 0 50 5432 10-244-2-2.db.shop.svc.cluster.local."},
    Case{"HeadlessReverse", "2.1.244.10.in-addr.arpa", Type::kPtr,
         "0; 2.1.244.10.in-addr.arpa. PTR db-0.db.shop.svc.cluster.local."},
    Case{"HeadlessWithoutEndpoints", "nobody.shop.svc.cluster.local", Type::kA, "3"},
    Case{"ExternalName", "shop.shop.svc.cluster.local", Type::kA,
         "0; shop.shop.svc.cluster.local. CNAME shop.example.com."},
    Case{"AliasInside", "alias.shop.svc.cluster.local", Type::kA,
         "0; alias.shop.svc.cluster.local. CNAME web.shop.svc.cluster.local."
         "; web.shop.svc.cluster.local. A 10.96.0.20"},
    Case{"Pod", "10-1-2-3.shop.pod.cluster.local", Type::kA,
         "0; 10-1-2-3.shop.pod.cluster.local. A 10.1.2.3"},
    Case{"PodWithoutNamespace", "10-1-2-3.none.pod.cluster.local", Type::kA, "3"},
    Case{"PodNameIsNoAddress", "web.shop.pod.cluster.local", Type::kA, "3"},
    Case{"PodNameTooShort", "10-1-2.shop.pod.cluster.local", Type::kA, "3"},
    Case{"Version", "dns-version.cluster.local", Type::kTxt,
         "0; dns-version.cluster.local. TXT 1.1.0"},
    Case{"NamespaceIsEmpty", "shop.svc.cluster.local", Type::kA, "0"},
    Case{"EmptyNonTerminal", "_tcp.web.shop.svc.cluster.local", Type::kA, "0"},
    Case{"Apex", "cluster.local", Type::kSoa, "0; cluster.local. SOA"},
    Case{"NameServer", "cluster.local", Type::kNs, "0; cluster.local. NS ns.dns.cluster.local."},
    Case{"NameServersAddress", "ns.dns.cluster.local", Type::kA,
         "0; ns.dns.cluster.local. A 10.96.0.10"},
    Case{"Unknown", "none.shop.svc.cluster.local", Type::kA, "3"},
    Case{"SearchPath", "web.shop.svc.cluster.local.svc.cluster.local", Type::kA, "3"},
    Case{"UnknownReverse", "99.0.96.10.in-addr.arpa", Type::kPtr, "3"},
    Case{"Outside", "example.com", Type::kA, "5"},
    Case{"OutsideReverse", "1.0.168.192.in-addr.arpa", Type::kPtr, "5"},
    Case{"Root", ".", Type::kNs, "5"},
    Case{"Transfer", "cluster.local", Type::kAxfr, "5"}),
    [](const auto& test) { return test.param.name; });
// clang-format on

class OutsideTest : public ReplyTest {
protected:
    OutsideTest() {
        ZoneOptions options;
        options.outside = {{"my-database.example.com", {0xCB007114}},
                           {"shop.example.com", {0xCB007114}}};
        builder_ = std::make_unique<ZoneBuilder>(std::move(options));
        test::fill(*builder_);
    }
    std::string short_of(std::string_view name, Type type) {
        std::string out;
        reply(*builder_->snapshot(), question(name, type), Transport::kUdp, 0, out);
        const Answer answer = AnswerReader(out).read();
        std::string text = std::to_string(answer.rcode);
        for (const std::string& record : answer.answers) text += "; " + record;
        for (const std::string& record : answer.authorities) text += "; authority " + record;
        return text;
    }
    std::unique_ptr<ZoneBuilder> builder_;
};

TEST_F(OutsideTest, NamesOfTheWorldOutsideHaveTheirAddress) {
    EXPECT_EQ(short_of("my-database.example.com", Type::kA),
              "0; my-database.example.com. A 203.0.113.20");
}

TEST_F(OutsideTest, WithoutDataTheNameStillExists) {
    EXPECT_EQ(short_of("my-database.example.com", Type::kAaaa), "0; authority . SOA");
    EXPECT_EQ(short_of("example.com", Type::kA), "0; authority . SOA");
}

TEST_F(OutsideTest, UnknownNamesDoNotExist) {
    EXPECT_EQ(short_of("nowhere.example.com", Type::kA), "3; authority . SOA");
    EXPECT_EQ(short_of("web", Type::kA), "3; authority . SOA");
    EXPECT_EQ(short_of("web.shop", Type::kA), "3; authority . SOA");
}

TEST_F(OutsideTest, ExternalNamesAreFollowedOutside) {
    EXPECT_EQ(short_of("shop.shop.svc.cluster.local", Type::kA),
              "0; shop.shop.svc.cluster.local. CNAME shop.example.com."
              "; shop.example.com. A 203.0.113.20");
    EXPECT_EQ(short_of("shop.shop.svc.cluster.local", Type::kCname),
              "0; shop.shop.svc.cluster.local. CNAME shop.example.com.");
}

TEST_F(OutsideTest, AnOutsideHostKnowsNothingOfTheCluster) {
    ZoneOptions options = builder_->options();
    options.cluster = false;
    builder_ = std::make_unique<ZoneBuilder>(std::move(options));
    EXPECT_EQ(short_of("kubernetes.default.svc.cluster.local", Type::kA), "3; authority . SOA");
    EXPECT_EQ(short_of("shop.example.com", Type::kA), "0; shop.example.com. A 203.0.113.20");
}

TEST_F(ReplyTest, NamesAreFoundInAnyCaseAndGivenBackAsAsked) {
    std::string packet = question("web.shop.svc.cluster.local", Type::kA);
    packet[13] = 'W';
    std::string out;
    ASSERT_TRUE(reply(*builder_.snapshot(), packet, Transport::kUdp, 0, out));
    EXPECT_EQ(AnswerReader(out).read().answers.at(0), "Web.shop.svc.cluster.local. A 10.96.0.20");
}

TEST_F(ReplyTest, NoDataAndNoNameComeWithTheZonesSoa) {
    EXPECT_THAT(ask("none.shop.svc.cluster.local", Type::kA).authorities,
                testing::ElementsAre("cluster.local. SOA"));
    EXPECT_THAT(ask("web.shop.svc.cluster.local", Type::kAaaa).authorities,
                testing::ElementsAre("cluster.local. SOA"));
    EXPECT_THAT(ask("9.9.244.10.in-addr.arpa", Type::kPtr).authorities,
                testing::ElementsAre("244.10.in-addr.arpa. SOA"));
    EXPECT_TRUE(ask("example.com", Type::kA).authorities.empty());
}

TEST_F(ReplyTest, ServiceRecordsBringTheirTargetsAddresses) {
    EXPECT_THAT(ask("_http._tcp.db.shop.svc.cluster.local", Type::kSrv).additionals,
                testing::ElementsAre("db-0.db.shop.svc.cluster.local. A 10.244.1.2",
                                     "10-244-2-2.db.shop.svc.cluster.local. A 10.244.2.2"));
}

TEST_F(ReplyTest, EachTurnBeginsWithAnotherAddress) {
    std::set<std::string> first;
    for (turn_ = 0; turn_ < 2; ++turn_) {
        first.insert(ask("db.shop.svc.cluster.local", Type::kA).answers.at(0));
    }
    EXPECT_EQ(first.size(), 2U);
}

class ThreeReplyTest : public ReplyTest {
protected:
    ThreeReplyTest() {
        const EndpointSlice slice =
            test::slice("three",
                        Json::array({test::endpoint("10.244.1.1"), test::endpoint("10.244.1.2"),
                                     test::endpoint("10.244.1.3")}),
                        test::http_port(80));
        const Service three = test::service("three", {{"clusterIP", "None"}});
        builder_.set_service(three.key(), records_of(three, {&slice}, {}));
        const Service alias = test::service(
            "to-three",
            {{"type", "ExternalName"}, {"externalName", "three.shop.svc.cluster.local"}});
        builder_.set_service(alias.key(), records_of(alias, {}, {}));
    }
};

TEST_F(ThreeReplyTest, EveryTurnHasAllAddressesInTheirRound) {
    const std::string name = "three.shop.svc.cluster.local. A 10.244.1.";
    const std::vector<std::vector<std::string>> rounds = {
        {"1", "2", "3"}, {"2", "3", "1"}, {"3", "1", "2"}};
    for (turn_ = 0; turn_ < 6; ++turn_) {
        std::vector<std::string> expected;
        for (const std::string& last : rounds[turn_ % 3]) expected.push_back(name + last);
        EXPECT_EQ(ask("three.shop.svc.cluster.local", Type::kA).answers, expected);
        expected.insert(expected.begin(),
                        "to-three.shop.svc.cluster.local. CNAME "
                        "three.shop.svc.cluster.local.");
        EXPECT_EQ(ask("to-three.shop.svc.cluster.local", Type::kA).answers, expected);
    }
}

TEST_F(ThreeReplyTest, AServiceRecordThatTurnsKeepsAllTargetsAddresses) {
    for (turn_ = 0; turn_ < 3; ++turn_) {
        const Answer answer = ask("_http._tcp.three.shop.svc.cluster.local", Type::kSrv);
        EXPECT_EQ(answer.answers.size(), 3U);
        EXPECT_EQ(answer.additionals.size(), 3U);
    }
}

TEST_F(ReplyTest, TwoAliasesOfEachOtherEnd) {
    for (const auto& [name, to] : {std::pair("a", "b"), std::pair("b", "a")}) {
        const Service looping = test::service(
            name, {{"type", "ExternalName"}, {"externalName", cat(to, ".shop.svc.cluster.local")}});
        builder_.set_service(looping.key(), records_of(looping, {}, {}));
    }
    EXPECT_EQ(ask("a.shop.svc.cluster.local", Type::kA, Transport::kTcp).answers.size(), 8U);
}

class LargeReplyTest : public ReplyTest {
protected:
    LargeReplyTest() {
        Json endpoints = Json::array();
        for (int i = 0; i < 200; ++i) {
            endpoints.push_back(test::endpoint(cat("10.244.", i / 100 + 1, '.', i % 100 + 1)));
        }
        const EndpointSlice slice = test::slice("big", endpoints, test::http_port(80));
        const Service big = test::service("big", {{"clusterIP", "None"}});
        builder_.set_service(big.key(), records_of(big, {&slice}, {}));
    }
};

TEST_F(LargeReplyTest, WhatDoesNotFitADatagramIsMarkedAndComesOverTcp) {
    const Answer udp = ask("big.shop.svc.cluster.local", Type::kA);
    EXPECT_TRUE(udp.truncated);
    EXPECT_TRUE(udp.answers.empty());
    EXPECT_LE(size_, 512U);
    const Answer tcp = ask("big.shop.svc.cluster.local", Type::kA, Transport::kTcp);
    EXPECT_FALSE(tcp.truncated);
    EXPECT_EQ(tcp.answers.size(), 200U);
}

TEST_F(LargeReplyTest, AskersWhoSpeakEdnsGetItBack) {
    const Answer answer = send(question("web.shop.svc.cluster.local", Type::kA, opt(1232), 1));
    EXPECT_THAT(answer.additionals, testing::ElementsAre("OPT"));
    send(question("big.shop.svc.cluster.local", Type::kA, opt(4096), 1));
    EXPECT_LE(size_, 1232U);
}

// Whatever a packet holds: at most one answer, never longer than allowed, with the packet's id.
TEST_F(LargeReplyTest, MutatedQuestionsDoNoHarm) {
    std::mt19937 random(20261125);
    const std::vector<std::string> seeds = {
        question("big.shop.svc.cluster.local", Type::kA, opt(1232), 1),
        question("_http._tcp.web.shop.svc.cluster.local", Type::kSrv),
        question("10-1-2-3.shop.pod.cluster.local", Type::kA),
        question("20.0.96.10.in-addr.arpa", Type::kPtr, opt(512) + opt(512), 2)};
    const auto zone = builder_.snapshot();
    std::string out;
    for (int round = 0; round < 20000; ++round) {
        std::string packet = seeds[random() % seeds.size()];
        for (unsigned change = random() % 6; change > 0 && !packet.empty(); --change) {
            const size_t at = random() % packet.size();
            switch (random() % 4) {
                case 0:
                    packet[at] = static_cast<char>(random());
                    break;
                case 1:
                    packet.erase(at, random() % 8);
                    break;
                case 2:
                    packet.insert(at, std::string(random() % 70, static_cast<char>(random())));
                    break;
                default:
                    packet[at] = static_cast<char>(0xC0 | (random() % 2));
            }
        }
        expect(*zone, std::array<std::string_view, 2>{packet, seeds[0]});
        if (!reply(*zone, packet, Transport::kUdp, 0, out)) continue;
        ASSERT_GE(out.size(), 12U);
        ASSERT_LE(out.size(), 1232U);
        ASSERT_EQ(out.substr(0, 2), packet.substr(0, 2));
        ASSERT_TRUE(static_cast<uint8_t>(out[2]) & 0x80);
    }
}

}  // namespace
}  // namespace kin::dns
