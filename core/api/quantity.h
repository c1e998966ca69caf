#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace kin {

/// An amount of a resource: "100m", "1.5", "1Gi", "2e3". Exact to a billionth; finer parts are
/// rounded up, and what is beyond 2^63 is cut to it, as in Kubernetes.
class Quantity {
public:
    static std::optional<Quantity> parse(std::string_view text);

    /// The form that the API stores: whole numbers with the largest fitting suffix.
    std::string to_string() const;
    int64_t value() const;        ///< Rounded up.
    int64_t milli_value() const;  ///< In thousandths, rounded up.
    bool is_integer() const;
    bool is_negative() const { return nanos_ < 0; }
    bool is_zero() const { return nanos_ == 0; }
    /// With thousandths as the finest part, as amounts of resources are stored.
    Quantity rounded_to_milli() const;

    std::strong_ordering operator<=>(const Quantity& other) const {
        return nanos_ <=> other.nanos_;
    }
    bool operator==(const Quantity& other) const { return nanos_ == other.nanos_; }

private:
    enum class Format { kDecimal, kBinary, kExponent };
    __extension__ using Int128 = __int128;

    Int128 nanos_ = 0;
    Format format_ = Format::kDecimal;
};

}  // namespace kin
