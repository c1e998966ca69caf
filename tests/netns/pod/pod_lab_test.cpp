#include <gtest/gtest.h>

#include "core/base/strings.h"
#include "netns/images/images.h"
#include "tests/netns/init/lab.h"
#include "tests/netns/pod/pod_lab.h"

namespace kin::netns {
namespace {

using test::PodLab;

/// What `use` says of a fresh lab with pods.
std::string with_pods(const std::function<std::string(PodLab&)>& use,
                      const NodeAgent::Options& agent = {}) {
    LaunchOptions options;
    options.run_personality = images::run_personality;
    return kin::test::in_lab(
        [&](ServerContext& context) {
            PodLab lab(context, agent);
            return use(lab);
        },
        std::move(options));
}

std::string condition(const Json& pod, std::string_view type) {
    for (const Json& one : array_at(pod, {"status", "conditions"})) {
        if (string_at(one, {"type"}) == type) return string_at(one, {"status"});
    }
    return "missing";
}

Json container_status(const Json& pod) {
    const Json& all = array_at(pod, {"status", "containerStatuses"});
    return all.empty() ? Json::object() : all[0];
}

TEST(PodLabTest, NginxRunsAndAnswersToAPodOfAnotherNode) {
    KIN_NEEDS_LABS();
    EXPECT_EQ(with_pods([](PodLab& lab) {
                  lab.create_pod("web", R"("image":"nginx","ports":[{"containerPort":80}])",
                                 R"("restartPolicy":"Always")");
                  const Json web = lab.wait_phase("web", "Running");
                  const std::string ip = string_at(web, {"status", "podIP"});
                  lab.create(cat(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"get",
                      "namespace":"default"},"spec":{"nodeName":"node-2","restartPolicy":"Never",
                      "containers":[{"name":"c","image":"busybox","command":["wget","-qO-",
                      "http://)", ip, R"("]}]}})"));
                  lab.wait_phase("get", "Succeeded");
                  const bool page = lab.log("get").find("Welcome to nginx!") != std::string::npos;
                  return cat(ip, ' ', condition(web, "Ready"), ' ',
                             string_at(web, {"status", "hostIP"}), ' ',
                             string_at(container_status(web), {"image"}), page ? " page" : " none");
              }),
              "10.244.1.2 True 172.30.0.2 docker.io/library/nginx:latest page");
}

TEST(PodLabTest, ContainerSeesItsFilesAndEnvironment) {
    KIN_NEEDS_LABS();
    EXPECT_EQ(with_pods([](PodLab& lab) {
                  lab.create(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"cm",
                                 "namespace":"default"},"data":{"key":"value"}})");
                  lab.create_pod("p", R"("image":"busybox","command":["sh","-c",
                      "hostname; cat /etc/resolv.conf; grep p$ /etc/hosts; echo $A $B; cat /cm/key; echo; cat /var/run/secrets/kubernetes.io/serviceaccount/namespace; echo; echo x > /empty/file; cat /empty/file; echo bye > /dev/termination-log"],
                      "env":[{"name":"A","value":"1"},{"name":"B","valueFrom":{"fieldRef":
                        {"fieldPath":"status.podIP"}}}],
                      "volumeMounts":[{"name":"cm","mountPath":"/cm"},
                        {"name":"empty","mountPath":"/empty"}])",
                                 R"("restartPolicy":"Never","volumes":[{"name":"cm","configMap":
                                    {"name":"cm"}},{"name":"empty","emptyDir":{}}])");
                  const Json pod = lab.wait_phase("p", "Succeeded");
                  const Json status = container_status(pod);
                  return lab.log("p") +
                         string_at(status, {"state", "terminated", "message"}) +
                         string_at(status, {"state", "terminated", "reason"}) + '\n' +
                         (string_at(pod, {"status", "phase"}) == "Succeeded" ? ""
                                                                              : lab.events("p"));
              }),
              "p\nsearch default.svc.cluster.local svc.cluster.local cluster.local\n"
              "nameserver 10.96.0.10\noptions ndots:5\n10.244.1.2\tp\n1 10.244.1.2\nvalue\n"
              "default\nx\nbye\nCompleted\n");
}

