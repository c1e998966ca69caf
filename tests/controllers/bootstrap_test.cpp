#include "controllers/bootstrap.h"

#include <gtest/gtest.h>

#include <set>

#include "core/base/strings.h"

namespace kin::controllers {
namespace {

std::set<std::string> names(const std::vector<Json>& objects) {
    std::set<std::string> out;
    for (const Json& object : objects) {
        EXPECT_EQ(object.dump().find("kin/since"), std::string::npos) << object;
        out.insert(cat(string_at(object, {"kind"}), " ", string_at(object, {"metadata", "name"})));
    }
    return out;
}

TEST(FirstObjectsTest, AClusterOfTheFirstEditionGetsOnlyWhatCameLater) {
    const auto all = names(first_objects({}));
    EXPECT_TRUE(all.contains("Namespace kube-system"));
    EXPECT_TRUE(all.contains("IngressClass nginx"));
    const auto later = names(first_objects({}, 1));
    EXPECT_FALSE(later.contains("Namespace kube-system"));
    EXPECT_FALSE(later.contains("Deployment coredns"));
    EXPECT_TRUE(later.contains("Namespace ingress-nginx"));
    EXPECT_TRUE(later.contains("Deployment ingress-nginx-controller"));
    EXPECT_TRUE(later.contains("IngressClass nginx"));
}

TEST(FirstObjectsTest, AClusterOfTheNewestEditionGetsNothing) {
    EXPECT_TRUE(first_objects({}, kFirstObjectsEdition).empty());
    EXPECT_FALSE(first_objects({}, kFirstObjectsEdition - 1).empty());
}

}  // namespace
}  // namespace kin::controllers
