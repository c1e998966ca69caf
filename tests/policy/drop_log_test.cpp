#include "policy/drop_log.h"

#include <gtest/gtest.h>

#include <random>

namespace kin::policy {

namespace {
/// An IPv4 packet from 10.244.1.2:40000 to 10.244.2.3:5432.
std::string ip_packet(uint8_t protocol, size_t options = 0, uint16_t fragment = 0) {
    std::string out(20 + options, '\0');
    out[0] = static_cast<char>(0x40 | (5 + options / 4));
    out[6] = static_cast<char>(fragment >> 8);
    out[7] = static_cast<char>(fragment);
    out[9] = static_cast<char>(protocol);
    const char addresses[] = {10, static_cast<char>(244), 1, 2, 10, static_cast<char>(244), 2, 3};
    out.replace(12, 8, addresses, 8);
    return out + std::string("\x9c\x40\x15\x38", 4);
}

Drop drop_at(int second, uint16_t source_port) {
    Drop out;
    out.time = WallTime{} + std::chrono::seconds(second);
    out.node = "node-1";
    out.dropped.packet.port = 80;
    out.dropped.source_port = source_port;
    return out;
}
}  // namespace

TEST(PolicyDropLogTest, APacketIsReadWhateverOptionsItHas) {
    for (const size_t options : {0, 4, 40}) {
        const auto read = read_packet(ip_packet(6, options));
        ASSERT_TRUE(read);
        EXPECT_EQ(read->packet.source, *Ipv4::parse("10.244.1.2"));
        EXPECT_EQ(read->packet.destination, *Ipv4::parse("10.244.2.3"));
        EXPECT_EQ(read->packet.l4, nft::L4::kTcp);
        EXPECT_EQ(read->packet.port, 5432);
        EXPECT_EQ(read->source_port, 40000);
    }
    EXPECT_EQ(read_packet(ip_packet(1))->packet.l4, nft::L4::kIcmp);
}

TEST(PolicyDropLogTest, AProbeIsKnownByItsCodePointWhateverSaysOfCongestion) {
    std::string packet = ip_packet(6);
    EXPECT_FALSE(read_packet(packet)->probe);
    for (const int congestion : {0, 1, 2, 3}) {
        packet[1] = static_cast<char>(kProbeTos | congestion);
        EXPECT_TRUE(read_packet(packet)->probe);
    }
}

TEST(PolicyDropLogTest, WhatIsCutShortOrForeignIsNotRead) {
    const std::string whole = ip_packet(6);
    for (size_t size = 0; size < whole.size(); ++size)
        EXPECT_FALSE(read_packet(std::string_view(whole).substr(0, size))) << size;
    EXPECT_FALSE(read_packet(ip_packet(47)));
    EXPECT_FALSE(read_packet(ip_packet(6, 0, 100)));  // A later fragment.
    EXPECT_FALSE(read_packet("\x60" + std::string(60, '\0')));
}

TEST(PolicyDropLogTest, AnyBytesAreReadSafely) {
    std::mt19937 random(1);
    for (int round = 0; round < 20'000; ++round) {
        std::string bytes(random() % 64, '\0');
        for (char& byte : bytes) byte = static_cast<char>(random());
        (void)read_packet(bytes);
    }
}

TEST(PolicyDropLogTest, ARepeatedAttemptCountsUpItsEntry) {
    DropHistory history;
    EXPECT_TRUE(history.add(drop_at(0, 1)));
    EXPECT_FALSE(history.add(drop_at(1, 1)));
    EXPECT_FALSE(history.add(drop_at(3, 1)));
    EXPECT_TRUE(history.add(drop_at(3, 2)));
    EXPECT_TRUE(history.add(drop_at(60, 1)));
    const auto drops = history.after(0);
    ASSERT_EQ(drops.size(), 3U);
    EXPECT_EQ(drops[0].packets, 3U);
    EXPECT_EQ(history.after(drops[0].number).size(), 2U);
}

TEST(PolicyDropLogTest, ARepetitionIsAChangeOfItsEntry) {
    DropHistory history;
    history.add(drop_at(0, 1));
    history.add(drop_at(0, 2));
    EXPECT_EQ(history.changed_after(0).size(), 2U);
    EXPECT_TRUE(history.changed_after(2).empty());
    history.add(drop_at(1, 1));
    const auto changed = history.changed_after(2);
    ASSERT_EQ(changed.size(), 1U);
    EXPECT_EQ(changed[0].number, 1U);
    EXPECT_EQ(changed[0].packets, 2U);
    EXPECT_EQ(changed[0].change, 3U);
}

TEST(PolicyDropLogTest, TheOldestAreForgotten) {
    DropHistory history;
    for (size_t i = 0; i < DropHistory::kMost + 10; ++i)
        history.add(drop_at(static_cast<int>(i) * 100, 1));
    EXPECT_EQ(history.after(0).size(), DropHistory::kMost);
    EXPECT_EQ(history.after(0).front().number, 11U);
}

}  // namespace kin::policy
