#include "controllers/claim_plan.h"

#include <gtest/gtest.h>

#include "tests/controllers/objects.h"

namespace kin::controllers {
namespace {

PersistentVolumeClaim claim(Json spec = Json::object()) {
    spec["accessModes"] = {"ReadWriteOnce"};
    spec["resources"] = {{"requests", {{"storage", "1Gi"}}}};
    return test::view<PersistentVolumeClaim>(
        {{"metadata", {{"name", "www"}, {"namespace", "shop"}, {"uid", "c1"}}},
         {"spec", std::move(spec)}});
}

PersistentVolume volume(const std::string& name, const std::string& size, Json claim_ref = Json()) {
    Json spec{{"accessModes", {"ReadWriteOnce", "ReadWriteMany"}},
              {"capacity", {{"storage", size}}},
              {"storageClassName", "manual"},
              {"persistentVolumeReclaimPolicy", "Retain"}};
    if (!claim_ref.is_null()) spec["claimRef"] = std::move(claim_ref);
    return test::view<PersistentVolume>(
        {{"metadata", {{"name", name}, {"uid", name}}}, {"spec", std::move(spec)}});
}

StorageClass standard() {
    return test::view<StorageClass>(
        {{"metadata",
          {{"name", "standard"},
           {"annotations", {{"storageclass.kubernetes.io/is-default-class", "true"}}}}},
         {"provisioner", "kin.local/directory"},
         {"reclaimPolicy", "Delete"}});
}

TEST(ClaimPlanTest, WithoutAClassItGetsTheDefaultOne) {
    const StorageClass the_class = standard();
    const ClaimPlan plan = plan_claim(claim(), {}, {&the_class});
    EXPECT_EQ(string_at(plan.claim_patch, {"spec", "storageClassName"}), "standard");
}

TEST(ClaimPlanTest, AClassOfKinMakesAVolumeForTheClaim) {
    const StorageClass the_class = standard();
    const ClaimPlan plan = plan_claim(claim({{"storageClassName", "standard"}}), {}, {&the_class});
    ASSERT_TRUE(plan.create_volume.has_value());
    EXPECT_EQ(string_at(*plan.create_volume, {"metadata", "name"}), "pvc-c1");
    EXPECT_EQ(string_at(*plan.create_volume, {"spec", "claimRef", "uid"}), "c1");
    EXPECT_EQ(string_at(*plan.create_volume, {"spec", "capacity", "storage"}), "1Gi");
}

TEST(ClaimPlanTest, TakesTheSmallestFreeVolumeThatIsLargeEnough) {
    const PersistentVolume small = volume("small", "500Mi"), large = volume("large", "10Gi"),
                           right = volume("right", "2Gi"),
                           taken = volume("taken", "1Gi", {{"namespace", "x"}, {"name", "y"}});
    const ClaimPlan plan =
        plan_claim(claim({{"storageClassName", "manual"}}), {&small, &large, &right, &taken}, {});
    EXPECT_EQ(plan.reserve, &right);
}

TEST(ClaimPlanTest, AReservedVolumeIsNamedInTheClaimThenBothAreBound) {
    const PersistentVolume reserved = volume("v", "1Gi", claim_reference(claim()));
    const ClaimPlan first = plan_claim(claim({{"storageClassName", "manual"}}), {&reserved}, {});
    EXPECT_EQ(string_at(first.claim_patch, {"spec", "volumeName"}), "v");
    const PersistentVolumeClaim named =
        claim({{"storageClassName", "manual"}, {"volumeName", "v"}});
    const ClaimPlan second = plan_claim(named, {&reserved}, {});
    EXPECT_EQ(string_at(second.claim_status, {"phase"}), "Bound");
    EXPECT_EQ(string_at(plan_volume(reserved, &named).status, {"phase"}), "Bound");
}

TEST(ClaimPlanTest, SaysWhyItStaysPending) {
    EXPECT_EQ(plan_claim(claim({{"storageClassName", ""}}), {}, {}).event_reason, "FailedBinding");
    const ClaimPlan unknown = plan_claim(claim({{"storageClassName", "fast"}}), {}, {});
    EXPECT_EQ(unknown.event_message, "storageclass.storage.k8s.io \"fast\" not found");
    EXPECT_EQ(string_at(unknown.claim_status, {"phase"}), "Pending");
}

TEST(ClaimPlanTest, AVolumeWhoseClaimIsGoneIsKeptOrRemoved) {
    PersistentVolume kept = volume("v", "1Gi", claim_reference(claim()));
    EXPECT_FALSE(plan_volume(kept, nullptr).remove);
    EXPECT_EQ(string_at(plan_volume(kept, nullptr).status, {"phase"}), "Released");
    Json object = *kept.object;
    object["spec"]["persistentVolumeReclaimPolicy"] = "Delete";
    EXPECT_TRUE(plan_volume(test::view<PersistentVolume>(object), nullptr).remove);
}

}  // namespace
}  // namespace kin::controllers
