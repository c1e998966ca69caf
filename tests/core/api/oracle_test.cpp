#include "tests/core/api/oracle.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "core/base/strings.h"
#include "tests/support/golden.h"

namespace kin::test {
namespace {

/// How many cases of a kind agree with the recorded answers.
struct Score {
    int agree = 0;
    int total = 0;
};

class OracleTest : public testing::Test {
protected:
    void SetUp() override {
        if (oracle_lines("defaults.jsonl").empty()) GTEST_SKIP() << "no recorded answers here";
    }

    void record(const std::string& kind, const std::string& name, bool agrees,
                const std::string& difference) {
        static const std::set<std::string> kKinds = {
            "ConfigMap", "DaemonSet",    "Deployment", "EndpointSlice", "Endpoints",     "Event",
            "Ingress",   "IngressClass", "Lease",      "Namespace",     "NetworkPolicy", "Node",
            "Pod",       "ReplicaSet",   "Secret",     "Service",       "ServiceAccount"};
        if (!kKinds.count(kind)) return;
        ++scores_[kind].total;
        scores_[kind].agree += agrees;
        if (!agrees && std::getenv("KIN_ORACLE_VERBOSE"))
            std::printf("%s: %s\n", name.c_str(), difference.c_str());
    }

    /// Prints the table; `floor` is the share of agreeing cases that was reached before.
    void finish(const char* file, int floor) {
        Score all;
        for (const auto& [kind, score] : scores_) {
            std::printf("%-12s %-16s %4d/%d\n", file, kind.c_str(), score.agree, score.total);
            all.agree += score.agree;
            all.total += score.total;
        }
        std::printf("%-12s %-16s %4d/%d\n", file, "all", all.agree, all.total);
        EXPECT_GE(all.agree, floor);
    }

private:
    std::map<std::string, Score> scores_;
};

/// Replaces "{{s0:metadata.resourceVersion}}" by what the setup left, or by a number.
void fill_templates(Json& json, const Json& setup) {
    if (json.is_structured()) {
        for (auto& [key, value] : json.items()) fill_templates(value, setup);
    } else if (json.is_string()) {
        std::string text = json.get<std::string>();
        for (size_t at; (at = text.find("{{pad:")) != std::string::npos;) {
            const size_t end = text.find("}}", at);
            const auto count = parse_number<size_t>(text.substr(at + 6, end - at - 6));
            text.replace(at, end + 2 - at, count.value_or(0), 'x');
            json = text;
        }
        if (!text.starts_with("{{") || !text.ends_with("}}")) return;
        const Json* at = &setup;
        const size_t colon = text.find(':');
        const std::string path = text.substr(colon + 1, text.size() - colon - 3);
        for (const std::string_view step : split(path, '.'))
            if (at) at = find(*at, step);
        json = at ? *at : Json("1");
    }
}

/// Fields and reasons, each once: how often a thing is said differs between versions.
std::set<std::string> summary(const Json& causes) {
    std::set<std::string> out;
    for (const Json& cause : causes)
        out.insert(cat(string_at(cause, {"field"}), ' ', string_at(cause, {"reason"})));
    return out;
}

std::string text_of(const std::set<std::string>& parts) {
    return join({parts.begin(), parts.end()}, ", ");
}

/// Needs more than an object to be judged: what is taken, who asks, how bytes are read.
bool needs_a_server(const Json& test) {
    const std::string path = string_at(test, {"request", "path"});
    const int64_t code = int_at(test, {"response", "code"});
    const std::string message = string_at(test, {"response", "message"});
    const bool judged = code == 200 || code == 201 || code == 400 || code == 422;
    const Json* body = find(test, {"request", "body"});
    return !judged || path.find('?') != std::string::npos || !body || !body->is_object() ||
           message.find("provided port") != std::string::npos ||
           message.find("allocate") != std::string::npos || find(test, {"request", "headers"});
}

std::string collection_of(const Json& object) {
    const Kind* kind = find_kind_of(string_at(object, {"apiVersion"}), string_at(object, {"kind"}));
    if (string_at(object, {"apiVersion"}) == "discovery.k8s.io/v1beta1")
        kind = find_resource("endpointslices.discovery.k8s.io");
    if (!kind) return "";
    const std::string root = kind->group.empty() ? "/api/" : cat("/apis/", kind->group, '/');
    const std::string ns = string_at(object, {"metadata", "namespace"}, "test");
    return cat(root, kind->version, kind->namespaced ? cat("/namespaces/", ns) : "", '/',
               kind->plural);
}

TEST_F(OracleTest, ValidationAgrees) {
    for (Json& test : oracle_lines("validation.jsonl")) {
        const std::string method = string_at(test, {"request", "method"});
        if ((method != "POST" && method != "PUT") || needs_a_server(test)) continue;
        const OracleRequest request = parse_oracle_path(string_at(test, {"request", "path"}));
        const std::string name = string_at(test, {"name"});
        if (!request.kind || !request.subresource.empty()) continue;
        TinyServer server;
        bool ready = true;
        for (const Json& object : array_at(test, {"setup"})) {
            const std::string path = collection_of(object);
            ready = ready && !path.empty() && server.create(parse_oracle_path(path), object);
        }
        if (!ready || (method == "PUT" && !server.has(request))) continue;
        Json body = test["request"]["body"];
        fill_templates(body, server.stored());
        const auto answer =
            method == "PUT" ? server.update(request, body) : server.create(request, body);
        const int64_t expected = int_at(test, {"response", "code"});
        const int64_t code = answer ? (method == "PUT" ? 200 : 201) : answer.error().code;
        const auto wanted = summary(array_at(test, {"response", "causes"}));
        std::set<std::string> got;
        if (!answer) got = summary(array_at(answer.error().to_json(), {"details", "causes"}));
        const bool agrees = code == expected && (code != 422 || got == wanted);
        record(std::string(request.kind->kind), name, agrees,
               cat(expected, " {", text_of(wanted), "}, not ", code, " {", text_of(got), "} ",
                   answer ? "" : answer.error().message));
    }
    finish("validation", 400);
}

TEST_F(OracleTest, DefaultsAgree) {
    for (const Json& test : oracle_lines("defaults.jsonl")) {
        const std::string path = collection_of(test["input"]);
        if (path.empty()) continue;
        const OracleRequest request = parse_oracle_path(path);
        TinyServer server;
        const auto answer = server.create(request, test["input"]);
        const Json stored = test.value("stored", Json::object());
        const bool agrees = answer && same_stored(stored, server.stored());
        record(std::string(request.kind->kind), string_at(test, {"name"}), agrees,
               answer ? cat("\n  wanted ", stored.dump(), "\n  got    ", server.stored().dump())
                      : answer.error().message);
    }
    finish("defaults", 100);
}

TEST_F(OracleTest, UpdatesAreFilledInAsRecorded) {
    for (const Json& test : oracle_lines("defaults.jsonl")) {
        const std::string path = collection_of(test["input"]);
        if (path.empty()) continue;
        OracleRequest request = parse_oracle_path(path);
        TinyServer server;
        if (!server.create(request, test["input"])) continue;
        request.name = string_at(server.stored(), {"metadata", "name"});
        for (const Json& step : array_at(test, {"updates"})) {
            if (int_at(step, {"code"}) != 200 || step.contains("path")) break;
            Json body = step["body"];
            fill_templates(body, server.stored());
            if (string_at(step, {"method"}) == "PATCH") {
                const Json patch = body;
                body = server.stored();
                body.merge_patch(patch);
            }
            const auto answer = server.update(request, body);
            const bool agrees = answer && same_stored(step["stored"], server.stored());
            record(std::string(request.kind->kind), string_at(test, {"name"}), agrees,
                   answer ? cat("\n  wanted ", step["stored"].dump(), "\n  got    ",
                                server.stored().dump())
                          : answer.error().message);
            if (!agrees) break;
        }
    }
    finish("updates", 40);
}

}  // namespace
}  // namespace kin::test
