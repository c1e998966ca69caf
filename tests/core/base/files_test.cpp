#include "core/base/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

namespace kin {
namespace {

TEST(FilesTest, DirectoriesAreMadeWithTheirParentsAndMayBeThere) {
    char folder[] = "/tmp/kin-files.XXXXXX";
    ASSERT_NE(::mkdtemp(folder), nullptr);
    const std::string deep = std::string(folder) + "/a/b";
    for (int turn = 0; turn < 2; ++turn) ASSERT_TRUE(make_directories(deep, 0700));
    struct stat found {};
    ASSERT_EQ(::stat(deep.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 07777, 0700u);
    EXPECT_EQ(read_file(deep).error().code(), Errc::kSystem);
    EXPECT_EQ(read_file(deep + "/none").error().code(), Errc::kNotFound);
    EXPECT_TRUE(make_directories("/proc/self", 0700));
    EXPECT_FALSE(make_directories("/proc/self/none", 0700));
    std::filesystem::remove_all(folder);
}

TEST(FilesTest, AFileOfNoKnownSizeIsReadWhole) {
    EXPECT_NE(read_file("/proc/self/status")->find("Pid:"), std::string::npos);
}

}  // namespace
}  // namespace kin
