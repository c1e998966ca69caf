#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "core/base/files.h"
#include "core/base/strings.h"
#include "netns/init/sys.h"
#include "tests/netns/init/lab.h"

namespace kin::test {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// A process by its number, as the host sees it: the server's /proc is the host's.
pid_t host_pid() {
    return parse_number<pid_t>(std::filesystem::read_symlink("/proc/self").string()).value_or(-1);
}

std::string own_user_namespace() {
    return std::filesystem::read_symlink("/proc/self/ns/user").string();
}

/// A server that starts ten containers, says which namespace it is in, and stays.
int run_ten_sleepers(netns::ServerContext& context, LaunchedLab& lab) {
    Pods pods(context);
    for (int i = 0; i < 10; ++i) {
        if (pods.start(container({"sleep", "1000"})) == 0) {
            lab.say(pods.error());
            return 1;
        }
    }
    lab.say(own_user_namespace());
    lab.say(cat(host_pid()));
    context.wait_for_stop();
    lab.say("stopping");
    return 7;
}

class LaunchLabTest : public testing::Test {
protected:
    void SetUp() override {
        KIN_NEEDS_LABS();
        lab_.emplace(run_ten_sleepers);
        user_namespace_ = lab_->hear();
        ASSERT_THAT(user_namespace_, StartsWith("user:["));
        server_ = parse_number<pid_t>(lab_->hear()).value_or(-1);
        ASSERT_GT(server_, 1);
        ASSERT_EQ(processes_in(user_namespace_).size(), 12u);  // PID 1, the server, ten sleepers
    }

    bool nothing_is_left_within_a_second() {
        return eventually(1000, [&] { return processes_in(user_namespace_).empty(); });
    }

    pid_t pid_one() {
        for (const pid_t pid : processes_in(user_namespace_)) {
            const auto status = read_file(cat("/proc/", pid, "/status"));
            if (status && status->find("Name:\tkin-init\n") != std::string::npos) return pid;
        }
        return -1;
    }

