#include "core/api/status.h"

#include <gtest/gtest.h>

#include "core/api/kinds.h"

namespace kin {
namespace {

const Kind& deployments() { return *find_resource("deployments.apps"); }
const Kind& pods() { return *find_resource("pods"); }

TEST(StatusTest, InvalidNamesTheKindAndEveryField) {
    const Status one = invalid(deployments(), "web", {field_required("spec.selector")});
    EXPECT_EQ(one.message, "Deployment.apps \"web\" is invalid: spec.selector: Required value");
    EXPECT_EQ(one.code, 422);
    EXPECT_EQ(one.kind, "Deployment");
    const Status two = invalid(pods(), "a", {field_required("x"), field_forbidden("y", "no")});
    EXPECT_EQ(two.message, "Pod \"a\" is invalid: [x: Required value, y: Forbidden: no]");
}

TEST(StatusTest, ResourceErrorsNameThePlural) {
    EXPECT_EQ(not_found(deployments(), "web").message, "deployments.apps \"web\" not found");
    EXPECT_EQ(not_found(deployments(), "web").to_json()["details"],
              (Json{{"name", "web"}, {"group", "apps"}, {"kind", "deployments"}}));
    EXPECT_EQ(conflict(pods(), "a", "late").message,
              "Operation cannot be fulfilled on pods \"a\": late");
    EXPECT_EQ(forbidden(pods(), "", "no").message, "pods is forbidden: no");
}

TEST(StatusTest, CausesQuoteTextsOnly) {
    EXPECT_EQ(field_invalid("p", 70000, "too big").message, "Invalid value: 70000: too big");
    EXPECT_EQ(field_invalid("p", "A", "lower").message, "Invalid value: \"A\": lower");
    EXPECT_EQ(field_not_supported("p", "x", {"A", "B"}).message,
              "Unsupported value: \"x\": supported values: \"A\", \"B\"");
    EXPECT_EQ(field_duplicate("p", "x").message, "Duplicate value: \"x\"");
}

TEST(StatusTest, LeavesEmptyDetailsOut) {
    const Json json = bad_request("no").to_json();
    EXPECT_FALSE(json.contains("details"));
    EXPECT_EQ(json["status"], "Failure");
    EXPECT_EQ(json["reason"], "BadRequest");
}

}  // namespace
}  // namespace kin
