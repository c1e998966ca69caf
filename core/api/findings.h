#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/api/name_rules.h"
#include "core/api/status.h"

namespace kin {

/// Where a value stands in an object: "spec.ports[0].port". A chain of steps on the stack: each
/// step points to the one before, which must outlive it, and text is made only for a complaint.
/// A step from a temporary takes its text instead, so that `a.child("b").child("c")` can be kept.
class FieldPath {
public:
    explicit FieldPath(std::string_view name) : name_(name) {}

    FieldPath child(std::string_view name) const& { return {this, "", name, kChild, 0}; }
    FieldPath index(size_t index) const& { return {this, "", "", kIndex, index}; }
    FieldPath key(std::string_view key) const& { return {this, "", key, kKey, 0}; }
    FieldPath child(std::string_view name) && { return {nullptr, to_string(), name, kChild, 0}; }
    FieldPath index(size_t index) && { return {nullptr, to_string(), "", kIndex, index}; }
    FieldPath key(std::string_view key) && { return {nullptr, to_string(), key, kKey, 0}; }

    std::string to_string() const;

private:
    enum Step { kChild, kIndex, kKey };
    FieldPath(const FieldPath* parent, std::string before, std::string_view name, Step step,
              size_t index)
        : parent_(parent), before_(std::move(before)), name_(name), step_(step), index_(index) {}

    const FieldPath* parent_ = nullptr;
    std::string before_;  ///< The text of a parent that is gone.
    std::string_view name_;
    Step step_ = kChild;
    size_t index_ = 0;
};

/// Collects what is wrong with an object.
class Findings {
public:
    void required(const FieldPath& path, std::string_view detail = "");
    void invalid(const FieldPath& path, const Json& value, std::string_view detail);
    /// One "Invalid value" for each complaint.
    void invalid(const FieldPath& path, const Json& value, const Complaints& complaints);
    void not_supported(const FieldPath& path, const Json& value,
                       const std::vector<std::string>& supported);
    void forbidden(const FieldPath& path, std::string_view detail);
    void duplicate(const FieldPath& path, const Json& value);
    void not_found(const FieldPath& path, const Json& value);
    void too_long(const FieldPath& path, size_t limit);
    void too_many(const FieldPath& path, size_t actual, size_t limit);

    /// Complains about a number below 0.
    void check_not_negative(const FieldPath& path, const Json* value);
    /// Complains about a text that is not in `allowed`; "" is no text.
    void check_one_of(const FieldPath& path, std::string_view text,
                      const std::vector<std::string>& allowed);
    /// Required, then one of `allowed`.
    void check_required_one_of(const FieldPath& path, std::string_view text,
                               const std::vector<std::string>& allowed);
    /// Complains if the values differ (either may be missing).
    void check_immutable(const FieldPath& path, const Json* value, const Json* old);

    std::vector<Cause> take() { return std::move(causes_); }
    size_t count() const { return causes_.size(); }

private:
    std::vector<Cause> causes_;
};

/// True if both are missing or equal.
bool same_value(const Json* a, const Json* b);

}  // namespace kin
