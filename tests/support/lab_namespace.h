#pragma once

#include <gtest/gtest.h>

#include <string>

#include "core/base/result.h"

namespace kin::test {

/// Puts this process into user, network and mount namespaces of its own, once; there it is root,
/// whoever started it. Fails where the machine does not let ordinary users make namespaces. Before
/// any thread is started.
Result<> enter_lab_namespace();

/// Runs a shell command in the calling thread's namespace: what it printed, errors included.
std::string shell(const std::string& command);

/// Ends the test with the error's text if `expression` is an error.
#define ASSERT_DONE(expression)                                               \
    do {                                                                      \
        const auto assert_done_result = (expression);                         \
        ASSERT_TRUE(assert_done_result) << assert_done_result.error().text(); \
    } while (false)

/// For SetUp() of lab tests.
#define KIN_REQUIRE_LAB()                                     \
    do {                                                      \
        auto kin_lab = kin::test::enter_lab_namespace();      \
        if (!kin_lab) GTEST_SKIP() << kin_lab.error().text(); \
    } while (false)

}  // namespace kin::test
