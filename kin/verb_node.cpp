#include <cstdio>

#include "core/base/json.h"
#include "core/base/strings.h"
#include "kin/lab_client.h"
#include "kin/options.h"

namespace kin {

namespace {
/// The name of the node in the lab's answer, or why there is none.
Result<std::string> changed_node(const std::string& lab, const std::string& method,
                                 const std::string& target) {
    TRY_ASSIGN(const LabPaths paths, lab_paths(lab));
    if (const auto running = find_running(paths); !running) {
        const bool gone = running.error().code() == Errc::kNotFound;
        return gone ? Error(Errc::kNotFound, not_running(lab)) : running.error();
    }
    TRY_ASSIGN(const LabAnswer answer, lab_request(paths, method, target, ""));
    const auto json = parse_json(answer.body);
    if (!json) return Error(Errc::kSystem, answer.body);
    if (answer.status / 100 == 2) return string_at(*json, {"name"});
    return Error(Errc::kInvalid, string_at(*json, {"message"}, answer.body));
}
}  // namespace

int add_node(const std::string& lab) {
    const auto name = changed_node(lab, "POST", "/kin/v1/nodes");
    if (!name) return fail(name.error().text());
    std::printf("\u2713 %s joined. Look inside: kin shell%s %s\n", name->c_str(),
                lab_words(lab).c_str(), name->c_str());
    return 0;
}

int remove_node(const std::string& lab, const std::string& node) {
    // A name goes into an address: it must not be another address.
    if (!is_label(node)) return fail(cat("there is no ", node));
    const auto name = changed_node(lab, "DELETE", "/kin/v1/nodes/" + node);
    if (!name) return fail(name.error().text());
    std::printf("\u2713 %s left\n", name->c_str());
    return 0;
}

}  // namespace kin
