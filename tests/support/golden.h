#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace kin::test {

/// Passes if `actual` is what tests/golden/`name` holds. With KIN_UPDATE_GOLDEN=1 the file is
/// written instead, and the change is reviewed as a diff.
void expect_golden(std::string_view name, std::string_view actual);

/// The folder with the answers of a real API server, "" where this checkout stands alone: then a
/// test that needs it skips and says so.
std::string shared_folder();

}  // namespace kin::test
