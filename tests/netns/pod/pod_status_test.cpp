#include "netns/pod/pod_status.h"

#include <gtest/gtest.h>

#include "netns/pod/restart_backoff.h"

namespace kin::netns {
namespace {

const WallTime kNow = *parse_rfc3339("2026-01-02T03:04:05Z");

ContainerState running() { return {.kind = ContainerState::Kind::kRunning, .started = kNow}; }
ContainerState waiting(std::string reason) {
    return {.kind = ContainerState::Kind::kWaiting, .reason = std::move(reason)};
}
ContainerState ended(int code) {
    return {.kind = ContainerState::Kind::kTerminated,
            .reason = code == 0 ? "Completed" : "Error",
            .started = kNow,
            .finished = kNow,
            .exit_code = code};
}
ContainerReport container(ContainerState state, ContainerState last = {}) {
    ContainerReport out;
    out.name = "c";
    out.started = out.ready = state.running();
    out.state = std::move(state);
    out.last = std::move(last);
    return out;
}
PodReport report(RestartPolicy restart, std::vector<ContainerReport> containers,
                 std::vector<ContainerReport> inits = {}) {
    PodReport out;
    out.restart = restart;
    out.containers = std::move(containers);
    out.init_containers = std::move(inits);
    out.start_time = kNow;
    return out;
}

struct Case {
    const char* name;
    PodReport report;
    const char* phase;
};
class PodPhaseTest : public testing::TestWithParam<Case> {};

TEST_P(PodPhaseTest, IsAsKubernetesReckons) {
    EXPECT_EQ(pod_phase(GetParam().report), GetParam().phase);
}

constexpr auto kAlways = RestartPolicy::kAlways;
constexpr auto kOnFailure = RestartPolicy::kOnFailure;
constexpr auto kNever = RestartPolicy::kNever;

INSTANTIATE_TEST_SUITE_P(
    All, PodPhaseTest,
    testing::Values(
        Case{"NothingStarted", report(kAlways, {container(waiting("x"))}), "Pending"},
        Case{"OneOfTwoStarted", report(kAlways, {container(running()), container(waiting("x"))}),
             "Pending"},
        Case{"AllRun", report(kAlways, {container(running())}), "Running"},
        Case{"CrashLoop", report(kAlways, {container(waiting("CrashLoopBackOff"), ended(1))}),
             "Running"},
        Case{"EndedAndWillRestart", report(kAlways, {container(ended(0))}), "Running"},
        Case{"FailedAndWillRestart", report(kOnFailure, {container(ended(1))}), "Running"},
        Case{"DoneForGood", report(kOnFailure, {container(ended(0))}), "Succeeded"},
        Case{"FailedForGood", report(kNever, {container(ended(1)), container(ended(0))}), "Failed"},
        Case{"OneStillRuns", report(kNever, {container(ended(1)), container(running())}),
             "Running"},
        Case{"Initializing",
             report(kAlways, {container(waiting("PodInitializing"))}, {container(running())}),
             "Pending"},
        Case{"InitFailedForGood",
             report(kNever, {container(waiting("PodInitializing"))}, {container(ended(1))}),
             "Failed"},
        Case{"InitFailedAndRestarts",
             report(kAlways, {container(waiting("PodInitializing"))},
                    {container(waiting("CrashLoopBackOff"), ended(1))}),
             "Pending"}),
    [](const auto& test) { return test.param.name; });

TEST(PodPhaseEndingTest, DeletedPodEndsBySuccessOfItsContainers) {
    PodReport out = report(kAlways, {container(ended(0))});
    out.ending = true;
    EXPECT_EQ(pod_phase(out), "Succeeded");
    out.containers[0] = container(ended(137));
    EXPECT_EQ(pod_phase(out), "Failed");
}

Json condition(const Json& status, std::string_view type) {
    for (const Json& one : array_at(status, {"conditions"})) {
        if (string_at(one, {"type"}) == type) return one;
    }
    return {};
}

TEST(PodStatusTest, ConditionsKeepTheirTimeUntilTheyTurn) {
    PodReport pod = report(kAlways, {container(waiting("ContainerCreating"))});
    const Json scheduled{{"type", "PodScheduled"}, {"status", "True"}};
    const Json first =
        pod_status(pod, {{"conditions", {scheduled}}, {"qosClass", "BestEffort"}}, kNow);
    EXPECT_EQ(condition(first, "Ready")["status"], "False");
    EXPECT_EQ(condition(first, "Ready")["reason"], "ContainersNotReady");
    EXPECT_EQ(condition(first, "Ready")["message"], "containers with unready status: [c]");
    EXPECT_EQ(condition(first, "Initialized")["status"], "True");
    EXPECT_EQ(condition(first, "PodScheduled"), scheduled);
    EXPECT_EQ(first["qosClass"], "BestEffort");

    const WallTime later = kNow + std::chrono::seconds(5);
    pod.containers = {container(running())};
    pod.has_network = true;
    const Json second = pod_status(pod, first, later);
    EXPECT_EQ(condition(second, "Ready")["status"], "True");
    EXPECT_EQ(condition(second, "Ready")["lastTransitionTime"], "2026-01-02T03:04:10Z");
    EXPECT_EQ(condition(second, "Initialized")["lastTransitionTime"], "2026-01-02T03:04:05Z");
    EXPECT_FALSE(condition(second, "Ready").contains("reason"));
    EXPECT_EQ(pod_status(pod, second, later + std::chrono::hours(1)), second);
}

TEST(PodStatusTest, ContainerStatesAreWrittenOut) {
    PodReport pod = report(kAlways, {container(waiting("CrashLoopBackOff"), ended(3))});
    pod.containers[0].restart_count = 2;
    const Json status = pod_status(pod, Json::object(), kNow)["containerStatuses"][0];
    EXPECT_EQ(status["state"], (Json{{"waiting", {{"reason", "CrashLoopBackOff"}}}}));
    EXPECT_EQ(status["lastState"]["terminated"]["exitCode"], 3);
    EXPECT_EQ(status["lastState"]["terminated"]["reason"], "Error");
    EXPECT_EQ(status["restartCount"], 2);
    EXPECT_EQ(status["ready"], false);
}

TEST(PodStatusTest, EphemeralContainersAreShownAndNotCounted) {
    PodReport pod = report(kAlways, {container(running())});
    pod.ephemeral_containers = {container(ended(3)), container(waiting("ErrImagePull"))};
    const Json status = pod_status(pod, Json::object(), kNow);
    EXPECT_EQ(status["phase"], "Running");
    EXPECT_EQ(condition(status, "Ready")["status"], "True");
    EXPECT_EQ(status["containerStatuses"].size(), 1U);
    const Json& first = status["ephemeralContainerStatuses"][0];
    EXPECT_EQ(first["state"]["terminated"]["exitCode"], 3);
    EXPECT_EQ(first["ready"], false);
    EXPECT_FALSE(first.contains("started"));
    pod.ephemeral_containers = {container(running())};
    pod.containers = {container(ended(0))};
    pod.restart = kNever;
    EXPECT_EQ(pod_phase(pod), "Succeeded");
    EXPECT_EQ(pod_status(pod, status, kNow)["ephemeralContainerStatuses"][0]["ready"], false);
}

TEST(PodStatusTest, ClosedReadinessGateKeepsThePodUnready) {
    PodReport pod = report(kAlways, {container(running())});
    pod.readiness_gates = {"example.com/open"};
    Json status = pod_status(pod, Json::object(), kNow);
    EXPECT_EQ(condition(status, "ContainersReady")["status"], "True");
    EXPECT_EQ(condition(status, "Ready")["reason"], "ReadinessGatesNotReady");
    status["conditions"].push_back({{"type", "example.com/open"}, {"status", "True"}});
    EXPECT_EQ(condition(pod_status(pod, status, kNow), "Ready")["status"], "True");
}

TEST(PodStatusTest, MergePatchTurnsOneIntoTheOther) {
    const Json from{{"a", 1}, {"b", {{"c", 1}, {"d", 2}}}, {"gone", true}, {"same", {1, 2}}};
    const Json to{{"a", 2}, {"b", {{"c", 1}, {"d", 3}}}, {"same", {1, 2}}};
    const Json patch = merge_patch_of(from, to);
    EXPECT_EQ(patch, (Json{{"a", 2}, {"b", {{"d", 3}}}, {"gone", nullptr}}));
    EXPECT_TRUE(merge_patch_of(to, to).empty());
    Json patched = from;
    patched.merge_patch(patch);
    EXPECT_EQ(patched, to);
}

TEST(RestartBackoffTest, FirstAtOnceThenDoublingTo300Seconds) {
    RestartBackoff backoff;
    WallTime ended_at = kNow;
    for (const int expected : {0, 10, 20, 40, 80, 160, 300, 300}) {
        const WallTime start = backoff.next_start(ended_at);
        EXPECT_EQ(start - ended_at, std::chrono::seconds(expected));
        backoff.restarted(ended_at, start);
        ended_at = start + std::chrono::seconds(1);
    }
    ended_at += std::chrono::seconds(601);
    EXPECT_EQ(backoff.next_start(ended_at), ended_at);
}

}  // namespace
}  // namespace kin::netns
