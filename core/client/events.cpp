#include "core/client/events.h"

#include "core/base/strings.h"

namespace kin {
namespace {

constexpr size_t kRemembered = 4096;
constexpr double kBurst = 25;
constexpr double kTokensPerSecond = 1.0 / 300;
constexpr size_t kMaxSimilar = 10;
constexpr auto kSimilarWindow = std::chrono::seconds(600);

double seconds(WallTime::duration time) { return std::chrono::duration<double>(time).count(); }

/// "web-0.188f5a0b3c1d2e3f".
std::string event_name(const std::string& object, int64_t nanoseconds) {
    std::string digits;
    for (int shift = 60; shift >= 0; shift -= 4) {
        digits += "0123456789abcdef"[(nanoseconds >> shift) & 0xF];
    }
    return cat(object, '.', digits);
}

Json event_of(const EventNote& note, const ObjectKey& key, int64_t count, const std::string& first,
              const std::string& last) {
    Json involved{{"kind", note.kind}, {"apiVersion", note.api_version}, {"name", note.key.name}};
    if (!note.key.ns.empty()) involved["namespace"] = note.key.ns;
    if (!note.uid.empty()) involved["uid"] = note.uid;
    if (!note.field_path.empty()) involved["fieldPath"] = note.field_path;
    Json source{{"component", note.component}};
    if (!note.host.empty()) source["host"] = note.host;
    return {{"kind", "Event"},
            {"apiVersion", "v1"},
            {"metadata", {{"name", key.name}, {"namespace", key.ns}}},
            {"involvedObject", std::move(involved)},
            {"reason", note.reason},
            {"message", note.message},
            {"source", std::move(source)},
            {"firstTimestamp", first},
            {"lastTimestamp", last},
            {"count", count},
            {"type", note.type},
            {"eventTime", nullptr},
            {"reportingComponent", note.component},
            {"reportingInstance", note.host}};
}

}  // namespace

template <class T>
T& EventCorrelator::Recent<T>::operator[](const std::string& key) {
    const auto found = index_.find(key);
    if (found != index_.end()) {
        entries_.splice(entries_.begin(), entries_, found->second);
        return found->second->second;
    }
    if (entries_.size() == kRemembered) {
        index_.erase(entries_.back().first);
        entries_.pop_back();
    }
    entries_.emplace_front(key, T{});
    index_[key] = entries_.begin();
    return entries_.front().second;
}

std::optional<EventCorrelator::Write> EventCorrelator::correlate(EventNote note, WallTime now) {
    const char end = '\0';  // In none of the texts.
    const std::string source_and_object =
        cat(note.component, end, note.host, end, note.kind, end, note.key.ns, end, note.key.name,
            end, note.uid, end, note.api_version, end);
    if (!allowed(source_and_object, now)) return {};
    Known& known = known_[aggregate(note, source_and_object, now)];
    const bool is_new = known.count == 0;
    const std::string last = rfc3339(now);
    if (is_new) {
        // Events about objects without a namespace are kept in "default".
        const auto since_epoch = now.time_since_epoch();
        const auto clock =
            std::chrono::duration_cast<std::chrono::nanoseconds>(since_epoch).count();
        last_name_ = std::max<int64_t>(last_name_ + 1, clock);  // No name twice.
        known.key = {note.key.ns.empty() ? "default" : note.key.ns,
                     event_name(note.key.name, last_name_)};
        known.first = last;
    }
    ++known.count;
    Write write{known.key, event_of(note, known.key, known.count, known.first, last), nullptr};
    if (!is_new) {
        write.patch = {{"count", known.count}, {"lastTimestamp", last}, {"message", note.message}};
    }
    return write;
}

bool EventCorrelator::allowed(const std::string& source_and_object, WallTime now) {
    Budget& budget = budgets_[source_and_object];
    if (budget.refilled != WallTime{}) {
        const double earned = seconds(now - budget.refilled) * kTokensPerSecond;
        budget.tokens = std::min(kBurst, budget.tokens + std::max(0.0, earned));
    }
    budget.refilled = now;
    if (budget.tokens < 1) return false;
    budget.tokens -= 1;
    return true;
}

std::string EventCorrelator::aggregate(EventNote& note, const std::string& source_and_object,
                                       WallTime now) {
    const char end = '\0';
    const std::string alike = cat(source_and_object, note.type, end, note.reason, end);
    Similar& similar = similar_[alike];
    if (now - similar.last > kSimilarWindow) similar.messages.clear();
    similar.last = now;
    similar.messages.insert(note.message);
    if (similar.messages.size() < kMaxSimilar)
        return cat(alike, note.field_path, end, note.message);
    similar.messages.erase(note.message);
    note.message = cat("(combined from similar events): ", note.message);
    return alike;
}

}  // namespace kin
