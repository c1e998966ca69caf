#include "tests/bench/requests.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "core/base/strings.h"

namespace kin::bench {

void give_up(const std::string& why) {
    std::fprintf(stderr, "kin_bench: %s\n", why.c_str());
    std::exit(1);
}

Json send(const http::Client& api, const std::string& method, const std::string& target,
          const std::string& body, const char* type) {
    http::Headers headers;
    if (!body.empty()) headers.add("Content-Type", type);
    const auto answer = api.send(method, target, headers, body);
    if (!answer) give_up(answer.error().text());
    if (answer->status >= 300) give_up(cat(method, ' ', target, ": ", answer->body));
    auto json = parse_json(answer->body);
    return json ? std::move(*json) : Json();
}

void watch(const http::Client& api, const std::string& target,
           const std::function<bool(const std::string& type, const Json& object)>& done) {
    const Json list = send(api, "GET", target);
    for (const Json& item : array_at(list, {"items"})) {
        if (done("ADDED", item)) return;
    }
    std::string rest;
    bool ended = false;
    const auto on_bytes = [&](std::string_view bytes) {
        rest += bytes;
        for (size_t end; !ended && (end = rest.find('\n')) != std::string::npos;) {
            const auto event = parse_json(rest.substr(0, end));
            rest.erase(0, end + 1);
            ended = event && done(string_at(*event, {"type"}), object_at(*event, {"object"}));
        }
        return !ended;
    };
    const std::string from = string_at(list, {"metadata", "resourceVersion"});
    const auto answer = api.stream("GET",
                                   cat(target, target.find('?') == std::string::npos ? '?' : '&',
                                       "watch=1&resourceVersion=", from),
                                   {}, "", on_bytes);
    if (!ended) give_up(answer ? "the watch ended: " + answer->body : answer.error().text());
}

double quantile(std::vector<double> values, double part) {
    std::sort(values.begin(), values.end());
    return values[static_cast<size_t>(part * static_cast<double>(values.size() - 1))];
}

}  // namespace kin::bench
