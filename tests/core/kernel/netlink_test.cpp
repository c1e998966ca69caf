#include "core/kernel/netlink.h"

#include <gtest/gtest.h>
#include <linux/rtnetlink.h>

#include "core/base/strings.h"
#include "core/kernel/nft_encode.h"
#include "tests/core/kernel/sample_table.h"

namespace kin::test {
namespace {

TEST(NetlinkRequestTest, NestedAttributesGetTheirLengthsAndPadding) {
    Request request(RTM_NEWLINK, 0);
    {
        const auto nest = request.nest(18);
        request.put(1, "abc");
        request.put_u8(2, 7);
    }
    request.put_be32(3, 0x01020304);
    EXPECT_EQ(hex(request.bytes().substr(sizeof(nlmsghdr))),
              "14001280"          // 20 bytes, type 18, nested
              "0800010061626300"  // "abc" and its zero
              "0500020007000000"  // one byte, padded
              "0800030001020304");
    EXPECT_EQ(reinterpret_cast<const nlmsghdr*>(request.bytes().data())->nlmsg_len,
              request.bytes().size());
}

TEST(NetlinkAttributesTest, BrokenLengthsEndTheWalk) {
    const std::string truncated("\x10\x00\x01\x00zz", 6);
    EXPECT_FALSE(Attributes(std::string_view(truncated)).has(1));
    const std::string tiny("\x02\x00\x01\x00", 4);
    EXPECT_FALSE(Attributes(std::string_view(tiny)).has(1));
    EXPECT_EQ(Attributes(std::string_view()).u32(1, 9), 9u);
}

TEST(NftKeyEncodingTest, KeyStandsInRegistersAsPacketsDo) {
    using namespace nft;
    const Fields fields{kDestinationAddress, kProtocol, kDestinationPort, random_mod(2)};
    const Key key(ip("10.96.0.10"), L4::kUdp, 53u, 1u);
    EXPECT_EQ(hex(encode_key(fields, key)),
              "0a60000a"
              "11000000"
              "00350000"
              "01000000");
    EXPECT_EQ(decode_key(fields, encode_key(fields, key)), key);
    EXPECT_EQ(hex(encode_key({kDestinationPort}, Key(443u))), "01bb");
    EXPECT_EQ(decode_key({kDestinationPort}, encode_key({kDestinationPort}, Key(443u))), Key(443u));
}

TEST(NftKeyEncodingTest, UserdataAreWhatNftSends) {
    using namespace nft;
    const SetShape shape{"e",
                         {kDestinationAddress, kProtocol, kDestinationPort, random_mod(2)},
                         Fields{kDestinationAddress, kDestinationPort},
                         {},
                         {},
                         ""};
    EXPECT_EQ(hex(set_userdata(shape)),
              "000400000000"
              "010400000000"
              "0360"
              "00040d000000"
              "0158"
              "0014"
              "000407000000"
              "010c"
              "00040c000000"
              "01040c000000"
              "010e"
              "000409000000"
              "0106"
              "000410000000"
              "0214"
              "000407000000"
              "010c"
              "00040b000000"
              "010402000000"
              "031a"
              "000417000000"
              "0112"
              "000401000000"
              "010402000000"
              "020400000000"
              "0434"
              "00040d000000"
              "012c"
              "0014"
              "000407000000"
              "010c"
              "00040c000000"
              "01040c000000"
              "0114"
              "000407000000"
              "010c"
              "00040b000000"
              "010402000000"
              "060400000000");
    EXPECT_EQ(layout_of(shape.key).type, 0x1cc344u);
}

}  // namespace
}  // namespace kin::test
