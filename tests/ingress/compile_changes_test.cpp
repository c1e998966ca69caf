#include <gmock/gmock.h>

#include <algorithm>
#include <random>

#include "core/base/strings.h"
#include "tests/ingress/world.h"

namespace kin::ingress {
namespace {

using test::backend;
using test::path;
using test::rule;
using testing::ElementsAre;
using testing::IsEmpty;

/// All that a proxy sees of a table, as text.
std::set<std::string> text_of(const RouteTable& routes) {
    std::set<std::string> out;
    for (const auto& host : routes.hosts()) {
        out.insert(cat(host->name, " ", host->certificate ? host->certificate->secret : "-", " ",
                       host->locations.size()));
        for (size_t i = 0; i < host->locations.size(); ++i) {
            const Location& one = host->locations[i];
            std::string line =
                cat(host->name, " ", i, " ", static_cast<int>(one.type), " ", one.path, " ",
                    one.backend->name, " ", one.ingress, " ", one.options.rewrite_target);
            for (const Endpoint& endpoint : one.backend->endpoints)
                line += cat(" ", endpoint.address, ":", endpoint.port);
            out.insert(line);
        }
    }
    return out;
}

std::set<Endpoint> endpoints_of(const RouteTable& routes) {
    std::set<Endpoint> out;
    for (const auto& host : routes.hosts())
        for (const Location& one : host->locations)
            out.insert(one.backend->endpoints.begin(), one.backend->endpoints.end());
    return out;
}

class IngressChangesTest : public testing::Test, public test::World {
protected:
    /// Compiles what has changed and, with a compiler that knows nothing, everything.
    void expect_same() {
        const std::set<Endpoint> before = endpoints_of(*compiler.compiled().routes);
        const Compiled now = compile(changes_);
        changes_ = Changes::none();
        Compiler anew(objects());
        const Compiled& wanted = anew.compile({});
        EXPECT_EQ(text_of(*now.routes), text_of(*wanted.routes));
        EXPECT_EQ(now.findings, wanted.findings);
        EXPECT_EQ(now.ingresses, wanted.ingresses);
        EXPECT_EQ(now.services, wanted.services);
        EXPECT_EQ(now.secrets, wanted.secrets);
        EXPECT_EQ(now.hosts, wanted.hosts);
        EXPECT_EQ(now.paths, wanted.paths);
        std::set<Endpoint> gone;
        const std::set<Endpoint> after = endpoints_of(*now.routes);
        std::set_difference(before.begin(), before.end(), after.begin(), after.end(),
                            std::inserter(gone, gone.end()));
        EXPECT_EQ(std::set<Endpoint>(now.gone.begin(), now.gone.end()), gone);
    }

    template <class T>
    T any(std::initializer_list<T> choices) {
        return choices.begin()[random_() % choices.size()];
    }
    std::string any_host() {
        return any<std::string>({"a.com", "b.a.com", "*.a.com", "", "c.org"});
    }
    std::string any_service() { return any<std::string>({"web", "api", "empty", "later"}); }

    Json any_spec() {
        Json spec = Json::object();
        for (size_t rules = random_() % 3; rules > 0; --rules) {
            Json paths = Json::array();
            for (size_t i = 0; i <= random_() % 2; ++i)
                paths.push_back(path(any<std::string>({"/", "/x", "/x/", "/x(", "/y"}),
                                     any_service(), any<std::string>({"Prefix", "Exact"})));
            spec["rules"].push_back(rule(any_host(), std::move(paths)));
        }
        if (random_() % 3 == 0) spec["defaultBackend"] = backend(any_service());
        for (size_t tls = random_() % 3; tls > 0; --tls) {
            Json one = {{"secretName", any<std::string>({"tls", "other"})}};
            for (size_t i = random_() % 3; i > 0; --i) {
                const std::string host = any_host();
                if (!host.empty()) one["hosts"].push_back(host);
            }
            spec["tls"].push_back(std::move(one));
        }
        if (random_() % 8 == 0) spec["ingressClassName"] = "foreign";
        return spec;
    }
    Json any_annotations() {
        const std::string prefix = "nginx.ingress.kubernetes.io/";
        switch (random_() % 8) {
            case 0:
                return {{prefix + "use-regex", "true"}};
            case 1:
                return {{prefix + "rewrite-target", "/$1"}};
            case 2:
                return {{prefix + "canary", "true"}};
            case 3:
                return {{prefix + "auth-type", "basic"}};
            default:
                return Json::object();
        }
    }

    void change_an_ingress() {
        const std::string name = cat("i", random_() % 6);
        std::erase_if(ingresses, [&](const Ingress& one) { return one.key().name == name; });
        if (random_() % 4 != 0) add(name, any_spec(), any_annotations());
        changes_.ingresses.insert({"shop", name});
    }
    void change_a_service() {
        const std::string name = any_service();
        services.erase({"shop", name});
        std::erase_if(slices, [&](const EndpointSlice& one) { return one.service == name; });
        if (random_() % 4 != 0)
            add_service(name, {{cat("10.244.1.", random_() % 4 + 2), true},
                               {cat("10.244.2.", random_() % 4 + 2), random_() % 2 == 0}});
        changes_.services.insert({"shop", name});
    }
    void change_a_secret() {
        const std::string name = any<std::string>({"tls", "other"});
        if (secrets.erase({"shop", name}) == 0)
            add_secret(name, "no certificate", "no key", static_cast<int>(random_() % 1000 + 1));
        changes_.secrets.insert({"shop", name});
    }

    Changes changes_;
    std::mt19937 random_{20};
};

TEST_F(IngressChangesTest, GiveWhatACompilerFromNothingGives) {
    for (int i = 0; i < 500 && !HasFailure(); ++i) {
        SCOPED_TRACE(i);
        for (size_t changes = random_() % 3; changes < 3; ++changes) {
            const auto kind = random_() % 10;
            if (kind < 6)
                change_an_ingress();
            else if (kind < 9)
                change_a_service();
            else
                change_a_secret();
        }
        expect_same();
    }
}

TEST_F(IngressChangesTest, CostTheHostsThatTheyConcern) {
    for (int i = 0; i < 50; ++i)
        add(cat("i", i),
            {{"rules", {rule(cat("h", i, ".com"), {path("/", i < 3 ? "api" : "web")})}}});
    EXPECT_EQ(compile().compiled_hosts, 50u);
    const auto other = compiler.compiled().routes->find("h7.com", "/").host;
    Changes changes = Changes::none();
    changes.ingresses.insert({"shop", "i5"});
    EXPECT_EQ(compile(changes).compiled_hosts, 1u);
    changes = Changes::none();
    changes.services.insert({"shop", "api"});
    EXPECT_EQ(compile(changes).compiled_hosts, 3u);
    EXPECT_EQ(compiler.compiled().routes->find("h7.com", "/").host, other);
    EXPECT_EQ(compile(Changes::none()).compiled_hosts, 0u);
}

TEST_F(IngressChangesTest, TellWhichEndpointsAreGone) {
    add("one", {{"rules", {rule("a.com", {path("/", "web")})}}});
    add("two", {{"rules", {rule("b.com", {path("/", "web"), path("/x", "api")})}}});
    compile();
    Changes changes = Changes::none();
    changes.ingresses.insert({"shop", "two"});
    ingresses.pop_back();
    EXPECT_THAT(compile(changes).gone, ElementsAre(Endpoint{*Ipv4::parse("10.244.1.3"), 8080}));
    EXPECT_THAT(compile(changes).gone, IsEmpty());
}

}  // namespace
}  // namespace kin::ingress
