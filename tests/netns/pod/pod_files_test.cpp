#include "netns/pod/pod_files.h"

#include <gtest/gtest.h>

#include "netns/pod/log_lines.h"
#include "netns/pod/quantity.h"
#include "tests/netns/pod/pods.h"

namespace kin::netns {
namespace {

using test::pod_with;

const DnsPlan kDns{{0x0A60000A}, "cluster.local", {{0x08080808}}, {}};

std::string resolv(const std::string& spec) {
    return resolv_conf(decode_pod_spec(pod_with(spec)), kDns);
}

TEST(PodFilesTest, ResolvConfAsksTheClustersDnsFirst) {
    EXPECT_EQ(resolv(R"("dnsPolicy":"ClusterFirst")"),
              "search shop.svc.cluster.local svc.cluster.local cluster.local\n"
              "nameserver 10.96.0.10\noptions ndots:5\n");
}

TEST(PodFilesTest, ResolvConfByPolicy) {
    EXPECT_EQ(resolv(R"("dnsPolicy":"Default")"), "nameserver 8.8.8.8\n");
    EXPECT_EQ(resolv(R"("dnsPolicy":"ClusterFirst","hostNetwork":true)"), "nameserver 8.8.8.8\n");
    EXPECT_EQ(resolv(R"("dnsPolicy":"ClusterFirstWithHostNet","hostNetwork":true)"),
              resolv(R"("dnsPolicy":"ClusterFirst")"));
    EXPECT_EQ(resolv(R"("dnsPolicy":"None","dnsConfig":{"nameservers":["1.1.1.1"],
                        "searches":["a.b"],"options":[{"name":"ndots","value":"2"},
                        {"name":"edns0"}]})"),
              "search a.b\nnameserver 1.1.1.1\noptions ndots:2 edns0\n");
}

TEST(PodFilesTest, DnsConfigAddsToThePolicysAnswer) {
    EXPECT_EQ(resolv(R"("dnsConfig":{"searches":["corp.example"],
                        "options":[{"name":"ndots","value":"1"}]})"),
              "search shop.svc.cluster.local svc.cluster.local cluster.local corp.example\n"
              "nameserver 10.96.0.10\noptions ndots:1\n");
}

TEST(PodFilesTest, SearchDomainsAreLimitedInNumberAndLength) {
    std::string many, one_long = '"' + std::string(2040, 'x') + '"';
    for (int i = 0; i < 40; ++i) many += (i ? ",\"d" : "\"d") + std::to_string(i) + '"';
    const std::string text = resolv(R"("dnsConfig":{"searches":[)" + many + "]}");
    EXPECT_NE(text.find(" d28\n"), std::string::npos) << text;
    EXPECT_EQ(resolv(R"("dnsConfig":{"searches":[)" + one_long + "]}"), resolv("\"x\":0"));
}

TEST(PodFilesTest, HostsFileNamesThePodAndItsAliases) {
    const PodSpec pod = decode_pod_spec(pod_with(R"("hostname":"h","subdomain":"sub",
        "hostAliases":[{"ip":"1.2.3.4","hostnames":["a","b"]}])"));
    const std::string text = hosts_file(pod, *Ipv4::parse("10.244.1.2"), kDns);
    EXPECT_NE(text.find("\n127.0.0.1\tlocalhost\n"), std::string::npos);
    EXPECT_NE(text.find("\n10.244.1.2\th.sub.shop.svc.cluster.local\th\n"), std::string::npos);
    EXPECT_NE(text.find("\n1.2.3.4\ta\tb\n"), std::string::npos);
}

TEST(PodFilesTest, HostnameIsThePodsUnlessItSaysOtherwise) {
    EXPECT_EQ(kernel_hostname(decode_pod_spec(pod_with(R"("a":1)")), kDns), "web-0");
    EXPECT_EQ(kernel_hostname(decode_pod_spec(pod_with(R"("hostNetwork":true)")), kDns), "node-1");
    EXPECT_EQ(kernel_hostname(
                  decode_pod_spec(pod_with(R"("subdomain":"sub","setHostnameAsFQDN":true)")), kDns),
              "web-0.sub.shop.svc.cluster.local");
}

TEST(LogLinesTest, BytesBecomeLinesAndLongOnesParts) {
    const WallTime now = *parse_rfc3339("2026-01-02T03:04:05Z");
    LogLines lines("stdout");
    std::string out;
    lines.add("a\nb", now, out);
    lines.add("c\n\n", now, out);
    lines.add("rest", now, out);
    lines.finish(now, out);
    EXPECT_EQ(out,
              "2026-01-02T03:04:05.000000000Z stdout F a\n"
              "2026-01-02T03:04:05.000000000Z stdout F bc\n"
              "2026-01-02T03:04:05.000000000Z stdout F \n"
              "2026-01-02T03:04:05.000000000Z stdout F rest\n");
    out.clear();
    std::string long_line(40000, 'x');
    long_line += '\n';
    lines.add(long_line, now, out);
    EXPECT_EQ(std::count(out.begin(), out.end(), 'x'), 40000);
    EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 3);
    EXPECT_NE(out.find(" P x"), std::string::npos);
}

TEST(QuantityTest, SuffixesAndFractions) {
    EXPECT_EQ(parse_milli_quantity("250m"), 250);
    EXPECT_EQ(parse_milli_quantity("1.5Gi"), int64_t{1536} * 1024 * 1024 * 1000);
    EXPECT_EQ(parse_milli_quantity("2e3"), 2000000);
    EXPECT_EQ(parse_milli_quantity("64M"), 64000000000);
    EXPECT_EQ(parse_milli_quantity("0.1"), 100);
    for (const char* bad : {"", "x", "1Qi", "inf", "1 G"}) {
        EXPECT_FALSE(parse_milli_quantity(bad)) << bad;
    }
}

}  // namespace
}  // namespace kin::netns