    std::optional<LaunchedLab> lab_;
    std::string user_namespace_;
    pid_t server_ = -1;
};

TEST_F(LaunchLabTest, KillingTheLauncherLeavesNothing) {
    ::kill(lab_->launcher(), SIGKILL);
    EXPECT_EQ(lab_->ended(), "killed");
    EXPECT_TRUE(nothing_is_left_within_a_second());
}

TEST_F(LaunchLabTest, KillingPidOneLeavesNothingAndIsTold) {
    ::kill(pid_one(), SIGKILL);
    EXPECT_EQ(lab_->ended(), "error: the lab's first process was killed by signal 9 (Killed)");
    EXPECT_TRUE(nothing_is_left_within_a_second());
}

TEST_F(LaunchLabTest, KillingTheServerLeavesNothingAndIsTold) {
    ::kill(server_, SIGKILL);
    EXPECT_EQ(lab_->ended(), "error: the server was killed by signal 9 (Killed)");
    EXPECT_TRUE(nothing_is_left_within_a_second());
}

TEST_F(LaunchLabTest, InterruptingTheLauncherStopsTheServerInGoodOrder) {
    ::kill(lab_->launcher(), SIGINT);
    EXPECT_EQ(lab_->hear(), "stopping");
    EXPECT_EQ(lab_->ended(), "exit 7");
    EXPECT_TRUE(nothing_is_left_within_a_second());
}

TEST(LaunchTest, AServerThatDoesNotStopIsKilledWhenTimeIsUp) {
    KIN_NEEDS_LABS();
    netns::LaunchOptions options;
    options.stop_timeout = std::chrono::milliseconds(50);
    LaunchedLab lab(
        [](netns::ServerContext&, LaunchedLab& self) {
            self.say("up");
            while (true) ::pause();
            return 0;
        },
        options);
    ASSERT_EQ(lab.hear(), "up");
    ::kill(lab.launcher(), SIGTERM);
    EXPECT_EQ(lab.ended(), "error: the lab did not end in time and was killed");
}

TEST(LaunchTest, TheServerIsNobodyOnTheHostButRootInTheLab) {
    KIN_NEEDS_LABS();
    const std::string text = in_lab([](netns::ServerContext& context) {
        struct stat status;
        ::stat("/", &status);
        return cat(::getuid(), " ", ::geteuid(), " host ", context.ids().host_uid == 0 ? 1 : 0,
                   " owns root dir ", status.st_uid == 0 ? 1 : 0);
    });
    EXPECT_EQ(text, "0 0 host 0 owns root dir 0");
}

TEST(LaunchTest, TheServerStaysInTheHostsNetworkNamespace) {
    KIN_NEEDS_LABS();
    const auto network = [] { return std::filesystem::read_symlink("/proc/self/ns/net").string(); };
    EXPECT_EQ(in_lab([&](netns::ServerContext&) { return network(); }), network());
}

TEST(LaunchTest, DirectoriesAreMadeAndWritableForTheServer) {
    KIN_NEEDS_LABS();
    char base[] = "/tmp/kin-launch-XXXXXX";
    ASSERT_NE(::mkdtemp(base), nullptr);
    ::chmod(base, 0755);
    netns::LaunchOptions options;
    options.directories = {cat(base, "/data")};
    const std::string text = in_lab(
        [&](netns::ServerContext&) {
            const auto written = netns::write_file(cat(base, "/data/file"), "x");
            return written ? std::string("written") : written.error().text();
        },
        options);
    EXPECT_EQ(text, "written");
    std::filesystem::remove_all(base);
}

TEST(LaunchTest, ReadinessReachesTheLauncher) {
    KIN_NEEDS_LABS();
    auto pair = netns::SocketPair::create();
    ASSERT_TRUE(pair.has_value());
    netns::LaunchOptions options;
    options.on_ready = [&](std::string_view text) {
        (void)netns::send_packet(pair->right.get(), cat("launcher heard ", text));
    };
    LaunchedLab lab(
        [](netns::ServerContext& context, LaunchedLab&) {
            context.notify_ready("it is up");
            context.wait_for_stop();
            return 0;
        },
        options);
    auto heard = netns::receive_packet(pair->left.get());
    ASSERT_TRUE(heard.has_value());
    EXPECT_EQ(heard->bytes, "launcher heard it is up");
    ::kill(lab.launcher(), SIGTERM);
    EXPECT_EQ(lab.ended(), "exit 0");
}

TEST(LaunchTest, ADetachedLabGoesOnAfterItsLauncherReturned) {
    KIN_NEEDS_LABS();
    netns::LaunchOptions options;
    options.foreground = netns::Foreground::kDetachWhenReady;
    LaunchedLab lab(
        [](netns::ServerContext& context, LaunchedLab& self) {
            context.notify_ready("");
            self.say(own_user_namespace());
            // The launcher in the background, as the host sees it: the parent of PID 1.
            self.say(cat(host_pid()));
            context.wait_for_stop();
            return 0;
        },
        options);
    const std::string user_namespace = lab.hear();
    EXPECT_EQ(lab.ended(), "exit 0");
    // PID 1 makes its template root in a process of its own, which ends soon.
    auto living = processes_in(user_namespace);
    ASSERT_TRUE(eventually(1000, [&] {
        living = processes_in(user_namespace);
        return living.size() == 2;
    }));
    ::kill(living[0], SIGKILL);  // PID 1 has the lower number.
    EXPECT_TRUE(eventually(1000, [&] { return processes_in(user_namespace).empty(); }));
}

TEST(LaunchTest, ADetachedLabThatFailsSaysWhy) {
    KIN_NEEDS_LABS();
    netns::LaunchOptions options;
    options.foreground = netns::Foreground::kDetachWhenReady;
    LaunchedLab lab(
        [](netns::ServerContext&, LaunchedLab&) {
            ::raise(SIGKILL);
            return 0;
        },
        options);
    EXPECT_EQ(lab.ended(), "error: the server was killed by signal 9 (Killed)");
}

}  // namespace
}  // namespace kin::test
