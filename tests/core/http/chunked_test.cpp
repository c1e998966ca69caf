#include "core/http/chunked.h"

#include <gtest/gtest.h>

namespace kin::http {
namespace {

using Step = ChunkedDecoder::Step;

TEST(ChunkedTest, ABodyComesOutWholeHoweverItIsCut) {
    const std::string sent =
        "5\r\nhello\r\n1;x=y\r\n \r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nNEXT";
    for (size_t piece = 1; piece <= sent.size(); ++piece) {
        ChunkedDecoder decoder;
        std::string body, received;
        Step step = Step::kMore;
        for (size_t at = 0; at < sent.size(); at += piece) {
            received += sent.substr(at, piece);
            if (step == Step::kMore) step = decoder.feed(received, body);
        }
        EXPECT_EQ(step, Step::kDone);
        EXPECT_EQ(body, "hello 0123456789");
        EXPECT_EQ(received, "NEXT") << "pieces of " << piece;
    }
}

TEST(ChunkedTest, WhatTwoReadersCouldReadDifferentlyIsBroken) {
    for (const std::string sent : {"5\nhello\r\n", "0x5\r\nhello\r\n", "+5\r\nhello\r\n", "-1\r\n",
                                   "\r\n", " 5\r\nhello\r\n", "5\r\nhelloX\r\n", "5\r\nhello\n",
                                   "g\r\n", "11111111111111111\r\n", "5\rx\r\nhello\r\n"}) {
        ChunkedDecoder decoder;
        std::string body, received = sent;
        EXPECT_EQ(decoder.feed(received, body), Step::kBroken) << sent;
    }
}

TEST(ChunkedTest, EndlessLinesAreBroken) {
    for (const std::string start : {"5;", "0\r\n"}) {
        ChunkedDecoder decoder;
        std::string body, received = start;
        Step step = Step::kMore;
        for (int i = 0; i < 20 && step == Step::kMore; ++i) {
            received += std::string(1000, 'x') + (start == "0\r\n" ? "\r\n" : "");
            step = decoder.feed(received, body);
        }
        EXPECT_EQ(step, Step::kBroken);
    }
}

TEST(ChunkedTest, ChunkHeadsAreHexadecimal) { EXPECT_EQ(chunk_head(31), "1f\r\n"); }

}  // namespace
}  // namespace kin::http
