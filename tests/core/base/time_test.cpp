#include "core/base/time.h"

#include <gtest/gtest.h>

namespace kin {

TEST(TimeTest, WritesAsKubernetesDoes) {
    const WallTime time(std::chrono::duration_cast<WallTime::duration>(
        std::chrono::nanoseconds(1'767'323'045'000'000'006)));
    EXPECT_EQ(rfc3339(time), "2026-01-02T03:04:05Z");
    EXPECT_EQ(rfc3339_micro(time), "2026-01-02T03:04:05.000000Z");
    EXPECT_EQ(rfc3339_nano(time), "2026-01-02T03:04:05.000000006Z");
}

TEST(TimeTest, ReadsFractionsAndOffsets) {
    EXPECT_EQ(rfc3339(*parse_rfc3339("2026-01-02T03:04:05Z")), "2026-01-02T03:04:05Z");
    EXPECT_EQ(rfc3339(*parse_rfc3339("2026-01-02T03:04:05.5+02:00")), "2026-01-02T01:04:05Z");
    for (const char* bad : {"", "2026-01-02", "2026-13-02T03:04:05Z", "2026-02-30T03:04:05Z",
                            "2026-01-02T25:04:05Z", "2026-01-02T03:04:05", "2026-01-02 03:04:05Z",
                            "2026-01-02T03:04:05.Z", "2026-01-02T03:04:05+2:00"}) {
        EXPECT_FALSE(parse_rfc3339(bad)) << bad;
    }
}

}  // namespace kin
