#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <optional>
#include <set>

#include "core/api/validation.h"
#include "core/api/yaml.h"
#include "core/base/strings.h"
#include "core/registry/patch.h"
#include "tests/core/registry/oracle.h"

namespace kin {
namespace {

/// Cases whose recorded answer a newer version does not give.
const std::set<std::string> kAnsweredDifferentlyToday = {};

struct Target {
    const Kind* kind = nullptr;
    std::string subresource, manager, force;
};

Target target_of(const std::string& path) {
    Target out;
    const size_t query = path.find('?');
    for (const std::string_view part : split(std::string_view(path).substr(query + 1), '&')) {
        if (part.starts_with("fieldManager=")) out.manager = part.substr(13);
        if (part.starts_with("force=")) out.force = part.substr(6);
    }
    const std::string plain = path.substr(0, query);
    auto steps = split(std::string_view(plain).substr(1), '/');
    const bool core = steps[0] == "api";
    const std::string_view group = core ? "" : steps[1];
    const std::string_view version = core ? steps[1] : steps[2];
    steps.erase(steps.begin(), steps.begin() + (core ? 2 : 3));
    if (steps[0] == "namespaces" && steps.size() > 2) steps.erase(steps.begin(), steps.begin() + 2);
    out.kind = find_kind(group, version, steps[0]);
    if (steps.size() > 2) out.subresource = steps[2];
    return out;
}

Json body_of(const Json& step) {
    const auto body = step.find("body");
    if (body == step.end()) return nullptr;
    if (!body->is_string()) return *body;
    auto parsed = parse_yaml(body->get<std::string>());
    return parsed ? *std::move(parsed) : Json(nullptr);
}

/// One object behind the API, as far as patches and managedFields go.
class Server {
public:
    /// What the step answers, with code and object (or Status).
    std::pair<int, Json> run(const Json& step) {
        const Target target = target_of(string_at(step, {"path"}));
        const std::string method = string_at(step, {"method"});
        if (method == "GET") return {200, *live_};
        if (method == "DELETE") {
            live_.reset();
            return {200, nullptr};
        }
        const bool create = !live_;
        Answer<Json> made = write(target, method, step);
        if (!made) return {made.error().code, made.error().to_json()};
        if (const auto conformed = conform(*target.kind, *made); !conformed)
            return {conformed.error().code, conformed.error().to_json()};
        if (string_at(step, {"path"}).find("dryRun=All") == std::string::npos) live_ = *made;
        return {create ? 201 : 200, *made};
    }

private:
    Answer<Json> write(const Target& target, const std::string& method, const Json& step) {
        const Kind& kind = *target.kind;
        const FieldWriter writer{target.manager, target.subresource, "2026-01-01T00:00:00Z"};
        const Json body = body_of(step);
        const Json* live = live_ ? &*live_ : nullptr;
        const std::string type = string_at(step, {"headers", "Content-Type"});
        if (type.starts_with("application/apply-patch")) {
            Answer<Json> applied =
                server_side_apply(kind, live, body, writer,
                                  target.force == "true" ? ApplyForce::kYes : ApplyForce::kNo);
            if (applied) set_defaults(kind, *applied, live);
            return applied;
        }
        Answer<Json> updated = body;
        if (method == "PATCH" && type.starts_with("application/json-patch"))
            updated = json_patch(*live, body);
        else if (method == "PATCH" && type.starts_with("application/merge"))
            updated = merge_patch(*live, body);
        else if (method == "PATCH")
            updated = strategic_merge_patch(*Schema::builtin().find(kind.message), *live, body);
        if (!updated) return updated;
        if (live && target.subresource == "scale") {
            updated = *live;
            (*updated)["spec"]["replicas"] = body["spec"]["replicas"];
        }
        set_defaults(kind, *updated, live);
        return track_update(kind, live, *std::move(updated), writer);
    }

    std::optional<Json> live_;
};

/// managedFields without what differs from run to run and from version to version, sorted.
Json owners_of(const Json& object) {
    Json list = array_at(object, {"metadata", "managedFields"});
    for (Json& entry : list) {
        entry.erase("time");
        entry.erase("subresource");
    }
    std::sort(list.begin(), list.end());
    return list;
}

std::string compare_step(Server& server, const Json& step) {
    const auto [code, answer] = server.run(step);
    const Json& expected = step["response"];
    if (expected["code"] != code)
        return cat("code ", code, " instead of ", to_text(expected["code"]), ' ', to_text(answer));
    if (code >= 400) {
        if (code != 409) return "";
        Json causes = array_at(answer, {"details", "causes"});
        std::sort(causes.begin(), causes.end());
        if (const auto what = test::difference(causes, array_at(expected, {"causes"}));
            !what.empty())
            return what;
        return answer["message"] == expected["message"] ? "" : to_text(answer["message"]);
    }
    const Json& body = object_at(expected, {"body"});
    if (body.empty() || answer.is_null()) return "";
    if (const auto what = test::difference(owners_of(answer), owners_of(body)); !what.empty())
        return "owners: " + what;
    Json actual = answer;
    Json wanted = body;
    test::forget_server_made(actual);
    test::forget_server_made(wanted);
    actual.erase("status");
    wanted.erase("status");
    test::forget_newer_defaults(actual, wanted);
    return test::difference(actual, wanted);
}

std::string compare_with(const Json& recorded) {
    Server server;
    int number = 0;
    for (const Json& step : recorded["steps"]) {
        if (!target_of(string_at(step, {"path"})).kind) return "this kind is not in the table";
        const std::string what = compare_step(server, step);
        if (!what.empty()) return cat("step ", number, ": ", what);
        ++number;
    }
    return "";
}

TEST(ApplyOracleTest, AgreesWithARealServer) {
    const auto cases = test::oracle_cases("apply.jsonl");
    if (cases.empty()) GTEST_SKIP() << "the recorded answers are not here";
    size_t total = 0, agree = 0;
    for (const Json& recorded : cases) {
        if (kAnsweredDifferentlyToday.contains(string_at(recorded, {"name"}))) continue;
        ++total;
        const std::string what = compare_with(recorded);
        if (what.empty())
            ++agree;
        else
            std::cout << recorded["name"] << ": " << what << '\n';
    }
    std::cout << "apply: " << agree << '/' << total << " agree\n";
    EXPECT_GE(agree * 100, total * 60);  // Raised as apply agrees with more.
}

}  // namespace
}  // namespace kin