TEST(PodLabTest, FailingContainerIsRestartedWithBackOff) {
    KIN_NEEDS_LABS();
    EXPECT_EQ(with_pods([](PodLab& lab) {
                  lab.create_pod("p", R"("image":"busybox","command":["sh","-c","echo out; exit 3"])",
                                 R"("restartPolicy":"Always")");
                  const Json pod = lab.wait_reason("p", "CrashLoopBackOff");
                  const Json status = container_status(pod);
                  return cat(string_at(pod, {"status", "phase"}), ' ',
                             int_at(status, {"restartCount"}), ' ',
                             int_at(status, {"lastState", "terminated", "exitCode"}), ' ',
                             string_at(status, {"state", "waiting", "message"}).substr(0, 48), ' ',
                             lab.log("p"), lab.log("p", true));
              }),
              "Running 1 3 back-off 10s restarting failed container=c pod=p out\nout\n");
}

TEST(PodLabTest, UnknownImageEndsInImagePullBackOffUnlessItDeclaresPorts) {
    KIN_NEEDS_LABS();
    EXPECT_EQ(with_pods([](PodLab& lab) {
                  lab.create_pod("bad", R"("image":"example.com/none:1")");
                  lab.wait_reason("bad", "ErrImagePull");
                  lab.wait_reason("bad", "ImagePullBackOff");
                  lab.create_pod("port", R"("image":"example.com/none:1",
                                            "ports":[{"containerPort":8080}])");
                  const Json pod = lab.wait_phase("port", "Running");
                  return cat(lab.events("bad", "BackOff"), string_at(pod, {"status", "phase"}),
                             '\n', lab.events("port", "StandIn"));
              }),
              "BackOff: Back-off pulling image \"example.com/none:1\"\n"
              "Failed: Error: ImagePullBackOff\nRunning\n"
              "StandIn: kin does not know image \"example.com/none:1\": a stand-in answers on its "
              "declared ports\n");
}

TEST(PodLabTest, DeletedPodGetsSigtermAndIsGone) {
    KIN_NEEDS_LABS();
    EXPECT_EQ(with_pods([](PodLab& lab) {
                  lab.create_pod("p", R"("image":"busybox","command":["sh","-c",
                      "trap 'exit 0' TERM; echo up; while true; do sleep 0.1; done"])",
                                 R"("restartPolicy":"Always")");
                  lab.wait_log("p", "up");  // Before its trap it would not hear of the end.
                  lab.remove_pod("p");
                  const Json gone = lab.wait("p", [](const Json& pod) { return pod.is_null(); });
                  lab.create_pod("hard", R"("image":"busybox","command":["sleep","1000"])");
                  lab.wait_phase("hard", "Running");
                  lab.remove_pod("hard", 1);
                  const Json killed = lab.wait("hard", [](const Json& pod) { return pod.is_null(); });
                  return cat(to_text(gone), to_text(killed), ' ', lab.events("p", "Killing"));
              }),
              "nullnull Killing: Stopping container c\n");
}

TEST(PodLabTest, InitContainersRunInOrderBeforeTheOthers) {
    KIN_NEEDS_LABS();
    EXPECT_EQ(with_pods([](PodLab& lab) {
                  lab.create(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p",
                      "namespace":"default"},"spec":{"nodeName":"node-1","restartPolicy":"Never",
                      "volumes":[{"name":"v","emptyDir":{}}],
                      "initContainers":[
                       {"name":"a","image":"busybox","command":["sh","-c","echo a >> /v/f"],
                        "volumeMounts":[{"name":"v","mountPath":"/v"}]},
                       {"name":"b","image":"busybox","command":["sh","-c","echo b >> /v/f"],
                        "volumeMounts":[{"name":"v","mountPath":"/v"}]}],
                      "containers":[{"name":"c","image":"busybox","command":["cat","/v/f"],
                        "volumeMounts":[{"name":"v","mountPath":"/v"}]}]}})");
                  const Json pod = lab.wait_phase("p", "Succeeded");
                  return cat(string_at(pod, {"status", "phase"}), ' ', lab.log("p"));
              }),
              "Succeeded a\nb\n");
}

