#include "core/client/events.h"

#include <gtest/gtest.h>

#include "core/base/strings.h"

namespace kin {
namespace {

using std::chrono::seconds;

const WallTime kStart = *parse_rfc3339("2026-01-02T03:04:05Z");

EventNote a_note(std::string message = "it failed") {
    return {"Pod",     "v1",     {"shop", "web-0"},  "uid-1",   "spec.containers{web}",
            "Warning", "Failed", std::move(message), "kubelet", "node-1"};
}

TEST(EventCorrelatorTest, ANewNoteBecomesAnEventAsUpstreamsComponentsWriteIt) {
    EventCorrelator events;
    const auto write = events.correlate(a_note(), kStart);
    ASSERT_TRUE(write);
    EXPECT_TRUE(write->patch.is_null());
    EXPECT_EQ(write->key, (ObjectKey{"shop", "web-0.1886caf21c963200"}));
    EXPECT_EQ(write->event, parse_json(R"({"kind":"Event","apiVersion":"v1",
        "metadata":{"name":"web-0.1886caf21c963200","namespace":"shop"},
        "involvedObject":{"kind":"Pod","apiVersion":"v1","namespace":"shop","name":"web-0",
                          "uid":"uid-1","fieldPath":"spec.containers{web}"},
        "reason":"Failed","message":"it failed","type":"Warning","count":1,
        "source":{"component":"kubelet","host":"node-1"},
        "firstTimestamp":"2026-01-02T03:04:05Z","lastTimestamp":"2026-01-02T03:04:05Z",
        "eventTime":null,"reportingComponent":"kubelet","reportingInstance":"node-1"})")
                                .value());
}

TEST(EventCorrelatorTest, TheSameNoteAgainCountsUp) {
    EventCorrelator events;
    const auto first = events.correlate(a_note(), kStart);
    const auto second = events.correlate(a_note(), kStart + seconds(65));
    ASSERT_TRUE(first && second);
    EXPECT_EQ(second->key, first->key);
    EXPECT_EQ(
        second->patch,
        Json({{"count", 2}, {"lastTimestamp", "2026-01-02T03:05:10Z"}, {"message", "it failed"}}));
    EXPECT_EQ(second->event["firstTimestamp"], "2026-01-02T03:04:05Z");
    EXPECT_EQ(second->event["count"], 2);
}

TEST(EventCorrelatorTest, AnotherMessageIsAnotherEventWithAnotherName) {
    EventCorrelator events;
    const auto first = events.correlate(a_note("a"), kStart);
    const auto second = events.correlate(a_note("b"), kStart);
    ASSERT_TRUE(first && second);
    EXPECT_NE(second->key, first->key);
    EXPECT_TRUE(second->patch.is_null());
}

TEST(EventCorrelatorTest, TheTenthOfSimilarNotesAndAllLaterOnesAreCombined) {
    EventCorrelator events;
    for (int i = 1; i <= 9; ++i) {
        EXPECT_EQ(events.correlate(a_note(cat("try ", i)), kStart)->event["message"],
                  cat("try ", i));
    }
    const auto tenth = events.correlate(a_note("try 10"), kStart);
    EXPECT_TRUE(tenth->patch.is_null());
    EXPECT_EQ(tenth->event["message"], "(combined from similar events): try 10");
    const auto eleventh = events.correlate(a_note("try 11"), kStart);
    EXPECT_EQ(eleventh->key, tenth->key);
    EXPECT_EQ(eleventh->patch["count"], 2);
    EXPECT_EQ(eleventh->patch["message"], "(combined from similar events): try 11");
    // After ten quiet minutes each speaks for itself again.
    EXPECT_EQ(events.correlate(a_note("try 12"), kStart + seconds(601))->event["message"],
              "try 12");
}

TEST(EventCorrelatorTest, TwentyFiveAtOnceThenOneEveryFiveMinutes) {
    EventCorrelator events;
    int written = 0;
    for (int i = 0; i < 100; ++i) written += events.correlate(a_note(), kStart) ? 1 : 0;
    EXPECT_EQ(written, 25);
    EXPECT_FALSE(events.correlate(a_note(), kStart + seconds(299)));
    EXPECT_TRUE(events.correlate(a_note(), kStart + seconds(301)));
    // Other objects have a budget of their own.
    EventNote other = a_note();
    other.key.name = "web-1";
    EXPECT_TRUE(events.correlate(other, kStart));
}

TEST(EventCorrelatorTest, EventsOfObjectsWithoutNamespaceAreInDefault) {
    EventCorrelator events;
    EventNote note{"Node",    "v1",     {"", "node-1"}, "node-1",
                   "",        "Normal", "NodeReady",    "Node node-1 status is now: NodeReady",
                   "kubelet", "node-1"};
    const auto write = events.correlate(note, kStart);
    EXPECT_EQ(write->key.ns, "default");
    EXPECT_FALSE(write->event["involvedObject"].contains("namespace"));
}

}  // namespace
}  // namespace kin
