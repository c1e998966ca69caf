#include "netns/images/redis_protocol.h"

#include <gtest/gtest.h>

namespace kin::images::redis {
namespace {

using State = Command::State;

TEST(RedisProtocolTest, ReadsWhatClientLibrariesSend) {
    const std::string bytes = array_of({"SET", "greeting", "hello world"});
    const Command command = parse_command(bytes + "*1\r\n");
    EXPECT_EQ(command.state, State::kCommand);
    EXPECT_EQ(command.words, (std::vector<std::string>{"SET", "greeting", "hello world"}));
    EXPECT_EQ(command.consumed, bytes.size());
}

TEST(RedisProtocolTest, ReadsWhatPeopleType) {
    const Command command = parse_command("PING  now\r\nGET a\r\n");
    EXPECT_EQ(command.words, (std::vector<std::string>{"PING", "now"}));
    EXPECT_EQ(command.consumed, 11U);
}

TEST(RedisProtocolTest, WaitsForTheWholeCommand) {
    const std::string bytes = array_of({"GET", "key"});
    for (size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_EQ(parse_command(bytes.substr(0, size)).state, State::kIncomplete) << size;
    }
}

TEST(RedisProtocolTest, RefusesSizesBeyondReason) {
    EXPECT_EQ(parse_command("*99999999\r\n").state, State::kInvalid);
    EXPECT_EQ(parse_command("*-1\r\n").state, State::kInvalid);
    EXPECT_EQ(parse_command("*1\r\n$99999999999\r\n").state, State::kInvalid);
    EXPECT_EQ(parse_command("*1\r\n:3\r\n").state, State::kInvalid);
}

TEST(RedisProtocolTest, KnowsWhereAReplyEnds) {
    EXPECT_EQ(reply_size("+OK\r\nmore"), 5U);
    EXPECT_EQ(reply_size("$5\r\nhel"), 0U);
    EXPECT_EQ(reply_size("$-1\r\n"), 5U);
    const std::string list = array_of({"a", "bb"});
    EXPECT_EQ(reply_size(list + "+OK\r\n"), list.size());
    EXPECT_EQ(reply_size(list.substr(0, list.size() - 1)), 0U);
}

TEST(RedisProtocolTest, ShowsRepliesAsTheClientDoes) {
    EXPECT_EQ(for_people(array_of({"a", "b"})), "a\nb\n");
    EXPECT_EQ(for_people(failure("ERR no")), "(error) ERR no\n");
    EXPECT_EQ(text_of(bulk("hello")), "hello");
    EXPECT_EQ(text_of(nothing()), "");
}

}  // namespace
}  // namespace kin::images::redis