TEST(PodLabTest, ExecRunsInTheContainerAndAttachJoinsIt) {
    KIN_NEEDS_LABS();
    EXPECT_EQ(with_pods([](PodLab& lab) {
                  lab.create_pod("p", R"("image":"busybox","command":["sleep","1000"],
                                         "env":[{"name":"A","value":"1"}])");
                  lab.wait_phase("p", "Running");
                  std::string out = lab.exec("p", {"sh", "-c", "echo $A; hostname; exit 4"});
                  out += lab.exec("p", {"no-such-program"}).empty() ? "nothing" : " missing ";
                  lab.create_pod("cat", R"("image":"busybox","command":["sh","-c","echo early; cat"],
                                           "stdin":true,"stdinOnce":true)");
                  lab.wait_phase("cat", "Running");
                  out += lab.attach("cat", "hello\n");
                  return out + string_at(lab.wait_phase("cat", "Succeeded"), {"status", "phase"});
              }),
              "1\np\n[exit 4] missing early\nhello\nSucceeded");
}

/// The state of one of the pod's ephemeral containers.
Json debugger_state(const Json& pod, std::string_view name) {
    for (const Json& status : array_at(pod, {"status", "ephemeralContainerStatuses"})) {
        if (string_at(status, {"name"}) == name) return object_at(status, {"state"});
    }
    return Json::object();
}

TEST(PodLabTest, EphemeralContainersRunOnceInThePodsNetwork) {
    KIN_NEEDS_LABS();
    EXPECT_EQ(with_pods([](PodLab& lab) {
                  const auto ended = [&](const std::string& name) {
                      return lab.wait("p", [&](const Json& pod) {
                          return find(debugger_state(pod, name), "terminated") != nullptr;
                      });
                  };
                  lab.create_pod("p", R"("image":"nginx")", R"("restartPolicy":"Always")");
                  lab.wait_phase("p", "Running");
                  std::string out = lab.debug("p", R"("name":"d1","command":["sh","-c",
                      "wget -qO- localhost | grep -c Welcome; ps | grep -c '[n]ginx -g'; exit 3"])");
                  const Json one = ended("d1");
                  out += lab.debug("p", R"("name":"d2","targetContainerName":"c",
                      "command":["sh","-c","ps | grep -c '[n]ginx -g'"])");
                  const Json two = ended("d2");
                  out += cat(lab.log("p", false, "d1"), lab.log("p", false, "d2"), '\n',
                             int_at(debugger_state(two, "d1"), {"terminated", "exitCode"}),
                             int_at(debugger_state(two, "d2"), {"terminated", "exitCode"}),
                             debugger_state(one, "d1") == debugger_state(two, "d1") ? " same " : " changed ",
                             string_at(two, {"status", "phase"}), ' ', condition(two, "Ready"),
                             '\n', lab.events("p", "container d1"), lab.events("p", "Started container d2"));
                  return out;
              }),
              "2\n0\n1\n\n30 same Running True\n"
              "Started: Started container d1\nStarted: Started container d2\n");
}

