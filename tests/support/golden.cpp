#include "tests/support/golden.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace kin::test {

void expect_golden(std::string_view name, std::string_view actual) {
    const std::filesystem::path path = std::filesystem::path("tests/golden") / name;
    if (std::getenv("KIN_UPDATE_GOLDEN")) {
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary) << actual;
        return;
    }
    std::ifstream file(path, std::ios::binary);
    ASSERT_TRUE(file.is_open()) << path << " is missing; KIN_UPDATE_GOLDEN=1 writes it";
    std::stringstream expected;
    expected << file.rdbuf();
    EXPECT_EQ(expected.str(), actual) << "differs from " << path;
}

std::string shared_folder() {
    if (const char* named = std::getenv("KIN_SHARED")) return named;
    for (const char* beside : {"../shared", "../../shared", "../../../shared"}) {
        if (std::filesystem::is_directory(std::filesystem::path(beside) / "oracle")) return beside;
    }
    return {};
}

}  // namespace kin::test
