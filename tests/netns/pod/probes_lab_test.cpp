// Probes and hooks against real containers.
#include <gtest/gtest.h>

#include "core/base/strings.h"
#include "netns/images/images.h"
#include "tests/netns/init/lab.h"
#include "tests/netns/pod/pod_lab.h"

namespace kin::netns {
namespace {

using test::PodLab;

std::string with_pods(const std::function<std::string(PodLab&)>& use) {
    LaunchOptions options;
    options.run_personality = images::run_personality;
    return kin::test::in_lab(
        [&](ServerContext& context) {
            PodLab lab(context);
            return use(lab);
        },
        std::move(options));
}

Json status_of(const Json& pod) {
    const Json& all = array_at(pod, {"status", "containerStatuses"});
    return all.empty() ? Json::object() : all[0];
}

bool ready(const Json& pod) { return bool_at(status_of(pod), {"ready"}); }

/// A shell that waits for files, with `more` in its container.
std::string shell(const std::string& more) {
    return cat(R"("image":"busybox","command":["sh","-c",
        "trap 'echo bye; exit 0' TERM; while true; do sleep 0.05; done"],)",
               more);
}

TEST(ProbesLabTest, ReadinessFollowsTheCommandBothWays) {
    KIN_NEEDS_LABS();
    EXPECT_EQ(with_pods([](PodLab& lab) {
                  lab.create_pod("p", shell(R"("readinessProbe":{"periodSeconds":1,
                      "failureThreshold":1,"exec":{"command":["cat","/tmp/ready"]}})"));
                  const Json running = lab.wait_phase("p", "Running");
                  std::string out = ready(running) ? "too early " : "unready ";
                  lab.exec("p", {"touch", "/tmp/ready"});
                  out += ready(lab.wait("p", ready)) ? "ready " : "never ";
                  lab.exec("p", {"rm", "/tmp/ready"});
                  const Json after = lab.wait("p", [](const Json& pod) { return !ready(pod); });
                  const std::string events = lab.events("p", "Readiness probe failed: ");
                  return cat(out, ready(after) ? "still " : "unready ",
                             int_at(status_of(after), {"restartCount"}), ' ',
                             events.find("Unhealthy: ") == 0 &&
                                     events.find("/tmp/ready") != std::string::npos
                                 ? "told"
                                 : events);
              }),
              "unready ready unready 0 told");
}

TEST(ProbesLabTest, LivenessFailureRestartsTheContainerInUpstreamsWords) {
    KIN_NEEDS_LABS();
    EXPECT_EQ(with_pods([](PodLab& lab) {
                  lab.create_pod("p", R"("image":"nginx","livenessProbe":{"periodSeconds":1,
                      "failureThreshold":1,"httpGet":{"path":"/missing","port":80}})",
                                 R"("restartPolicy":"Always")");
                  const Json pod = lab.wait("p", [](const Json& now) {
                      return int_at(status_of(now), {"restartCount"}) > 0;
                  });
                  return cat(int_at(status_of(pod), {"restartCount"}) > 0 ? "restarted\n" : "not\n",
                             lab.events("p", "probe"));
              }),
              "restarted\n"
              "Unhealthy: Liveness probe failed: HTTP probe failed with statuscode: 404\n"
              "Killing: Container c failed liveness probe, will be restarted\n");
}

TEST(ProbesLabTest, OthersWaitForTheStartupProbe) {
    KIN_NEEDS_LABS();
    EXPECT_EQ(with_pods([](PodLab& lab) {
                  lab.create_pod("p", shell(R"("startupProbe":{"periodSeconds":1,"exec":{"command":
                      ["test","-e","/tmp/up"]}},"readinessProbe":{"tcpSocket":{"port":81},
                      "periodSeconds":1},"livenessProbe":{"tcpSocket":{"port":81},
                      "failureThreshold":1})"),
                                 R"("restartPolicy":"Never")");
                  lab.wait_phase("p", "Running");
                  std::string out = lab.events("p", "dial tcp");
                  lab.exec("p", {"touch", "/tmp/up"});
                  lab.wait_phase("p", "Succeeded");
                  const std::string told = lab.events("p", "Liveness");
                  return cat(out, told, lab.log("p"));
              }),
              "Unhealthy: Liveness probe failed: dial tcp 10.244.1.2:81: connect: connection "
              "refused\nbye\n");
}

TEST(ProbesLabTest, SlowCommandCountsAsFailed) {
    KIN_NEEDS_LABS();
    EXPECT_EQ(
        with_pods([](PodLab& lab) {
            lab.create_pod("p", shell(R"("livenessProbe":{"failureThreshold":1,
                      "exec":{"command":["sleep","60"]}})"));
            lab.wait_phase("p", "Succeeded");
            return lab.events("p", "Liveness");
        }),
        "Unhealthy: Liveness probe failed: command timed out: \"sleep 60\" timed out after 1s\n");
}

TEST(ProbesLabTest, PreStopRunsBeforeTheSignal) {
    KIN_NEEDS_LABS();
    EXPECT_EQ(with_pods([](PodLab& lab) {
                  lab.create_pod("p", shell(R"("lifecycle":{"preStop":{"exec":{"command":
                      ["sh","-c","echo hook > /proc/1/fd/1; sleep 0.2"]}},"postStart":{"exec":
                      {"command":["sh","-c","echo start > /proc/1/fd/1"]}}})"));
                  lab.wait("p", ready);
                  const auto log = lab.keep_log("p");
                  lab.remove_pod("p", 20);
                  lab.wait("p", [](const Json& pod) { return pod.is_null(); });
                  return log();
              }),
              "start\nhook\nbye\n");
}

TEST(ProbesLabTest, FailedPostStartHookEndsTheContainer) {
    KIN_NEEDS_LABS();
    EXPECT_EQ(with_pods([](PodLab& lab) {
                  lab.create_pod("p", shell(R"("lifecycle":{"postStart":{"exec":{"command":
                      ["false"]}}})"));
                  lab.wait_phase("p", "Succeeded");
                  return lab.events("p", "PostStart");
              }),
              "FailedPostStartHook: PostStartHook failed\nKilling: FailedPostStartHook\n");
}

TEST(ProbesLabTest, GrpcProbeSaysThatNobodyAnswers) {
    KIN_NEEDS_LABS();
    EXPECT_EQ(with_pods([](PodLab& lab) {
                  lab.create_pod("p", shell(R"("livenessProbe":{"failureThreshold":1,
                      "grpc":{"port":5000}})"));
                  lab.wait_phase("p", "Succeeded");
                  return lab.events("p", "Liveness");
              }),
              "Unhealthy: Liveness probe failed: dial tcp 10.244.1.2:5000: connect: connection "
              "refused\n");
}

}  // namespace
}  // namespace kin::netns
