#include "core/api/findings.h"

#include <algorithm>

#include "core/base/strings.h"

namespace kin {

std::string FieldPath::to_string() const {
    std::string out = parent_ ? parent_->to_string() : before_;
    switch (step_) {
        case kChild:
            return out.empty() ? std::string(name_) : cat(out, '.', name_);
        case kIndex:
            return cat(out, '[', index_, ']');
        case kKey:
            return cat(out, '[', name_, ']');
    }
    return out;
}

void Findings::required(const FieldPath& path, std::string_view detail) {
    causes_.push_back(field_required(path.to_string(), detail));
}

void Findings::invalid(const FieldPath& path, const Json& value, std::string_view detail) {
    causes_.push_back(field_invalid(path.to_string(), value, detail));
}

void Findings::invalid(const FieldPath& path, const Json& value, const Complaints& complaints) {
    for (const std::string& complaint : complaints) invalid(path, value, complaint);
}

void Findings::not_supported(const FieldPath& path, const Json& value,
                             const std::vector<std::string>& supported) {
    causes_.push_back(field_not_supported(path.to_string(), value, supported));
}

void Findings::forbidden(const FieldPath& path, std::string_view detail) {
    causes_.push_back(field_forbidden(path.to_string(), detail));
}

void Findings::duplicate(const FieldPath& path, const Json& value) {
    causes_.push_back(field_duplicate(path.to_string(), value));
}

void Findings::not_found(const FieldPath& path, const Json& value) {
    causes_.push_back(field_not_found(path.to_string(), value));
}

void Findings::too_long(const FieldPath& path, size_t limit) {
    causes_.push_back(field_too_long(path.to_string(), limit));
}

void Findings::too_many(const FieldPath& path, size_t actual, size_t limit) {
    causes_.push_back(field_too_many(path.to_string(), actual, limit));
}

void Findings::check_not_negative(const FieldPath& path, const Json* value) {
    if (value && value->is_number() && value->get<double>() < 0)
        invalid(path, *value, "must be greater than or equal to 0");
}

void Findings::check_one_of(const FieldPath& path, std::string_view text,
                            const std::vector<std::string>& allowed) {
    if (text.empty()) return;
    if (std::find(allowed.begin(), allowed.end(), text) == allowed.end())
        not_supported(path, text, allowed);
}

void Findings::check_required_one_of(const FieldPath& path, std::string_view text,
                                     const std::vector<std::string>& allowed) {
    if (text.empty()) return required(path);
    check_one_of(path, text, allowed);
}

void Findings::check_immutable(const FieldPath& path, const Json* value, const Json* old) {
    if (!same_value(value, old)) invalid(path, value ? *value : Json(), "field is immutable");
}

bool same_value(const Json* a, const Json* b) { return a && b ? *a == *b : a == b; }

}  // namespace kin
