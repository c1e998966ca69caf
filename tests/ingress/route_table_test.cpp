#include "ingress/route_table.h"

#include <gtest/gtest.h>

#include "core/base/strings.h"

namespace kin::ingress {
namespace {

using Type = Location::Type;

/// A location whose backend bears its type and path as its name: "exact /foo".
Location location(Type type, const std::string& path) {
    Location out;
    out.type = type;
    out.path = path;
    const char* word = type == Type::kExact ? "exact " : type == Type::kPrefix ? "prefix " : "~ ";
    auto backend = std::make_shared<Backend>();
    backend->name = word + path;
    out.backend = std::move(backend);
    if (type == Type::kRegex) {
        re2::RE2::Options options(re2::RE2::Quiet);
        options.set_case_sensitive(false);
        out.pattern = std::make_shared<const re2::RE2>(path, options);
    }
    return out;
}
Location exact(const std::string& path) { return location(Type::kExact, path); }
Location prefix(const std::string& path) { return location(Type::kPrefix, path); }
Location regex(const std::string& path) { return location(Type::kRegex, path); }

std::string backend_of(const RouteTable::Match& match) {
    return match.location ? match.location->backend->name : "none";
}

struct PathCase {
    std::vector<Location> paths;
    std::string asked, expected;
};

std::string found(const PathCase& test) {
    const RouteTable table({{"", test.paths, nullptr}});
    return backend_of(table.find("any.example.com", test.asked));
}

// https://kubernetes.io/docs/concepts/services-networking/ingress/#examples, row by row.
TEST(RouteTableTest, MatchesPathsAsTheDocumentationOfKubernetesHasIt) {
    const PathCase cases[] = {
        {{prefix("/")}, "/", "prefix /"},
        {{prefix("/")}, "/all/paths", "prefix /"},
        {{exact("/foo")}, "/foo", "exact /foo"},
        {{exact("/foo")}, "/bar", "none"},
        {{exact("/foo")}, "/foo/", "none"},
        {{exact("/foo/")}, "/foo", "none"},
        {{prefix("/foo")}, "/foo", "prefix /foo"},
        {{prefix("/foo")}, "/foo/", "prefix /foo"},
        {{prefix("/foo/")}, "/foo", "prefix /foo/"},
        {{prefix("/foo/")}, "/foo/", "prefix /foo/"},
        {{prefix("/aaa/bb")}, "/aaa/bbb", "none"},
        {{prefix("/aaa/bbb")}, "/aaa/bbb", "prefix /aaa/bbb"},
        {{prefix("/aaa/bbb/")}, "/aaa/bbb", "prefix /aaa/bbb/"},
        {{prefix("/aaa/bbb")}, "/aaa/bbb/", "prefix /aaa/bbb"},
        {{prefix("/aaa/bbb")}, "/aaa/bbb/ccc", "prefix /aaa/bbb"},
        {{prefix("/aaa/bbb")}, "/aaa/bbbxyz", "none"},
        {{prefix("/"), prefix("/aaa")}, "/aaa/ccc", "prefix /aaa"},
        {{prefix("/"), prefix("/aaa"), prefix("/aaa/bbb")}, "/aaa/bbb", "prefix /aaa/bbb"},
        {{prefix("/"), prefix("/aaa"), prefix("/aaa/bbb")}, "/ccc", "prefix /"},
        {{prefix("/aaa")}, "/ccc", "none"},
        {{prefix("/foo"), exact("/foo")}, "/foo", "exact /foo"},
    };
    for (const PathCase& test : cases) {
        EXPECT_EQ(found(test), test.expected)
            << test.paths[0].backend->name << " <- " << test.asked;
    }
}

TEST(RouteTableTest, MatchesWhatTheDocumentationLeavesToCommonSense) {
    const PathCase cases[] = {
        {{exact("/foo")}, "/FOO", "none"},
        {{prefix("/foo")}, "/Foo/bar", "none"},
        {{prefix("/foo"), exact("/foo")}, "/foo/", "prefix /foo"},
        {{exact("/foo"), prefix("/")}, "/foo/", "prefix /"},
        {{prefix("/a"), exact("/a/b/c"), prefix("/a/b")}, "/a/b/c", "exact /a/b/c"},
        {{prefix("/a"), exact("/a/b/c"), prefix("/a/b")}, "/a/b/d", "prefix /a/b"},
        {{prefix("")}, "/anything", "prefix "},
        {{prefix("/")}, "", "prefix /"},
        {{}, "/", "none"},
    };
    for (const PathCase& test : cases) EXPECT_EQ(found(test), test.expected) << test.asked;
}

TEST(RouteTableTest, TriesLongerRegexesFirstAndTheFirstThatMatchesWins) {
    const PathCase cases[] = {
        // The three of ingress-nginx's page on path matching.
        {{regex("/foo/bar"), regex("/foo/bar/"), regex("/foo/bar/(.+)")},
         "/foo/bar/1",
         "~ /foo/bar/(.+)"},
        {{regex("/foo/bar"), regex("/foo/bar/"), regex("/foo/bar/(.+)")},
         "/foo/bar/",
         "~ /foo/bar/"},
        {{regex("/foo/bar"), regex("/foo/bar/"), regex("/foo/bar/(.+)")}, "/foo/bar", "~ /foo/bar"},
        // Its warning.
        {{regex("/foo/bar/bar"), regex("/foo/bar/[A-Z0-9]{3}")},
         "/foo/bar/bar",
         "~ /foo/bar/[A-Z0-9]{3}"},
        {{regex("/foo")}, "/FOO", "~ /foo"},
        {{regex("/foo")}, "/x/foo", "none"},
        {{regex("/foo$")}, "/foobar", "none"},
        {{regex("/a.c"), regex("/abc")}, "/abc", "~ /abc"},  // 'b' comes after '.'.
    };
    for (const PathCase& test : cases) EXPECT_EQ(found(test), test.expected) << test.asked;
}

TEST(RouteTableTest, TellsWhatTheGroupsOfARegexCaught) {
    const RouteTable table({{"", {regex("/something(/|$)(.*)"), regex("/(x)?(y)?z")}, nullptr}});
    using Captures = std::vector<std::string>;
    EXPECT_EQ(table.find("h", "/something").captures, (Captures{"", ""}));
    EXPECT_EQ(table.find("h", "/something/").captures, (Captures{"/", ""}));
    EXPECT_EQ(table.find("h", "/something/new/x").captures, (Captures{"/", "new/x"}));
    EXPECT_EQ(table.find("h", "/yz").captures, (Captures{"", "y"}));
    EXPECT_EQ(backend_of(table.find("h", "/somethingelse")), "none");
    EXPECT_EQ(table.find("h", "/somethingelse").captures, Captures{});
}

std::string host_of(const RouteTable& table, std::string_view asked) {
    const RouteTable::Match match = table.find(asked, "/");
    if (!match.host) return "none";
    return match.host->name.empty() ? "catch-all" : match.host->name;
}

TEST(RouteTableTest, PrefersTheExactHostThenAWildcardOfOneLabelThenTheHostOfNoName) {
    const RouteTable table({{"bar.foo.com", {}, nullptr},
                            {"*.foo.com", {}, nullptr},
                            {"*.deep.foo.com", {}, nullptr},
                            {"", {}, nullptr}});
    const std::pair<std::string_view, std::string> cases[] = {
        {"bar.foo.com", "bar.foo.com"},  {"BAR.Foo.com", "bar.foo.com"},
        {"bar.foo.com.", "bar.foo.com"}, {"baz.foo.com", "*.foo.com"},
        {"a.b.foo.com", "catch-all"},    {"foo.com", "catch-all"},
        {".foo.com", "catch-all"},       {"a.deep.foo.com", "*.deep.foo.com"},
        {"deep.foo.com", "*.foo.com"},   {"", "catch-all"},
        {"172.30.200.1", "catch-all"},
    };
    for (const auto& [asked, expected] : cases) EXPECT_EQ(host_of(table, asked), expected) << asked;
}

TEST(RouteTableTest, DoesNotLookFurtherOnceAHostOfTheNameIsFound) {
    const RouteTable table({{"a.foo.com", {exact("/x")}, nullptr}, {"", {prefix("/")}, nullptr}});
    const RouteTable::Match match = table.find("a.foo.com", "/y");
    EXPECT_EQ(match.host->name, "a.foo.com");
    EXPECT_EQ(match.location, nullptr);
    EXPECT_EQ(RouteTable({{"a.foo.com", {}, nullptr}}).find("b", "/").host, nullptr);
}

TEST(RouteTableTest, FindsTheCertificateOfAServerName) {
    const auto one = std::make_shared<const Certificate>(Certificate{"c", "k", "shop/one"});
    const auto many = std::make_shared<const Certificate>(Certificate{"c", "k", "shop/many"});
    const auto own = std::make_shared<const Certificate>();
    const RouteTable table({{"one.com", {}, one},
                            {"*.many.com", {}, many},
                            {"plain.many.com", {}, nullptr},
                            {"missing.com", {}, own}});
    EXPECT_EQ(table.certificate("ONE.com"), one);
    EXPECT_EQ(table.certificate("x.many.com"), many);
    EXPECT_EQ(table.certificate("plain.many.com"), nullptr);
    EXPECT_EQ(table.certificate("other.com"), nullptr);
    EXPECT_EQ(table.certificate("missing.com"), nullptr);  // kin's own, which the proxy has.
    EXPECT_EQ(table.certificate(""), nullptr);
}

}  // namespace
}  // namespace kin::ingress
