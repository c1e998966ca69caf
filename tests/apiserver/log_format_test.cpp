#include "apiserver/log_format.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include "apiserver/log_stream.h"
#include "core/base/strings.h"

namespace kin::apiserver {
namespace {

const std::string kLog =
    "2026-01-02T03:04:05.000000001Z stdout F one\n"
    "2026-01-02T03:04:06.000000002Z stderr P two \n"
    "2026-01-02T03:04:07.000000003Z stderr F halves\n"
    "2026-01-02T03:04:08.000000004Z stdout F \n"
    "2026-01-02T03:04:09.000000005Z stdout F four\n";

std::string formatted(const LogOptions& options, const std::string& log = kLog) {
    return LogFormatter(options).feed(log);
}

TEST(LogFormatTest, PiecesBecomeLinesAgain) {
    EXPECT_EQ(formatted({}), "one\ntwo halves\n\nfour\n");
}

TEST(LogFormatTest, ALineMayArriveInAnyPieces) {
    LogFormatter formatter{LogOptions()};
    std::string out;
    for (const char c : kLog) out += formatter.feed({&c, 1});
    EXPECT_EQ(out, "one\ntwo halves\n\nfour\n");
}

TEST(LogFormatTest, TimestampsStandOncePerLine) {
    LogOptions options;
    options.timestamps = true;
    EXPECT_EQ(formatted(options),
              "2026-01-02T03:04:05.000000001Z one\n"
              "2026-01-02T03:04:06.000000002Z two halves\n"
              "2026-01-02T03:04:08.000000004Z \n"
              "2026-01-02T03:04:09.000000005Z four\n");
}

TEST(LogFormatTest, SinceLeavesOutWhatIsOlder) {
    LogOptions options;
    options.since = parse_rfc3339("2026-01-02T03:04:08Z");
    EXPECT_EQ(formatted(options), "\nfour\n");
}

TEST(LogFormatTest, TheLimitOfBytesIsExact) {
    LogOptions options;
    options.limit_bytes = 6;
    LogFormatter formatter(options);
    EXPECT_EQ(formatter.feed(kLog), "one\ntw");
    EXPECT_TRUE(formatter.full());
    EXPECT_EQ(formatter.feed(kLog), "");
}

TEST(LogFormatTest, TheTailCountsLinesNotPieces) {
    const std::vector<std::string> expected = {"",
                                               "four\n",
                                               "\nfour\n",
                                               "two halves\n\nfour\n",
                                               "one\ntwo halves\n\nfour\n",
                                               "one\ntwo halves\n\nfour\n"};
    for (size_t lines = 0; lines < expected.size(); ++lines) {
        const size_t offset = tail_offset(kLog, static_cast<int64_t>(lines));
        EXPECT_EQ(formatted({}, kLog.substr(offset)), expected[lines]) << lines;
    }
    EXPECT_EQ(tail_offset("", 3), 0u);
}

TEST(LogFormatTest, TheTailOfALongFileIsFound) {
    std::string log;
    for (int i = 0; i < 20'000; ++i) log += cat("2026-01-02T03:04:05Z stdout F line ", i, '\n');
    const UniqueFd file(::memfd_create("log", MFD_CLOEXEC));
    ASSERT_EQ(::write(file.get(), log.data(), log.size()), static_cast<ssize_t>(log.size()));
    for (const int64_t lines : {0, 1, 10, 5'000, 19'999, 20'000, 30'000}) {
        const std::string tail = formatted({}, log.substr(find_tail(file.get(), lines)));
        EXPECT_EQ(std::count(tail.begin(), tail.end(), '\n'), std::min<int64_t>(lines, 20'000));
    }
}

TEST(LogFormatTest, QueriesAreReadAndRefusedAsKubernetesDoes) {
    const WallTime now = *parse_rfc3339("2026-01-02T03:04:05Z");
    const auto parse = [&](const char* text) {
        return parse_log_options(*http::Query::parse(text), "web", now);
    };
    const auto good = parse("follow=true&timestamps=1&tailLines=5&limitBytes=9&sinceSeconds=60");
    ASSERT_TRUE(good);
    EXPECT_TRUE(good->follow && good->timestamps && !good->previous);
    EXPECT_EQ(good->tail_lines, 5);
    EXPECT_EQ(good->limit_bytes, 9);
    EXPECT_EQ(good->since, now - std::chrono::seconds(60));
    EXPECT_EQ(parse("tailLines=x").error().code, 400);
    EXPECT_EQ(parse("tailLines=-1").error().code, 422);
    EXPECT_EQ(parse("limitBytes=0").error().code, 422);
    EXPECT_EQ(parse("sinceSeconds=1&sinceTime=2026-01-02T03:04:05Z").error().code, 422);
}

}  // namespace
}  // namespace kin::apiserver
