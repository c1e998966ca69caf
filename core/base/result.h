#pragma once

#include <cerrno>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>

#include "core/base/assert.h"

namespace kin {

/// What code branches on. Everything else about an error is text for people.
enum class Errc { kInvalid, kNotFound, kExists, kConflict, kGone, kDenied, kSystem };

/// Why something failed: a code to branch on and a sentence that ends in the cause's own words.
class Error {
public:
    Error(Errc code, std::string text) : code_(code), text_(std::move(text)) {}

    /// From errno, right after the call that failed. `what` names the call.
    static Error from_errno(std::string_view what) { return from_errno(what, errno); }
    static Error from_errno(std::string_view what, int error_number) {
        Error error(code_of(error_number),
                    std::string(what) + ": " + std::generic_category().message(error_number));
        error.error_number_ = error_number;
        return error;
    }

    Errc code() const { return code_; }
    const std::string& text() const { return text_; }
    /// The errno behind this error, 0 when there is none.
    int error_number() const { return error_number_; }

    /// The same error with "what I was doing: " in front. Each level adds it once.
    Error context(std::string_view doing) && {
        text_.insert(0, ": ").insert(0, doing);
        return std::move(*this);
    }

private:
    static Errc code_of(int error_number) {
        switch (error_number) {
            case ENOENT:
            case ESRCH:
            case ENODEV:
                return Errc::kNotFound;
            case EEXIST:
                return Errc::kExists;
            case EINVAL:
                return Errc::kInvalid;
            case EPERM:
            case EACCES:
                return Errc::kDenied;
            default:
                return Errc::kSystem;
        }
    }

    Errc code_;
    std::string text_;
    int error_number_ = 0;
};

/// The value of a call that has nothing to say but "done".
struct Ok {};

/// A T or the E that explains its absence. Has the names of std::expected, which libstdc++ 12
/// offers only in C++23 mode, so that a later move touches one file.
template <class T, class E>
class [[nodiscard]] Expected {
public:
    using value_type = T;
    using error_type = E;

    Expected(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Expected(E error) : state_(std::in_place_index<1>, std::move(error)) {}

    bool has_value() const { return state_.index() == 0; }
    explicit operator bool() const { return has_value(); }

    T& value() & {
        KIN_ASSERT(has_value());
        return std::get<0>(state_);
    }
    const T& value() const& {
        KIN_ASSERT(has_value());
        return std::get<0>(state_);
    }
    T&& value() && {
        KIN_ASSERT(has_value());
        return std::get<0>(std::move(state_));
    }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T&& operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }

    E& error() & {
        KIN_ASSERT(!has_value());
        return std::get<1>(state_);
    }
    const E& error() const& {
        KIN_ASSERT(!has_value());
        return std::get<1>(state_);
    }
    E&& error() && {
        KIN_ASSERT(!has_value());
        return std::get<1>(std::move(state_));
    }

    /// Adds "doing: " to the error's text; a value passes unchanged.
    Expected context(std::string_view doing) && {
        if (has_value()) return std::move(*this);
        return std::get<1>(std::move(state_)).context(doing);
    }

private:
    std::variant<T, E> state_;
};

template <class T = Ok>
using Result = Expected<T, Error>;

}  // namespace kin

#define KIN_CONCAT_2(a, b) a##b
#define KIN_CONCAT(a, b) KIN_CONCAT_2(a, b)

/// Returns the error of `expression` from the calling function, or goes on. A statement, not an
/// expression: g++ 12 leaks what a braced list already built when an expression inside returns.
#define TRY(expression)                                                              \
    do {                                                                             \
        auto kin_try_result = (expression);                                          \
        if (!kin_try_result) return std::move(kin_try_result).error();               \
    } while (false)

/// Declares `declaration` with the value of `expression`, or returns its error.
#define TRY_ASSIGN(declaration, expression)                                          \
    KIN_TRY_ASSIGN(KIN_CONCAT(kin_try_, __COUNTER__), declaration, expression)
#define KIN_TRY_ASSIGN(name, declaration, expression)                                \
    auto name = (expression);                                                        \
    if (!name) return std::move(name).error();                                       \
    declaration = std::move(name).value()
