#include "netns/init/protocol.h"

#include <gtest/gtest.h>

namespace kin::netns {
namespace {

ContainerSpec full_spec() {
    ContainerSpec spec;
    spec.process.argv = {"sh", "-c", "echo hello"};
    spec.process.env = {"A=1", ""};
    spec.process.cwd = "/work";
    spec.process.uid = 1000;
    spec.process.groups = {4, 5};
    spec.process.tty = true;
    spec.process.stdout_fd = 42;
    spec.flavour = RootFlavour::kBusybox;
    spec.directories = {"/usr/share/nginx/html"};
    spec.mounts = {{"/on/the/server", "/data", true}};
    spec.files = {{"/etc/hosts", std::string(100000, 'x'), 0600}};
    spec.root_views = {"/host"};
    spec.read_only_root = true;
    return spec;
}

TEST(ProtocolTest, AContainerComesOutAsItWentIn) {
    const auto spec = decode_container(encode(full_spec()));
    ASSERT_TRUE(spec.has_value());
    EXPECT_EQ(spec->process.argv, full_spec().process.argv);
    EXPECT_EQ(spec->process.env, full_spec().process.env);
    EXPECT_EQ(spec->process.cwd, "/work");
    EXPECT_EQ(spec->process.uid, 1000u);
    EXPECT_EQ(spec->process.groups, full_spec().process.groups);
    EXPECT_TRUE(spec->process.tty);
    EXPECT_EQ(spec->flavour, RootFlavour::kBusybox);
    EXPECT_EQ(spec->directories, full_spec().directories);
    ASSERT_EQ(spec->mounts.size(), 1u);
    EXPECT_EQ(spec->mounts[0].target, "/data");
    EXPECT_TRUE(spec->mounts[0].read_only);
    EXPECT_EQ(spec->root_views, full_spec().root_views);
    ASSERT_EQ(spec->files.size(), 1u);
    EXPECT_EQ(spec->files[0].content.size(), 100000u);
    EXPECT_EQ(spec->files[0].mode, 0600u);
    EXPECT_TRUE(spec->read_only_root);
}

TEST(ProtocolTest, OnlyThePresenceOfStdioTravelsInTheText) {
    const auto spec = decode_container(encode(full_spec()));
    ASSERT_TRUE(spec.has_value());
    EXPECT_EQ(spec->process.stdin_fd, -1);
    EXPECT_EQ(spec->process.stdout_fd, 0);
}

TEST(ProtocolTest, EveryTruncationIsRefused) {
    ContainerSpec small = full_spec();
    small.files[0].content = "x";
    const std::string bytes = encode(small);
    for (size_t length = 0; length < bytes.size(); ++length) {
        EXPECT_FALSE(decode_container(std::string_view(bytes).substr(0, length)).has_value());
    }
    EXPECT_FALSE(decode_container(bytes + "x").has_value());
}

TEST(ProtocolTest, CapabilitiesThatLeadOutAreUnknown) {
    EXPECT_EQ(capability_bit("NET_ADMIN"), capability_bit("CAP_NET_ADMIN"));
    EXPECT_NE(capability_bit("NET_ADMIN"), 0u);
    EXPECT_EQ(capability_bit("SYS_ADMIN"), 0u);
    EXPECT_EQ(capability_bit("SYS_MODULE"), 0u);
    EXPECT_EQ(capability_bit("NONSENSE"), 0u);
}

}  // namespace
}  // namespace kin::netns
