#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/guarded.h"

namespace kin::web {

/// The secrets by which a browser is known. Thread-safe.
///
///   code    in the link that `kin ui` prints; opens the page once, within a quarter of an hour
///   cookie  what the browser got for a code; good for a day, signed with the lab's secret, so that
///           it outlives a restart of the lab but not `kin reset`
///   key     made from the cookie; the page's script keeps it where only its own origin, port
///           included, can read it, and sends it in a header. A cookie alone, which a browser shows
///           to every port of a host, is good for nothing
///   ticket  for one WebSocket, which cannot carry a header; within ten seconds
class Sessions {
public:
    using Clock = std::chrono::system_clock;
    static constexpr std::chrono::minutes kCodeLife{15};
    static constexpr std::chrono::hours kCookieLife{24};
    static constexpr std::chrono::seconds kTicketLife{10};

    /// `secret` is known to this lab only, and another one for each port that it listens at: what a
    /// page shows to somebody who listens at its port meanwhile opens no other; `now` is there for tests.
    explicit Sessions(std::string secret, Clock::time_point (*now)() = Clock::now)
        : secret_(std::move(secret)), now_(now) {}

    std::string new_code();
    /// A fresh cookie for a code that was good. It is not good a second time.
    std::optional<std::string> cookie_for(std::string_view code);
    bool is_cookie(std::string_view cookie) const;
    std::string key_of(std::string_view cookie) const;
    bool is_key(std::string_view cookie, std::string_view key) const;

    /// A ticket for whoever has this cookie.
    std::string new_ticket(std::string_view cookie);
    /// Whether it was good. It is not good a second time.
    bool use_ticket(std::string_view cookie, std::string_view ticket);

private:
    /// Of codes and tickets that nobody has used yet, so many are remembered: the oldest go.
    static constexpr size_t kMostWaiting = 64;
    struct OneShot {
        std::string word;
        Clock::time_point until;
    };
    using Waiting = std::deque<OneShot>;

    std::string add(Guarded<Waiting>& waiting, std::string word, Clock::duration life);
    bool take(Guarded<Waiting>& waiting, std::string_view word);
    std::string sign(std::string_view purpose, std::string_view text) const;

    const std::string secret_;
    Clock::time_point (*const now_)();
    Guarded<Waiting> codes_, tickets_;
};

}  // namespace kin::web
