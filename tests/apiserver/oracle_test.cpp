#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <set>
#include <thread>

#include "core/base/strings.h"
#include "oracle_case.h"
#include "tests/support/golden.h"

// What a real API server answered, asked again of kin. Prints, file by file, how many answers
// agree in what they mean (codes, reasons, fields, values) and how many of those also in the words
// of their messages. KIN_ORACLE_LIST=1 lists the cases that differ and how; KIN_ORACLE_CASE=NAME
// runs one case; KIN_ORACLE_LONG=1 adds those that take a minute.

namespace kin::test {
namespace {

/// The kinds that kin makes something of; the others it stores, and they count apart.
const std::set<std::string> kActedOn = {
    "ConfigMap", "DaemonSet",    "Deployment", "EndpointSlice", "Endpoints",      "Event",
    "Ingress",   "IngressClass", "Lease",      "Namespace",     "NetworkPolicy",  "Node",
    "Pod",       "ReplicaSet",   "Secret",     "Service",       "ServiceAccount", ""};

struct Score {
    int agree = 0, words = 0, total = 0;
    void count(const Verdict& verdict) {
        ++total;
        agree += verdict.agrees;
        words += verdict.words;
    }
    std::string text() const {
        return cat(agree, " of ", total, " (", total ? agree * 100 / total : 100, " %), words too ",
                   words);
    }
};

bool takes_long(const Json& recorded) {
    constexpr int kSeconds = 10;
    const Json& steps = array_at(recorded, {"steps"});
    return std::any_of(steps.begin(), steps.end(), [](const Json& step) {
        return int_at(step, {"endedAfterSeconds"}) > kSeconds;
    });
}

std::vector<Json> read_cases(const std::string& file) {
    std::vector<Json> out;
    const char* only = std::getenv("KIN_ORACLE_CASE");
    std::ifstream stream(cat(shared_folder(), "/oracle/", file, ".jsonl"));
    for (std::string line; std::getline(stream, line);) {
        auto json = parse_json(with_todays_groups(std::move(line)));
        if (!json || (only && string_at(*json, {"name"}) != only)) continue;
        if (takes_long(*json) && !std::getenv("KIN_ORACLE_LONG")) continue;
        if (judged_today(file, string_at(*json, {"name"})) == Judged::kNotAtAll) continue;
        out.push_back(std::move(*json));
    }
    return out;
}

/// What must agree at least, of the kinds kin acts on and of the others.
struct Floor {
    int agree = 0, others = 0;
};

class OracleTest : public testing::Test {
protected:
    void SetUp() override {
        if (shared_folder().empty()) GTEST_SKIP() << "no recorded answers beside this checkout";
    }

    /// Runs all cases of a file on `servers` servers side by side.
    void run(const std::string& file, OracleControllers controllers, size_t servers, Floor floor) {
        const std::vector<Json> cases = read_cases(file);
        std::vector<Verdict> verdicts(cases.size());
        std::atomic<size_t> next{0};
        const auto work = [&] {
            OracleServer server(controllers);
            for (size_t i; (i = next++) < cases.size(); server.reset()) {
                const auto start = std::chrono::steady_clock::now();
                verdicts[i] = OracleCase(server, file, cases[i]).run();
                EXPECT_EQ(server.not_restorable(), "") << string_at(cases[i], {"name"});
                verdicts[i].took = std::chrono::steady_clock::now() - start;
            }
        };
        std::vector<std::thread> threads;
        for (size_t i = 0; i < servers; ++i) threads.emplace_back(work);
        for (std::thread& thread : threads) thread.join();
        report(file, cases, verdicts, floor);
    }

private:
    static void report(const std::string& file, const std::vector<Json>& cases,
                       const std::vector<Verdict>& verdicts, Floor floor) {
        Score all, others;
        std::map<std::string, Score> by_kind;
        for (size_t i = 0; i < cases.size(); ++i) {
            const std::string kind = string_at(cases[i], {"kind"});
            (kActedOn.contains(kind) ? all : others).count(verdicts[i]);
            by_kind[kind].count(verdicts[i]);
            if (std::getenv("KIN_ORACLE_LIST") && verdicts[i].took > std::chrono::milliseconds(500))
                std::cout << "slow    " << file << ' ' << string_at(cases[i], {"name"}) << '\n';
            if (std::getenv("KIN_ORACLE_LIST") && !verdicts[i].words)
                std::cout << (verdicts[i].agrees ? "words  " : "differs ") << file << ' '
                          << (kActedOn.contains(kind) ? "" : "(other) ") << kind << ' '
                          << string_at(cases[i], {"name"}) << '\n'
                          << verdicts[i].differences;
        }
        if (std::getenv("KIN_ORACLE_LIST"))
            for (const auto& [kind, score] : by_kind)
                std::cout << "  " << kind << ": " << score.text() << '\n';
        std::cout << file << ": agree " << all.text() << "; other kinds " << others.text() << '\n';
        if (std::getenv("KIN_ORACLE_CASE")) return;
        EXPECT_GE(all.agree, floor.agree);
        EXPECT_GE(others.agree, floor.others);
    }
};

TEST_F(OracleTest, RefusesWhatARealServerRefuses) {
    run("validation", OracleControllers::kNone, 2, {.agree = 922, .others = 122});
}
TEST_F(OracleTest, FillsInTheSameDefaults) {
    run("defaults", OracleControllers::kNone, 2, {.agree = 121, .others = 30});
}
TEST_F(OracleTest, PatchesToTheSameObjects) {
    run("patches", OracleControllers::kNone, 2, {.agree = 159, .others = 3});
}
TEST_F(OracleTest, AppliesWithTheSameOwners) {
    run("apply", OracleControllers::kNone, 2, {.agree = 57, .others = 3});
}
TEST_F(OracleTest, PrintsTheSameTables) {
    run("tables", OracleControllers::kNone, 2, {.agree = 77, .others = 24});
}
TEST_F(OracleTest, ListsAndDeletesAlike) {
    run("lists", OracleControllers::kGarbageCollector, 2, {.agree = 55, .others = 1});
}
TEST_F(OracleTest, WatchesGiveTheSameEvents) {
    run("watch", OracleControllers::kGarbageCollector, 12, {.agree = 36, .others = 0});
}

}  // namespace
}  // namespace kin::test
