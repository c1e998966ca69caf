#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "core/base/strings.h"
#include "netns/images/images.h"
#include "tests/netns/init/lab.h"

namespace kin::test {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

/// in_lab() with the built-in programs.
std::string in_lab_with_images(const std::function<std::string(netns::ServerContext&)>& run) {
    netns::LaunchOptions options;
    options.run_personality = images::run_personality;
    return in_lab(run, options);
}

/// Runs an image, and `script` in it once it runs; what the script wrote, then the exit code that
/// the image ends with after SIGTERM.
std::string ask(const std::string& image_name, const std::vector<std::string>& args,
                const std::string& script, const std::vector<std::string>& command = {}) {
    return in_lab_with_images([&](netns::ServerContext& context) {
        const auto image = images::find_image(image_name);
        if (!image) return std::string("no such image");
        Pods pods(context);
        const auto id = pods.start(images::container_of(*image, command, args, {}));
        if (id == 0) return pods.error();
        std::string text = pods.run(id, images::exec_of(*image, {"sh", "-c", script}, {}));
        (void)pods.containers().signal(id, SIGTERM);
        return cat(text, " then ", pods.wait(id));
    });
}

class PersonalitiesLabTest : public testing::Test {
protected:
    void SetUp() override { KIN_NEEDS_LABS(); }
};

TEST_F(PersonalitiesLabTest, NginxServesItsPageAndEndsAtOnce) {
    const std::string text = ask("nginx:1.25.3", {}, "curl -si localhost");
    EXPECT_THAT(text, HasSubstr("HTTP/1.1 200 OK\r\nServer: nginx/1.25.3\r\n"));
    EXPECT_THAT(text, HasSubstr("<title>Welcome to nginx!</title>"));
    EXPECT_THAT(text, EndsWith("[exit 0] then 0"));
}

// A pod without a readiness probe gets connections as soon as its container runs.
TEST_F(PersonalitiesLabTest, AServerRunsOnceItListens) {
    EXPECT_EQ(in_lab_with_images([](netns::ServerContext& context) {
                  Pods pods(context);
                  const auto image = *images::find_image("nginx");
                  int listening = 0;
                  for (int i = 0; i < 20; ++i) {
                      const auto id = pods.start(images::container_of(image, {}, {}, {}));
                      listening += pods.listens(80);
                      (void)pods.containers().signal(id, SIGKILL);
                      (void)pods.wait(id);
                  }
                  return cat(listening);
              }),
              "20");
}

TEST_F(PersonalitiesLabTest, NginxServesWhatAnExecWrites) {
    EXPECT_THAT(
        ask("nginx", {},
            "echo mine > /usr/share/nginx/html/index.html; curl -s localhost; "
            "rm /usr/share/nginx/html/index.html; "
            "curl -s -o /dev/null -w '%{http_code} ' localhost; "
            "curl -s -o /dev/null -w '%{http_code}' localhost/none; "
            "curl -s --path-as-is -o /dev/null -w ' %{http_code}' localhost/../../etc/passwd"),
        StartsWith("mine\n403 404 400[exit 0]"));
}

TEST_F(PersonalitiesLabTest, NginxKeepsConnectionsAndAnswersHead) {
    const std::string text =
        ask("nginx", {}, "curl -sv localhost localhost 2>&1 >/dev/null; curl -sI localhost");
    EXPECT_THAT(text, HasSubstr("Re-using existing connection"));
    EXPECT_THAT(text, HasSubstr("Content-Type: text/html\r\n"));
    EXPECT_THAT(text, HasSubstr("ETag: \""));
}

TEST_F(PersonalitiesLabTest, NginxTellsItsVersionInAnExec) {
    EXPECT_EQ(in_lab_with_images([](netns::ServerContext& context) {
                  const auto image = *images::find_image("nginx:1.25.3");
                  Pods pods(context);
                  const auto id = pods.start(images::container_of(image, {}, {}, {}));
                  return pods.run(id, images::exec_of(image, {"nginx", "-v"}, {}));
              }),
              "nginx version: nginx/1.25.3\n[exit 0]");
}

TEST_F(PersonalitiesLabTest, HttpdWorks) {
    EXPECT_THAT(ask("httpd", {}, "curl -s localhost"),
                StartsWith("<html><body><h1>It works!</h1></body></html>\n[exit 0] then 0"));
}

TEST_F(PersonalitiesLabTest, NetexecAnswersOverHttpAndUdp) {
    EXPECT_THAT(ask("registry.k8s.io/e2e-test-images/agnhost:2.39", {"netexec"},
                    "c() { curl -s \"localhost:8080/$1\"; echo; }; c hostname; c hostName; "
                    "c 'echo?msg=hi+there'; c clientip | cut -d: -f1; "
                    "c 'shell?cmd=echo+out'; c 'dial?host=127.0.0.1&port=8081&protocol=udp&request="
                    "hostname&tries=2'; c 'dial?host=127.0.0.1&port=8080&request=echo?msg=x'; "
                    "curl -s -o /dev/null -w '%{http_code}' localhost:8080/healthz"),
                StartsWith("pod-a\npod-a\nhi there\n127.0.0.1\n{\"output\":\"out\\n\"}\n"
                           "{\"responses\":[\"pod-a\",\"pod-a\"]}\n{\"responses\":[\"x\"]}\n"
                           "200[exit 0] then 0"));
}

TEST_F(PersonalitiesLabTest, NetexecExitsWithTheCodeItIsTold) {
    EXPECT_THAT(ask("agnhost", {"netexec"}, "curl -s 'localhost:8080/exit?code=3'"),
                EndsWith(" then 3"));
}

TEST_F(PersonalitiesLabTest, ServeHostnameListensOnItsPort) {
    EXPECT_THAT(
        ask("agnhost", {"serve-hostname", "--http=true", "--port=8080"}, "curl -s localhost:8080"),
        StartsWith("pod-a[exit 0] then 0"));
}

TEST_F(PersonalitiesLabTest, ConnectSaysHowItFailed) {
    EXPECT_THAT(ask("agnhost", {"netexec"}, "true"), StartsWith("[exit 0]"));
    EXPECT_THAT(in_lab_with_images([](netns::ServerContext& context) {
                    const auto image = *images::find_image("agnhost");
                    return Pods(context).run(images::container_of(
                        image, {}, {"connect", "127.0.0.1:9", "--timeout=1s"}, {}));
                }),
                HasSubstr("REFUSED\n"));
}

TEST_F(PersonalitiesLabTest, SmallServersShowWhoAnswered) {
    EXPECT_THAT(
        ask("hashicorp/http-echo", {"-text=apple", "-listen=:8080"}, "curl -s localhost:8080"),
        StartsWith("apple\n[exit 0] then 0"));
    EXPECT_THAT(ask("gcr.io/google-samples/hello-app:2.0", {}, "curl -s localhost:8080"),
                StartsWith("Hello, world!\nVersion: 2.0.0\nHostname: pod-a\n"));
    EXPECT_THAT(ask("traefik/whoami", {}, "curl -s localhost"),
                StartsWith("Hostname: pod-a\nIP: 127.0.0.1\nRemoteAddr: 127.0.0.1:"));
    EXPECT_THAT(ask("registry.k8s.io/echoserver:1.10", {}, "curl -s localhost:8080/x?y=1"),
                HasSubstr("client_address=127.0.0.1\n"));
}

TEST_F(PersonalitiesLabTest, ApplicationsOfTutorialsAnswerAsTheRealOnes) {
    EXPECT_THAT(ask("quay.io/openshiftlabs/simpleservice:0.5.0", {},
                    "curl -s -H 'Host: thesvc' localhost:9876/info"),
                StartsWith(R"({"from":"127.0.0.1","host":"thesvc","version":"0.5.0"})"));
    EXPECT_THAT(ask("bmuschko/nodejs-hello-world:1.0.0", {}, "curl -s localhost:3000"),
                StartsWith("Hello World[exit 0]"));
    EXPECT_THAT(ask("dgkanatsios/simpleapp", {}, "curl -s localhost:8080"),
                StartsWith("Hello world from pod-a and version 2.0"));
    EXPECT_THAT(ask("docker.io/mccutchen/go-httpbin:v2.15.0", {},
                    "curl -s -o /dev/null -w '%{http_code} ' localhost:8080/status/418; "
                    "curl -s 'localhost:8080/get?x=1' | grep -c '\"x\"'; "
                    "curl -s localhost:8080/ip | grep -c 127.0.0.1"),
                StartsWith("418 1\n1\n"));
}

TEST_F(PersonalitiesLabTest, RedisKeepsWhatClientsSend) {
    EXPECT_THAT(
        ask("redis:alpine", {},
            "printf 'PING\\r\\nSET a hello\\r\\nGET a\\r\\nRPUSH l x y\\r\\nINCRBY n 3\\r\\n' "
            "| busybox nc -w 1 127.0.0.1 6379"),
        StartsWith("+PONG\r\n+OK\r\n$5\r\nhello\r\n:2\r\n:3\r\n"));
}

TEST_F(PersonalitiesLabTest, AgnhostsGuestbookKeepsEntries) {
    EXPECT_THAT(ask("agnhost", {"guestbook", "--http-port", "6379"},
                    "curl -s 'localhost:6379/set?key=messages&value=TestEntry'; "
                    "curl -s 'localhost:6379/get?key=messages'; "
                    "curl -s -o /dev/null -w '%{http_code}' 'localhost:6379/guestbook?cmd=get'"),
                StartsWith(R"({"message":"Updated"}{"data":"TestEntry"}417)"));
}

TEST_F(PersonalitiesLabTest, PauseEndsAtASigtermThatFollowsTheStart) {
    EXPECT_EQ(in_lab_with_images([](netns::ServerContext& context) {
                  Pods pods(context);
                  const auto image = *images::find_image("registry.k8s.io/pause:3.9");
                  const auto id = pods.start(images::container_of(image, {}, {}, {}));
                  (void)pods.containers().signal(id, SIGTERM);
                  return cat(pods.wait(id));
              }),
              "0");
}

TEST_F(PersonalitiesLabTest, CurlImageRunsTheHostsCurl) {
    EXPECT_THAT(in_lab([](netns::ServerContext& context) {
                    const auto image = *images::find_image("curlimages/curl");
                    return Pods(context).run(images::container_of(image, {}, {"--version"}, {}));
                }),
                StartsWith("curl "));
}

}  // namespace
}  // namespace kin::test
