#include "netns/pod/grpc_health.h"

#include <gtest/gtest.h>

#include "core/base/strings.h"

namespace kin::netns {
namespace {

using State = GrpcHealth::State;

std::string frame(char type, char flags, char stream, const std::string& payload) {
    std::string out(2, '\0');
    out += static_cast<char>(payload.size());
    out += type;
    out += flags;
    out += std::string(3, '\0');
    out += stream;
    return out + payload;
}
const std::string kSettings = frame(4, 0, 0, "");
std::string message(const std::string& protobuf) {
    return std::string(4, '\0') + static_cast<char>(protobuf.size()) + protobuf;
}

TEST(GrpcHealthTest, TheQuestionIsOneStreamWithTheServiceInIt) {
    const std::string question = grpc_health_question("shop", "10.244.1.2:50051");
    EXPECT_TRUE(question.starts_with("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
    EXPECT_NE(question.find("/grpc.health.v1.Health/Check"), std::string::npos);
    EXPECT_TRUE(question.ends_with("\x06\x0a\x04shop"));
}

TEST(GrpcHealthTest, OnlyServingIsWell) {
    const auto answer = [](const std::string& protobuf) {
        return read_grpc_health(kSettings + frame(1, 4, 1, "\x88") +
                                frame(0, 0, 1, message(protobuf)));
    };
    EXPECT_EQ(answer("\x08\x01").state, State::kServing);
    EXPECT_EQ(answer("\x08\x02").state, State::kNotServing);
    EXPECT_EQ(answer("\x08\x02").status, "NOT_SERVING");
    EXPECT_EQ(answer("").status, "UNKNOWN");
}

TEST(GrpcHealthTest, AnAnswerInPiecesIsWaitedFor) {
    const std::string whole =
        kSettings + frame(1, 4, 1, "\x88") + frame(0, 0, 1, message("\x08\x01"));
    for (size_t size = 0; size < whole.size(); ++size) {
        EXPECT_EQ(read_grpc_health(std::string_view(whole).substr(0, size)).state,
                  State::kIncomplete)
            << size;
    }
}

TEST(GrpcHealthTest, AStreamThatEndsWithoutAMessageIsNoAnswer) {
    EXPECT_EQ(read_grpc_health(kSettings + frame(1, 5, 1, "\x88")).state, State::kNoAnswer);
    EXPECT_EQ(read_grpc_health(kSettings + frame(3, 0, 1, "1234")).state, State::kNoAnswer);
    EXPECT_EQ(read_grpc_health("HTTP/1.1 400 Bad Request\r\n\r\n").state, State::kNoAnswer);
}

}  // namespace
}  // namespace kin::netns
