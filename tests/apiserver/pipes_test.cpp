#include "apiserver/pipes.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <future>

namespace kin::apiserver {
namespace {

using std::chrono::milliseconds;
using Pieces = std::vector<std::string>;

/// What a reader takes of "a", and of "b" and "c", which are written in two turns of the loop once
/// "a" was taken.
Pieces pieces(milliseconds rest) {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    UniqueFd read(ends[0]);
    const UniqueFd write(ends[1]);
    Loop loop("kin-test");
    Pieces taken;
    std::promise<void> all;
    const auto put = [&](std::string_view bytes) {
        EXPECT_EQ(::write(write.get(), bytes.data(), bytes.size()), 1);
    };
    std::unique_ptr<PipeReader> reader;
    const auto take = [&](std::string_view bytes) {
        taken.emplace_back(bytes);
        if (bytes == "a") {
            loop.post([&] {
                put("b");
                loop.post([&] { put("c"); });
            });
        }
        if (bytes.ends_with('c')) all.set_value();
    };
    loop.call([&] { reader = std::make_unique<PipeReader>(loop, std::move(read), take, rest); });
    put("a");
    EXPECT_EQ(all.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
    loop.call([&] { reader.reset(); });
    return taken;
}

TEST(PipeReaderTest, WhatComesDuringARestComesTogether) {
    EXPECT_EQ(pieces(milliseconds(500)), (Pieces{"a", "bc"}));
}

TEST(PipeReaderTest, WithoutARestItComesAtOnce) {
    const Pieces taken = pieces({});
    EXPECT_EQ(taken.front(), "a");
    std::string all;
    for (const std::string& piece : taken) all += piece;
    EXPECT_EQ(all, "abc");
}

}  // namespace
}  // namespace kin::apiserver
