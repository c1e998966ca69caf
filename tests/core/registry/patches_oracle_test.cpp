#include <gtest/gtest.h>

#include <iostream>
#include <set>

#include "core/api/validation.h"
#include "core/registry/patch.h"
#include "tests/core/registry/oracle.h"

namespace kin {
namespace {

/// Cases whose recorded answer a newer version does not give.
const std::set<std::string> kAnsweredDifferentlyToday = {
    "json-replace-root",  // RFC 6902 allows it, and newer servers do it.
    "json-value-null",    // The null became "" there; nulls are not stored now.
};

Answer<Json> patched(const Kind& kind, const std::string& type, const Json& stored, Json patch) {
    if (patch.is_string()) patch = Json::parse(patch.get<std::string>(), nullptr, false);
    if (type.starts_with("application/json-patch")) return json_patch(stored, patch);
    if (type.starts_with("application/merge")) return merge_patch(stored, patch);
    return strategic_merge_patch(*Schema::builtin().find(kind.message), stored, patch);
}

/// "" if kin gives what the real server gave, else what is different.
std::string compare_with(const Json& recorded) {
    const Json& stored = recorded["stored"];
    const Kind* kind = find_kind_of(string_at(stored, {"apiVersion"}), string_at(stored, {"kind"}));
    if (!kind) return "this kind is not in the table";
    Answer<Json> answer =
        patched(*kind, string_at(recorded, {"contentType"}), stored, recorded["patch"]);
    const bool refused = recorded["code"] != 200;
    if (!answer) return refused ? "" : answer.error().message;
    // What only validation refuses passes here.
    if (refused) return recorded["error"].contains("causes") ? "" : "should have been refused";
    if (const auto conformed = conform(*kind, *answer); !conformed)
        return conformed.error().message;
    set_defaults(*kind, *answer, &stored);
    if (kind->has_status && stored.contains("status")) (*answer)["status"] = stored["status"];
    Json expected = recorded["after"];
    test::forget_server_made(expected);
    test::forget_server_made(*answer);
    test::forget_newer_defaults(*answer, expected);
    return test::difference(*answer, expected);
}

TEST(PatchesOracleTest, AgreesWithARealServer) {
    const auto cases = test::oracle_cases("patches.jsonl");
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
    std::cout << "patches: " << agree << '/' << total << " agree\n";
    EXPECT_GE(agree * 100, total * 90);
}

}  // namespace
}  // namespace kin
