#include "controllers/event_expiry.h"

#include <gtest/gtest.h>

#include "core/registry/registry.h"
#include "tests/core/store/store_fixture.h"

namespace kin::test {
namespace {

using controllers::EventExpiry;

constexpr int kSettleMs = 20'000;

/// A store with one Event, and the controller over it.
class Lab {
public:
    explicit Lab(std::chrono::milliseconds life) {
        create("namespaces", {"", "default"}, {{"apiVersion", "v1"},
                                               {"kind", "Namespace"},
                                               {"metadata", {{"name", "default"}}}});
        create("events", kEvent,
               {{"apiVersion", "v1"},
                {"kind", "Event"},
                {"metadata", {{"name", "e"}, {"namespace", "default"}}},
                {"involvedObject", {{"kind", "Pod"}, {"name", "web"}, {"namespace", "default"}}}});
        loop_.call([&] { expiry_ = std::make_unique<EventExpiry>(client_, life); });
        KIN_ASSERT(client_.start().has_value());
    }
    ~Lab() {
        loop_.call([this] { expiry_.reset(); });
    }
    bool has_event() { return store_->find("events", kEvent) != nullptr; }
    /// Waits until the Event is gone, or nobody has anything to do any more.
    void settle() { EXPECT_TRUE(client_.settle(kSettleMs)); }

private:
    static inline const ObjectKey kEvent{"default", "e"};
    void create(std::string_view resource, const ObjectKey& key, const Json& object) {
        const auto made = blocking_write([&](WriteDone done) {
            registry_.create({find_resource(resource), key, ""}, object, {}, std::move(done));
        });
        KIN_ASSERT(made.has_value());
    }

    std::unique_ptr<Store> store_ = test::open_store();
    Registry registry_{*store_, Registry::Options{}};
    Loop loop_{"kin-control"};
    Client client_{registry_, loop_};
    std::unique_ptr<EventExpiry> expiry_;
};

TEST(EventExpiryTest, WhatIsOldGoesAndWhatIsNewStays) {
    Lab old(std::chrono::milliseconds(0));
    old.settle();
    EXPECT_FALSE(old.has_event());
    Lab fresh(std::chrono::hours(1));
    fresh.settle();
    EXPECT_TRUE(fresh.has_event());
}

TEST(EventExpiryTest, AnEventSaysWhenItWasLastWritten) {
    const auto last = [](const Json& json) { return rfc3339(EventExpiry::last_written(json)); };
    EXPECT_EQ(last({{"metadata", {{"creationTimestamp", "2026-01-01T10:00:00Z"}}}}),
              "2026-01-01T10:00:00Z");
    EXPECT_EQ(last({{"metadata", {{"creationTimestamp", "2026-01-01T10:00:00Z"}}},
                    {"lastTimestamp", "2026-01-01T11:00:00Z"},
                    {"eventTime", nullptr}}),
              "2026-01-01T11:00:00Z");
    EXPECT_EQ(last({{"eventTime", "2026-01-01T10:00:00.5Z"},
                    {"series", {{"lastObservedTime", "2026-01-01T12:00:00.000001Z"}}}}),
              "2026-01-01T12:00:00Z");
}

}  // namespace
}  // namespace kin::test
