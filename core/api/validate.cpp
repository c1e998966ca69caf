#include "core/api/validate.h"

#include <array>

namespace kin {

std::vector<Cause> validate(const Kind& kind, const Json& object, const Json* old) {
    Findings out;
    validate_metadata(kind, object, old, out);
    std::vector<Cause> causes = out.take();
    for (Cause& cause : validate_kind(kind, object, old)) causes.push_back(std::move(cause));
    return causes;
}

std::vector<Cause> validate_status(const Kind& kind, const Json& object, const Json& old) {
    Findings out;
    validate_metadata(kind, object, &old, out);
    return out.take();
}

std::vector<std::string> warnings_for(const Kind& kind, const Json&, const Json*) {
    std::vector<std::string> out;
    if (!kind.stored_only_warning.empty()) out.emplace_back(kind.stored_only_warning);
    return out;
}

}  // namespace kin
