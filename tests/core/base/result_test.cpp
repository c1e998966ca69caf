#include "core/base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace kin {

namespace {
Result<int> half(int number) {
    if (number % 2 != 0) return Error(Errc::kInvalid, "odd");
    return number / 2;
}
Result<int> quarter(int number) {
    TRY_ASSIGN(const int first, half(number).context("first half"));
    TRY_ASSIGN(const int second, half(first).context("second half"));
    return second;
}
Result<> check(int number) {
    TRY(quarter(number));
    return Ok{};
}
}  // namespace

TEST(ResultTest, ErrorsCarryTheirContext) {
    EXPECT_EQ(*quarter(8), 2);
    EXPECT_EQ(quarter(3).error().text(), "first half: odd");
    EXPECT_EQ(quarter(6).error().text(), "second half: odd");
    EXPECT_FALSE(check(6));
    EXPECT_TRUE(check(8));
}

TEST(ResultTest, ErrnoBecomesACodeAndWords) {
    const Error error = Error::from_errno("open", ENOENT);
    EXPECT_EQ(error.code(), Errc::kNotFound);
    EXPECT_EQ(error.text(), "open: No such file or directory");
    EXPECT_EQ(error.error_number(), ENOENT);
}

TEST(ResultTest, HoldsMoveOnlyValues) {
    Result<std::unique_ptr<int>> result(std::make_unique<int>(7));
    const std::unique_ptr<int> taken = *std::move(result);
    EXPECT_EQ(*taken, 7);
}

}  // namespace kin
