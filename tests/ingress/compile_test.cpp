#include "ingress/compile.h"

#include <gmock/gmock.h>

#include "core/http/tls.h"
#include "tests/ingress/world.h"

namespace kin::ingress {
namespace {

using test::backend;
using test::path;
using test::rule;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;
using testing::UnorderedElementsAre;

const std::string kRewrite = "nginx.ingress.kubernetes.io/rewrite-target";
const std::string kUseRegex = "nginx.ingress.kubernetes.io/use-regex";

/// Which backend of the world is asked for `host` and `asked`.
std::string route(const Compiled& compiled, std::string_view host, std::string_view asked) {
    const RouteTable::Match match = compiled.routes->find(host, asked);
    return match.location ? match.location->backend->name : "404";
}

std::vector<std::string> reasons(const Compiled& compiled) {
    std::vector<std::string> out;
    for (const Finding& finding : compiled.findings) out.push_back(finding.reason);
    return out;
}

std::string only_message(const Compiled& compiled) {
    return compiled.findings.size() == 1 ? compiled.findings.begin()->message : "";
}

class IngressCompileTest : public testing::Test, public test::World {};

TEST_F(IngressCompileTest, RoutesPathsOfAHostToThePodsThatAreReady) {
    add("fanout", {{"rules", {rule("a.com", {path("/", "web"), path("/api", "api")})}}});
    const Compiled compiled = compile();
    EXPECT_THAT(compiled.findings, IsEmpty());
    EXPECT_EQ(route(compiled, "a.com", "/x"), "shop/web:80");
    EXPECT_EQ(route(compiled, "a.com", "/api/x"), "shop/api:80");
    EXPECT_EQ(route(compiled, "b.com", "/"), "404");
    const Location& location = *compiled.routes->find("a.com", "/").location;
    EXPECT_EQ(location.ingress, "shop/fanout");
    EXPECT_THAT(location.backend->endpoints,
                ElementsAre(Endpoint{*Ipv4::parse("10.244.1.2"), 8080},
                            Endpoint{*Ipv4::parse("10.244.2.2"), 8080}));
    EXPECT_THAT(compiled.ingresses, ElementsAre(ObjectKey{"shop", "fanout"}));
    EXPECT_THAT(compiled.services,
                ElementsAre(Key(ObjectKey{"shop", "api"}), Key(ObjectKey{"shop", "web"})));
}

TEST_F(IngressCompileTest, FindsPortsByName) {
    add("named", {{"rules", {rule("a.com", {path("/", "web", "Prefix", {{"name", "http"}})})}}});
    const Compiled compiled = compile();
    EXPECT_THAT(compiled.findings, IsEmpty());
    EXPECT_EQ(route(compiled, "a.com", "/"), "shop/web:http");
    EXPECT_EQ(compiled.routes->find("a.com", "/").location->backend->endpoints.size(), 2u);
}

TEST_F(IngressCompileTest, SaysWhatABackendLacksAndAnswersAllTheSame) {
    struct Case {
        std::string service;
        Json port;
        std::string reason, message;
    };
    add_external_name("outside", "example.com");
    add_external_name("inside", "127.0.0.1");
    add_external_name("link", "169.254.169.254");
    add_external_name("local", "localhost");
    const Case cases[] = {
        {"missing", {{"number", 80}}, "ServiceNotFound", "there is no Service shop/missing"},
        {"web", {{"number", 3333}}, "ServicePortNotFound", "Service shop/web has no port 3333"},
        {"web", {{"number", 53}}, "ServicePortNotFound", "Service shop/web has no port 53"},
        {"web", {{"name", "https"}}, "ServicePortNotFound", "Service shop/web has no port https"},
        {"outside",
         {{"number", 80}},
         "ExternalNameNotResolved",
         "Service shop/outside stands for example.com, of which DNS knows no address"},
        {"outside",
         {{"name", "http"}},
         "ServicePortNotFound",
         "Service shop/outside has no port http with a number"},
        {"inside",
         {{"number", 80}},
         "ExternalNameRefused",
         "Service shop/inside stands for 127.0.0.1, where no Ingress may lead"},
        {"link",
         {{"number", 80}},
         "ExternalNameRefused",
         "Service shop/link stands for 169.254.169.254, where no Ingress may lead"},
        {"local",
         {{"number", 80}},
         "ExternalNameRefused",
         "Service shop/local stands for localhost, where no Ingress may lead"},
    };
    for (const Case& test : cases) {
        ingresses.clear();
        add("one", {{"rules", {rule("a.com", {path("/", test.service, "Prefix", test.port)})}}});
        const Compiled compiled = compile();
        EXPECT_EQ(reasons(compiled), std::vector{test.reason});
        EXPECT_EQ(only_message(compiled), test.message);
        EXPECT_THAT(compiled.routes->find("a.com", "/").location->backend->endpoints, IsEmpty());
    }
}

TEST_F(IngressCompileTest, LeadsToTheAddressesOfAnExternalName) {
    const Ipv4 outside{0xCB007114};
    names["example.com"] = {outside};
    add_external_name("plain", "example.com");
    add_external_name("ported", "example.com",
                      Json::array({{{"name", "http"}, {"port", 80}, {"targetPort", 8080}}}));
    add_external_name("literal", "203.0.113.20");
    add("one", {{"rules",
                 {rule("a.com", {path("/", "plain", "Prefix", {{"number", 81}}),
                                 path("/ported", "ported", "Prefix", {{"name", "http"}}),
                                 path("/literal", "literal")})}}});
    const Compiled compiled = compile();
    EXPECT_THAT(compiled.findings, IsEmpty());
    const auto endpoints = [&](const char* asked) {
        return compiled.routes->find("a.com", asked).location->backend->endpoints;
    };
    EXPECT_THAT(endpoints("/"), ElementsAre(Endpoint{outside, 81}));
    EXPECT_THAT(endpoints("/ported"), ElementsAre(Endpoint{outside, 8080}));
    EXPECT_THAT(endpoints("/literal"), ElementsAre(Endpoint{outside, 80}));
}

TEST_F(IngressCompileTest, WaitsForServicesAndSecretsThatAreNotThereYet) {
    add("early", {{"rules", {rule("a.com", {path("/", "later")})}},
                  {"tls", {{{"hosts", {"a.com"}}, {"secretName", "tls"}}}}});
    const Compiled compiled = compile();
    EXPECT_THAT(reasons(compiled), UnorderedElementsAre("ServiceNotFound", "SecretNotFound"));
    EXPECT_THAT(compiled.services, ElementsAre(Key(ObjectKey{"shop", "later"})));
    EXPECT_THAT(compiled.secrets, ElementsAre(Key(ObjectKey{"shop", "tls"})));
}

TEST_F(IngressCompileTest, TellsItsOwnClassesFromForeignOnes) {
    add_class("other", "example.com/controller");
    add_class("nginx-example", "k8s.io/ingress-nginx");
    const auto is_routed = [&](const std::string& class_name, const char* annotation) {
        ingresses.clear();
        const Json annotations =
            annotation ? Json{{"kubernetes.io/ingress.class", annotation}} : Json::object();
        add("one",
            {{"ingressClassName", class_name}, {"rules", {rule("a.com", {path("/", "web")})}}},
            annotations);
        const Compiled compiled = compile();
        EXPECT_EQ(compiled.ingresses.size(), route(compiled, "a.com", "/") == "404" ? 0u : 1u);
        return compiled.ingresses.size() == 1;
    };
    EXPECT_TRUE(is_routed("nginx", nullptr));
    EXPECT_TRUE(is_routed("nginx-example", nullptr));
    EXPECT_FALSE(is_routed("other", nullptr));
    EXPECT_FALSE(is_routed("does-not-exist", nullptr));
    EXPECT_FALSE(is_routed("", nullptr));
    EXPECT_TRUE(is_routed("", "nginx"));
    EXPECT_TRUE(is_routed("", "nginx-example"));
    EXPECT_FALSE(is_routed("", "traefik"));
    EXPECT_FALSE(is_routed("nginx", "traefik"));
}

TEST_F(IngressCompileTest, MergesIngressesOfOneHostAndLetsTheOldestHaveAPath) {
    add("older", {{"rules", {rule("a.com", {path("/", "web"), path("/same", "web")})}}});
    add("younger", {{"rules", {rule("a.com", {path("/api", "api"), path("/same/", "api")})}}});
    const Compiled compiled = compile();
    EXPECT_EQ(route(compiled, "a.com", "/"), "shop/web:80");
    EXPECT_EQ(route(compiled, "a.com", "/api"), "shop/api:80");
    EXPECT_EQ(route(compiled, "a.com", "/same"), "shop/web:80");
    EXPECT_THAT(compiled.findings,
                ElementsAre(Finding{{"shop", "younger"},
                                    "HostPathConflict",
                                    "host a.com, path /same/ (Prefix) of Ingress shop/younger is "
                                    "left out: the older Ingress shop/older has it already"}));
}

TEST_F(IngressCompileTest, TakesAnExactPathAndAPrefixForTwo) {
    add("one", {{"rules", {rule("a.com", {path("/foo", "web"), path("/foo", "api", "Exact")})}}});
    const Compiled compiled = compile();
    EXPECT_THAT(compiled.findings, IsEmpty());
    EXPECT_EQ(route(compiled, "a.com", "/foo"), "shop/api:80");
    EXPECT_EQ(route(compiled, "a.com", "/foo/x"), "shop/web:80");
}

TEST_F(IngressCompileTest, SendsToTheDefaultBackendWhatNoRuleTakes) {
    add("all", {{"defaultBackend", backend("web")}});
    EXPECT_EQ(route(compile(), "any.com", "/any"), "shop/web:80");
    add("more",
        {{"defaultBackend", backend("api")}, {"rules", {rule("a.com", {path("/x", "web")})}}});
    const Compiled compiled = compile();
    EXPECT_THAT(compiled.findings, IsEmpty());
    EXPECT_EQ(route(compiled, "any.com", "/any"), "shop/web:80");
    EXPECT_EQ(route(compiled, "a.com", "/x"), "shop/web:80");
    EXPECT_EQ(route(compiled, "a.com", "/y"), "shop/api:80");
}

TEST_F(IngressCompileTest, PrefersRulesToDefaultBackends) {
    add("older",
        {{"defaultBackend", backend("api")}, {"rules", {rule("a.com", {path("/x", "api")})}}});
    add("younger", {{"rules",
                     {rule("a.com", {path("/", "web")}), rule("b.com", {path("/b", "web")}),
                      rule("", {path("/", "web")})}}});
    const Compiled compiled = compile();
    EXPECT_EQ(route(compiled, "a.com", "/y"), "shop/web:80");
    EXPECT_EQ(route(compiled, "b.com", "/y"), "404");  // Another Ingress's host is none of its.
    EXPECT_EQ(route(compiled, "c.com", "/y"), "shop/web:80");
}

TEST_F(IngressCompileTest, SaysWhichDefaultBackendHasEveryHost) {
    add("first", {{"defaultBackend", backend("web")}});
    add("second", {{"defaultBackend", backend("api")}});
    const Compiled compiled = compile();
    EXPECT_EQ(route(compiled, "any.com", "/"), "shop/web:80");
    EXPECT_EQ(only_message(compiled),
              "the default backend of Ingress shop/second is left out: the older Ingress "
              "shop/first takes every host already");
}

TEST_F(IngressCompileTest, MakesRegexesOfAllPathsOfAHostIfOneIngressAsksForThem) {
    add("plain", {{"rules",
                   {rule("a.com", {path("/foo/bar", "web"), path("/Exact", "api", "Exact")}),
                    rule("b.com", {path("/foo", "web")})}}});
    add("regex",
        {{"rules", {rule("a.com", {path("/foo/bar/(.+)", "api", "ImplementationSpecific")})}}},
        {{kRewrite, "/$1"}});
    const Compiled compiled = compile();
    EXPECT_THAT(compiled.findings, IsEmpty());
    EXPECT_EQ(route(compiled, "a.com", "/foo/bar/1"), "shop/api:80");
    EXPECT_EQ(route(compiled, "a.com", "/foo/bar/"), "shop/web:80");
    EXPECT_EQ(route(compiled, "a.com", "/FOO/BAR"), "shop/web:80");
    EXPECT_EQ(route(compiled, "a.com", "/exact"), "shop/api:80");
    EXPECT_EQ(route(compiled, "b.com", "/foo"), "shop/web:80");
    EXPECT_EQ(route(compiled, "b.com", "/FOO"), "404");
    const RouteTable::Match match = compiled.routes->find("a.com", "/foo/bar/x/y");
    EXPECT_EQ(match.location->options.rewrite_target, "/$1");
    EXPECT_THAT(match.captures, ElementsAre("x/y"));
    EXPECT_EQ(compiled.routes->find("a.com", "/foo/bar").location->options.rewrite_target, "");
}

TEST_F(IngressCompileTest, LeavesAPrefixWithASlashToWhomWroteItOnAHostOfRegexes) {
    add("plain", {{"rules", {rule("a.com", {path("/foo", "web"), path("/foo/", "api")})}}});
    add("regex",
        {{"rules", {rule("a.com", {path("/foo/(.+)", "empty", "ImplementationSpecific")})}}},
        {{kRewrite, "/$1"}});
    const Compiled compiled = compile();
    EXPECT_THAT(compiled.findings, IsEmpty());
    EXPECT_EQ(route(compiled, "a.com", "/foo"), "shop/web:80");
    EXPECT_EQ(route(compiled, "a.com", "/foo/"), "shop/api:80");
    EXPECT_EQ(route(compiled, "a.com", "/foo/1"), "shop/empty:80");
}

TEST_F(IngressCompileTest, RewritesPlainPrefixesToo) {
    add("rewrite", {{"rules", {rule("a.com", {path("/api", "api"), path("/", "web")})}}},
        {{kRewrite, "/"}});
    const Compiled compiled = compile();
    EXPECT_EQ(route(compiled, "a.com", "/api/x"), "shop/api:80");
    EXPECT_EQ(route(compiled, "a.com", "/about"), "shop/web:80");
    EXPECT_EQ(compiled.routes->find("a.com", "/about").location->options.rewrite_target, "/");
}

TEST_F(IngressCompileTest, LeavesOutWhatIsNoRegexAndServesTheRest) {
    add("bad",
        {{"rules",
          {rule("a.com", {path("/x(", "web", "ImplementationSpecific"),
                          path("/(a)\\1", "web", "ImplementationSpecific"),
                          path("/" + std::string(1100, 'x'), "web"),
                          path("/x{1000}{1000}", "web", "ImplementationSpecific"),
                          path("/good", "web", "ImplementationSpecific")})}}},
        {{kUseRegex, "true"}});
    const Compiled compiled = compile();
    EXPECT_THAT(reasons(compiled),
                ElementsAre("InvalidRegex", "InvalidRegex", "InvalidRegex", "InvalidRegex"));
    EXPECT_THAT(compiled.findings,
                testing::Contains(Finding{{"shop", "bad"},
                                          "InvalidRegex",
                                          "host a.com, path /x( is left out: it is no regular "
                                          "expression of RE2: missing ): /x("}));
    EXPECT_EQ(route(compiled, "a.com", "/good"), "shop/web:80");
    EXPECT_EQ(route(compiled, "a.com", "/x"), "404");
}

TEST_F(IngressCompileTest, RefusesWhatItWouldHaveToProtect) {
    add("private", {{"rules", {rule("a.com", {path("/", "web")})}}},
        {{"nginx.ingress.kubernetes.io/auth-type", "basic"}});
    const Compiled compiled = compile();
    EXPECT_THAT(reasons(compiled), ElementsAre("AnnotationRefused"));
    EXPECT_EQ(route(compiled, "a.com", "/"), "shop/web:80");
    EXPECT_THAT(compiled.routes->find("a.com", "/").location->backend->endpoints, IsEmpty());
}

TEST_F(IngressCompileTest, LeavesCanariesOutAndTheirHostsAlone) {
    add("canary", {{"rules", {rule("a.com", {path("/", "api")})}}},
        {{"nginx.ingress.kubernetes.io/canary", "true"}});
    add("main", {{"rules", {rule("a.com", {path("/", "web")})}}});
    const Compiled compiled = compile();
    EXPECT_EQ(route(compiled, "a.com", "/"), "shop/web:80");
    EXPECT_THAT(reasons(compiled), ElementsAre("IngressSkipped"));
}

class IngressTlsTest : public IngressCompileTest {
protected:
    /// A certificate for `names`, such as "DNS:a.com".
    static http::KeyPair make(const std::vector<std::string>& names) {
        auto made = http::make_server_certificate(ca(), "kin", names);
        KIN_ASSERT(made);
        return *made;
    }
    static const http::KeyPair& ca() {
        static const http::KeyPair made = *http::make_ca("test");
        return made;
    }
    void add_tls(const Json& tls) {
        add("secure", {{"rules", {rule("a.com", {path("/", "web")})}}, {"tls", tls}});
    }
};

TEST_F(IngressTlsTest, GivesAHostTheCertificateOfItsSecret) {
    const http::KeyPair pair = make({"DNS:a.com"});
    add_secret("tls", pair.certificate_pem, pair.key_pem);
    add_tls({{{"hosts", {"a.com"}}, {"secretName", "tls"}}});
    const Compiled compiled = compile();
    EXPECT_THAT(compiled.findings, IsEmpty());
    const auto certificate = compiled.routes->certificate("a.com");
    ASSERT_TRUE(certificate);
    EXPECT_EQ(certificate->certificate_pem, pair.certificate_pem);
    EXPECT_EQ(certificate->secret, "shop/tls");
    EXPECT_EQ(compiled.routes->certificate("b.com"), nullptr);
}

TEST_F(IngressTlsTest, KeepsACertificateThatHasNotChangedAndTakesOneThatHas) {
    const http::KeyPair pair = make({"DNS:a.com"});
    add_secret("tls", pair.certificate_pem, pair.key_pem);
    add_tls({{{"secretName", "tls"}}});  // Without hosts: those of the rules.
    const auto first = compile().routes->certificate("a.com");
    ASSERT_TRUE(first);
    EXPECT_EQ(compile().routes->certificate("a.com"), first);
    add_secret("tls", pair.certificate_pem, pair.key_pem, 2);  // A label has changed, say.
    EXPECT_EQ(compile().routes->certificate("a.com"), first);
    const http::KeyPair other = make({"DNS:a.com"});
    add_secret("tls", other.certificate_pem, other.key_pem, 3);
    EXPECT_EQ(compile().routes->certificate("a.com")->certificate_pem, other.certificate_pem);
}

TEST_F(IngressTlsTest, SaysWhatIsWrongWithASecretAndKeepsTls) {
    const http::KeyPair pair = make({"DNS:a.com"});
    struct Case {
        std::string certificate, key, why;
    };
    const Case cases[] = {
        {"", pair.key_pem, "it has no tls.crt"},
        {pair.certificate_pem, "", "it has no tls.key"},
        {"hello", pair.key_pem, "its tls.crt is no certificate in PEM"},
        {pair.certificate_pem, "hello", "its tls.key is no private key in PEM"},
        {pair.certificate_pem, ca().key_pem, "its tls.key does not belong to its tls.crt"},
    };
    add_tls({{{"hosts", {"a.com"}}, {"secretName", "tls"}}});
    int revision = 1;
    for (const Case& test : cases) {
        add_secret("tls", test.certificate, test.key, revision++);
        const Compiled compiled = compile();
        EXPECT_EQ(only_message(compiled), "Secret shop/tls is no certificate: " + test.why +
                                              "; its hosts get one that nobody trusts");
        EXPECT_EQ(compiled.routes->certificate("a.com"), nullptr);
        EXPECT_TRUE(compiled.routes->find("a.com", "/").host->certificate);  // Still redirected.
    }
}

TEST_F(IngressTlsTest, SaysIfACertificateIsForOtherHosts) {
    const http::KeyPair pair = make({"DNS:*.b.com", "DNS:b.com"});
    add_secret("tls", pair.certificate_pem, pair.key_pem);
    add_tls({{{"hosts", {"a.com"}}, {"secretName", "tls"}}});
    EXPECT_EQ(only_message(compile()), "the certificate in Secret shop/tls is not for a.com");
    ingresses.clear();
    add("wild",
        {{"rules", {rule("*.b.com", {path("/", "web")}), rule("x.b.com", {path("/", "web")})}},
         {"tls", {{{"hosts", {"*.b.com"}}, {"secretName", "tls"}}}}});
    const Compiled compiled = compile();
    EXPECT_THAT(compiled.findings, IsEmpty());
    EXPECT_TRUE(compiled.routes->certificate("y.b.com"));
    EXPECT_TRUE(compiled.routes->certificate("x.b.com"));
}

TEST_F(IngressTlsTest, SaysIfTlsIsForAHostWithoutARule) {
    add_tls({{{"hosts", {"other.com"}}}});
    EXPECT_EQ(only_message(compile()),
              "TLS is asked for other.com, but no rule is about that host");
}

}  // namespace
}  // namespace kin::ingress
