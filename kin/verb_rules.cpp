#include <cstdio>

#include "core/base/strings.h"
#include "kin/lab.h"
#include "kin/lab_client.h"
#include "kin/options.h"

namespace kin {

namespace {
/// "web" of "svc/web", "service/web", "services/web"; "" for what is no Service.
std::string service_name(const std::string& object) {
    for (const std::string_view kind : {"svc/", "service/", "services/"}) {
        if (object.starts_with(kind)) return object.substr(kind.size());
    }
    return {};
}
}  // namespace

int rules(const std::string& lab, const RulesOptions& options) {
    const auto paths = lab_paths(lab);
    if (!paths) return fail(paths.error().text());
    const std::string service = service_name(options.object);
    if (service.empty()) {
        return fail(cat("rules of what? Try: kin rules svc/NAME (got \"", options.object, "\")"));
    }
    const auto answer =
        lab_request(*paths, "GET",
                    cat("/kin/v1/rules?namespace=", options.ns, "&service=", service,
                        "&node=", options.node, "&form=", options.mode),
                    "");
    if (!answer) return fail(answer.error().text());
    if (answer->status != 200) {
        const auto said = parse_json(answer->body);
        return fail(said ? string_at(*said, {"message"}, answer->body) : answer->body);
    }
    std::fputs(answer->body.c_str(), stdout);
    return 0;
}

}  // namespace kin
