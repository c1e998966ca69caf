#include <poll.h>

#include <algorithm>
#include <cstdio>

#include "core/base/strings.h"
#include "core/http/message.h"
#include "kin/lab.h"
#include "kin/lab_client.h"
#include "kin/options.h"

namespace kin {

namespace {
/// GET of the lab's door; the refusal's words are the Error.
Result<Json> ask(const std::string& lab, const std::string& target) {
    TRY_ASSIGN(const LabPaths paths, lab_paths(lab));
    TRY_ASSIGN(const LabAnswer answer, lab_request(paths, "GET", target, ""));
    TRY_ASSIGN(Json json, parse_json(answer.body));
    if (answer.status == 200) return json;
    return Error(Errc::kInvalid, string_at(json, {"message"}, answer.body));
}

std::string indented(const std::string& text) {
    std::string out;
    if (text.empty()) return out;
    for (const std::string_view line : split(text, '\n')) out += cat("  ", line, '\n');
    return out;
}
}  // namespace

int check(const std::string& lab, const CheckOptions& options) {
    const auto json =
        ask(lab, cat("/kin/v1/check?namespace=", options.ns,
                     "&from=", http::percent_encode(options.from),
                     "&to=", http::percent_encode(options.to), "&protocol=", options.protocol));
    if (!json) return fail(json.error().text());
    const std::string meant = string_at(*json, {"meant"}), tried = string_at(*json, {"tried"});
    const std::string detail = string_at(*json, {"detail"});
    std::printf("%s\n  policies: %s\n  tried:    %s%s\n%s", string_at(*json, {"title"}).c_str(),
                meant == "nowhere" ? "nobody is behind it" : meant.c_str(), tried.c_str(),
                detail.empty() || detail == tried ? "" : cat(" (", detail, ')').c_str(),
                indented(string_at(*json, {"why"})).c_str());
    if (tried == "failed") {
        std::printf("it could not be tried\n");
        return 1;
    }
    if (!bool_at(*json, {"agrees"})) {
        std::printf("THE KERNEL DOES NOT DO WHAT THE POLICIES SAY\n");
        return 1;
    }
    if (options.expect.empty() || options.expect == meant) return 0;
    std::printf(
        "expected %s, but %s\n", options.expect.c_str(),
        meant == "nowhere" ? "nobody is behind it" : cat("the policies say ", meant).c_str());
    return 1;
}

namespace {
/// A pair's mark in the grid.
const char* mark_of(const Json& pair) {
    if (string_at(pair, {"tried"}) == "failed") return "?";
    if (!bool_at(pair, {"agrees"})) return "!";
    return string_at(pair, {"meant"}) == "allow" ? "." : "x";
}
}  // namespace

int matrix(const std::string& lab, const std::string& ns) {
    const auto json = ask(lab, cat("/kin/v1/matrix?namespace=", ns));
    if (!json) return fail(json.error().text());
    std::vector<std::string> to;
    size_t width = 4;
    const Json& pairs = array_at(*json, {"pairs"});
    if (pairs.empty()) return fail("there are no pods with addresses of their own");
    for (const Json& pair : pairs) {
        const std::string name = string_at(pair, {"to"});
        if (std::find(to.begin(), to.end(), name) == to.end()) to.push_back(name);
        width = std::max(width, string_at(pair, {"from"}).size());
    }
    std::printf("%-*s", static_cast<int>(width), "from");
    for (size_t i = 0; i < to.size(); ++i) std::printf(" %3zu", i + 1);
    std::printf("\n");
    size_t wrong = 0;
    for (size_t i = 0; i < pairs.size(); ++i) {
        const Json& pair = pairs[i];
        if (i % to.size() == 0)
            std::printf("%-*s", static_cast<int>(width), string_at(pair, {"from"}).c_str());
        wrong += bool_at(pair, {"agrees"}) ? 0 : 1;
        std::printf(" %3s", mark_of(pair));
        if (i % to.size() == to.size() - 1) std::printf("\n");
    }
    std::printf("\n");
    for (size_t i = 0; i < to.size(); ++i) {
        std::printf("%3zu  %s:%lld\n", i + 1, to[i].c_str(),
                    static_cast<long long>(int_at(pairs[i], {"port"})));
    }
    std::printf(
        "\n. allowed   x denied   ! the kernel does not do what the policies say   ? not tried\n");
    return wrong == 0 ? 0 : 1;
}

int flows(const std::string& lab, bool follow) {
    int64_t last = 0;
    for (bool first = true;; first = false) {
        const auto json = ask(lab, cat("/kin/v1/flows?after=", last));
        if (!json) return fail(json.error().text());
        const Json& drops = array_at(*json, {"dropped"});
        if (first && drops.empty() && !follow) std::printf("no policy has dropped a packet yet\n");
        for (const Json& drop : drops) {
            std::printf("%s\n", string_at(drop, {"text"}).c_str());
            last = int_at(drop, {"number"});
        }
        std::fflush(stdout);
        if (!follow) return 0;
        constexpr int kPause = 200;
        ::poll(nullptr, 0, kPause);
    }
}

}  // namespace kin
