#include "apiserver/spdy_frames.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "core/base/strings.h"
#include "spdy_client.h"

namespace kin::apiserver::spdy {
namespace {

TEST(SpdyTest, TheDictionaryIsTheProtocolsOwn) {
    const std::string& words = dictionary();
    EXPECT_EQ(words.size(), 1423u);
    const auto* const bytes = reinterpret_cast<const Bytef*>(words.data());
    EXPECT_EQ(adler32(adler32(0, nullptr, 0), bytes, static_cast<uInt>(words.size())), 0xe3c6a7c2u);
}

TEST(SpdyTest, HeaderBlocksBeginAsOtherImplementationsBeginThem) {
    EXPECT_EQ(hex(HeaderPacker().pack({{"streamtype", "error"}}).substr(0, 6)), "78f9e3c6a7c2");
}

TEST(SpdyTest, StreamsAndBytesArriveHoweverTheyAreCut) {
    test::SpdyFrames client;
    std::string sent = client.open(1, {{"streamtype", "error"}, {"port", "80"}}, true);
    sent += client.open(3, {{"streamtype", "data"}, {"port", "80"}});
    sent += client.data(3, "hello", false) + client.ping(7) + client.data(3, "", true);
    for (size_t piece = 1; piece < sent.size(); piece += 3) {
        Decoder decoder;
        std::vector<Frame> frames;
        for (size_t at = 0; at < sent.size(); at += piece) {
            decoder.feed(std::string_view(sent).substr(at, piece));
            while (auto frame = decoder.next()) frames.push_back(std::move(*frame));
        }
        ASSERT_FALSE(decoder.broken());
        ASSERT_EQ(frames.size(), 5u);
        EXPECT_EQ(std::get<Opened>(frames[0]).headers.at("streamtype"), "error");
        EXPECT_TRUE(std::get<Opened>(frames[0]).ends);
        EXPECT_EQ(std::get<Opened>(frames[1]).headers.at("streamtype"), "data");
        EXPECT_EQ(std::get<Data>(frames[2]).bytes, "hello");
        EXPECT_EQ(std::get<Ping>(frames[3]).frame, client.ping(7));
        EXPECT_TRUE(std::get<Data>(frames[4]).ends);
    }
}

TEST(SpdyTest, WhatIsNotSpdyIsBroken) {
    for (const std::string& text :
         {std::string("GET / HTTP/1.1\r\nHost: kin\r\n\r\n"),
          std::string("\x80\x02\0\x01\0\0\0\0", 8), control_frame(1, 0, "short"),
          control_frame(1, 0, std::string(40, 'x'))}) {
        Decoder decoder;
        decoder.feed(text);
        while (decoder.next()) {
        }
        EXPECT_TRUE(decoder.broken()) << text;
    }
}

TEST(SpdyTest, HeadersThatInflateWithoutEndAreBroken) {
    test::SpdyFrames client;
    Decoder decoder;
    decoder.feed(client.open(1, {{"a", std::string(200'000, 'x')}}));
    EXPECT_FALSE(decoder.next());
    EXPECT_TRUE(decoder.broken());
}

TEST(SpdyTest, LargeDataIsCutIntoFrames) {
    const std::string frames = Encoder().data(5, std::string(0x1000000, 'x'), true);
    EXPECT_EQ(frames.size(), 0x1000000u + 16);
    EXPECT_EQ(hex(frames.substr(0, 8)), "0000000500ffffff");
    EXPECT_EQ(hex(frames.substr(8 + 0xffffff, 8)), "0000000501000001");
}

}  // namespace
}  // namespace kin::apiserver::spdy
