#include "controllers/event_expiry.h"

#include <algorithm>

namespace kin::controllers {

namespace {
constexpr std::string_view kEvents = "events";
/// Whoever is due within this time goes together.
constexpr std::chrono::seconds kTogether{1};
}  // namespace

EventExpiry::EventExpiry(Client& client, std::chrono::milliseconds life)
    : client_(client), life_(life) {
    client.watch_metadata(lifetime_.bind(
        [this](const Kind& kind, const Metadata* before, const Metadata* now) {
            if (kind.kind == "Event") see(now, now ? now->key : before->key);
        }));
    client.add_busy_check("event_expiry", lifetime_.bind([this] {
        return !oldest_first_.empty() &&
               oldest_first_.begin()->first + life_ <= std::chrono::system_clock::now();
    }));
}

WallTime EventExpiry::last_written(const Json& event) {
    const auto at = [&](JsonPath path) {
        return parse_rfc3339(string_at(event, path)).value_or(WallTime{});
    };
    return std::max({at({"lastTimestamp"}), at({"eventTime"}), at({"series", "lastObservedTime"}),
                     at({"metadata", "creationTimestamp"})});
}

void EventExpiry::see(const Metadata* now, const ObjectKey& key) {
    const auto known = written_.find(key);
    if (known != written_.end()) oldest_first_.erase({known->second, key});
    if (!now) {
        written_.erase(key);
        return;
    }
    // One that is repeated is looked at when it would have gone: it says when that was.
    if (known != written_.end()) return expect(key, known->second);
    expect(key, parse_rfc3339(now->created).value_or(std::chrono::system_clock::now()));
}

void EventExpiry::expect(const ObjectKey& key, WallTime written) {
    written_[key] = written;
    oldest_first_.insert({written, key});
    if (!due_.active()) wait();
}

void EventExpiry::remove_old() {
    const WallTime now = std::chrono::system_clock::now();
    while (!oldest_first_.empty() && oldest_first_.begin()->first + life_ <= now) {
        const ObjectKey key = oldest_first_.begin()->second;
        oldest_first_.erase(oldest_first_.begin());
        const auto event = client_.get(kEvents, key);
        const WallTime written = event ? last_written(*event) : WallTime{};
        if (written + life_ > now) {
            expect(key, written);
            continue;
        }
        written_.erase(key);
        if (event) client_.remove(kEvents, key);
    }
    wait();
}

void EventExpiry::wait() {
    due_ = Timer();
    if (oldest_first_.empty()) return;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        oldest_first_.begin()->first + life_ - std::chrono::system_clock::now());
    // What is overdue goes at once: as when a lab starts.
    const auto delay = left.count() > 0 ? left + kTogether : std::chrono::milliseconds(0);
    due_ = client_.loop().after(delay, lifetime_.bind([this] { remove_old(); }));
}

}  // namespace kin::controllers
