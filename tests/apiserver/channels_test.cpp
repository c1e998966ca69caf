#include "apiserver/channels.h"

#include <gtest/gtest.h>

namespace kin::apiserver {
namespace {

using Kind = ChannelInput::Kind;

TEST(ChannelsTest, ByteZeroIsStdin) {
    const std::string message("\0hello", 6);
    const auto input = parse_channel_message(message, true);
    ASSERT_TRUE(input);
    EXPECT_EQ(input->kind, Kind::kStdin);
    EXPECT_EQ(input->bytes, "hello");
}

TEST(ChannelsTest, OnlyVersion5CanCloseStdin) {
    const std::string closes("\xff\0", 2);
    ASSERT_TRUE(parse_channel_message(closes, true));
    EXPECT_EQ(parse_channel_message(closes, true)->kind, Kind::kStdinEnd);
    EXPECT_FALSE(parse_channel_message(closes, false));
    EXPECT_FALSE(parse_channel_message("\xff\x01", true));
}

TEST(ChannelsTest, ByteFourIsTheTerminalsSize) {
    const auto input = parse_channel_message("\x04{\"Width\":100,\"Height\":30}\n", true);
    ASSERT_TRUE(input);
    EXPECT_EQ(input->kind, Kind::kResize);
    EXPECT_EQ(input->columns, 100);
    EXPECT_EQ(input->rows, 30);
    for (const char* bad : {"\x04", "\x04{}", "\x04{\"Width\":0,\"Height\":1}",
                            "\x04{\"Width\":65536,\"Height\":1}", "\x04nonsense", "\x04[1,2]"})
        EXPECT_FALSE(parse_channel_message(bad, true)) << bad;
}

TEST(ChannelsTest, OtherChannelsMeanNothing) {
    for (const std::string message : {"", "\x01x", "\x02x", "\x03x", "\x05x"})
        EXPECT_FALSE(parse_channel_message(message, true));
}

TEST(ChannelsTest, TheStatusCarriesTheExitCode) {
    EXPECT_EQ(to_text(exec_status({})), R"({"metadata":{},"status":"Success"})");
    const Json failed = exec_status({.code = 7, .message = "", .started = true});
    EXPECT_EQ(string_at(failed, {"reason"}), "NonZeroExitCode");
    EXPECT_EQ(to_text(failed["details"]), R"({"causes":[{"message":"7","reason":"ExitCode"}]})");
    const Json missing = exec_status({.code = 127, .message = "no such file", .started = false});
    EXPECT_EQ(string_at(missing, {"reason"}), "InternalError");
    EXPECT_NE(string_at(missing, {"message"}).find("no such file"), std::string::npos);
}

}  // namespace
}  // namespace kin::apiserver