TEST(PodLabTest, EphemeralContainersComeBeforeInitContainersAndEndWithThePod) {
    KIN_NEEDS_LABS();
    EXPECT_EQ(with_pods([](PodLab& lab) {
                  lab.create(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p",
                      "namespace":"default"},"spec":{"nodeName":"node-1","restartPolicy":"Never",
                      "terminationGracePeriodSeconds":0,
                      "initContainers":[{"name":"i","image":"busybox","command":["sleep","1000"]}],
                      "containers":[{"name":"c","image":"busybox","command":["true"]}]}})");
                  std::string out = lab.debug("p", R"("name":"d","command":["sleep","1000"])");
                  out += lab.debug("p", R"("name":"late","targetContainerName":"c",
                                           "command":["true"])");
                  const Json pod = lab.wait("p", [](const Json& now) {
                      return find(debugger_state(now, "d"), "running") &&
                             find(debugger_state(now, "late"), JsonPath{"waiting", "message"});
                  });
                  out += cat(string_at(pod, {"status", "phase"}), ' ',
                             string_at(debugger_state(pod, "late"), {"waiting", "message"}), ' ');
                  lab.remove_pod("p");
                  return out + to_text(lab.wait("p", [](const Json& now) { return now.is_null(); }));
              }),
              "Pending unable to find target container c null");
}

TEST(PodLabTest, MissingConfigMapHoldsTheContainerUntilItExists) {
    KIN_NEEDS_LABS();
    EXPECT_EQ(with_pods([](PodLab& lab) {
                  lab.create_pod("p", R"("image":"busybox","command":["sh","-c","echo $A"],
                      "env":[{"name":"A","valueFrom":{"configMapKeyRef":{"name":"cm","key":"a"}}}])");
                  const Json held = lab.wait_reason("p", "CreateContainerConfigError");
                  lab.create(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"cm",
                                 "namespace":"default"},"data":{"a":"now"}})");
                  lab.wait_phase("p", "Succeeded");
                  return cat(string_at(container_status(held), {"state", "waiting", "message"}),
                             '\n', lab.log("p"));
              }),
              "configmap \"cm\" not found\nnow\n");
}

/// Stands for a component of kin.
class FakeService : public PodService {
public:
    Result<> start(const Instance& instance) override {
        instance.log("serving as " + instance.address.to_string());
        ++running;
        return Ok{};
    }
    void stop(const ObjectKey&) override { --running; }
    std::atomic<int> running = 0;
};

TEST(PodLabTest, SystemPodIsServedByAComponentOfKin) {
    KIN_NEEDS_LABS();
    FakeService service;
    NodeAgent::Options options;
    options.services["registry.k8s.io/kube-proxy"] = &service;
    EXPECT_EQ(with_pods(
                  [&](PodLab& lab) {
                      lab.create_pod("proxy", R"("image":"registry.k8s.io/kube-proxy:v1.35.0")",
                                     R"("hostNetwork":true)");
                      const Json pod = lab.wait_phase("proxy", "Running");
                      const int running = service.running;
                      const std::string text = lab.wait_log("proxy", "\n");
                      lab.remove_pod("proxy");
                      lab.wait("proxy", [](const Json& now) { return now.is_null(); });
                      return cat(string_at(pod, {"status", "podIP"}), ' ', running, ' ',
                                 service.running.load(), ' ', text);
                  },
                  options),
              "172.30.0.2 1 0 serving as 172.30.0.2\n");
}

TEST(PodLabTest, NodesAreRegisteredReady) {
    KIN_NEEDS_LABS();
    EXPECT_EQ(with_pods([](PodLab& lab) {
                  lab.control().call([&] { lab.agent().register_nodes(); });
                  lab.events("");  // Settles.
                  const Json node = lab.get("nodes", "", "node-1");
                  const Json lease =
                      lab.get("leases.coordination.k8s.io", "kube-node-lease", "node-2");
                  if (node.is_null()) return std::string("no node");
                  return cat(condition(node, "Ready"), ' ',
                             string_at(array_at(node, {"status", "addresses"})[0], {"address"}),
                             ' ', string_at(lease, {"spec", "holderIdentity"}));
              }),
              "True 172.30.0.2 node-2");
}

}  // namespace
}  // namespace kin::netns
