#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "oracle_compare.h"
#include "oracle_newer.h"
#include "oracle_server.h"
#include "oracle_watch.h"

namespace kin::test {

/// How kin's answers to one recorded case are.
struct Verdict {
    bool agrees = false;  ///< in what they mean
    bool words = false;   ///< and in what they say
    std::string differences;
    std::chrono::steady_clock::duration took{};
};

/// Runs one recorded case of the file `file` ("validation") against a server that is as at first.
class OracleCase {
public:
    OracleCase(OracleServer& server, std::string file, const Json& recorded);
    Verdict run();

private:
    void run_setup();
    void run_request();
    void run_defaults();
    void run_patch();
    void run_step(const Json& step);
    void run_watch_step(const Json& step);
    void compare_answer(Json expected, Json actual, const std::string& path);
    void compare_events(const Json& step, Json actual);

    Json filled(Json json) const;  ///< with its templates replaced
    const Json* find_answer(std::string_view name, std::string_view path) const;

    OracleServer& server_;
    const std::string file_;
    const Json& recorded_;
    const Judged judged_;
    Matcher matcher_;
    std::map<std::string, Json> answers_;  ///< "s0", "r1", "last": bodies
    std::map<std::string, std::unique_ptr<OracleWatch>> watches_;
};

}  // namespace kin::test
