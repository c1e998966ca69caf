#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "core/base/strings.h"
#include "netns/init/sys.h"
#include "tests/netns/init/lab.h"

namespace kin::test {
namespace {

using netns::ContainerSpec;
using netns::RootFlavour;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

/// What a container of this kind writes, and its exit code.
std::string output_of(const ContainerSpec& spec, netns::LaunchOptions options = {}) {
    return in_lab([&](netns::ServerContext& context) { return Pods(context).run(spec); },
                  std::move(options));
}
std::string shell(const std::string& script) { return output_of(container({"sh", "-c", script})); }

class ContainerLabTest : public testing::Test {
protected:
    void SetUp() override { KIN_NEEDS_LABS(); }
};

TEST_F(ContainerLabTest, BusyboxRunsFromItsOwnBin) {
    EXPECT_EQ(output_of(container({"sh", "-c", "echo hello; readlink -f /bin/ls"},
                                  RootFlavour::kBusybox)),
              "hello\n/usr/bin/busybox\n[exit 0]");
}

TEST_F(ContainerLabTest, ExitCodesArriveAsKubernetesReportsThem) {
    EXPECT_EQ(shell("exit 3"), "[exit 3]");
    // Pid 1 is not hit by its own signals, its child is.
    EXPECT_THAT(shell("sh -c 'kill -TERM $$'; exit $?"), EndsWith("[exit 143]"));
}

TEST_F(ContainerLabTest, AKilledContainerExitsWith137) {
    EXPECT_EQ(in_lab([](netns::ServerContext& context) {
                  Pods pods(context);
                  const auto id = pods.start(container({"sleep", "1000"}));
                  if (!pods.containers().signal(id, SIGKILL)) return std::string("no signal");
                  return cat(pods.wait(id));
              }),
              "137");
}

TEST_F(ContainerLabTest, AMissingProgramFailsInARuntimesWords) {
    EXPECT_EQ(output_of(container({"no-such-program"})),
              "[failed: exec: \"no-such-program\": executable file not found in $PATH]");
    EXPECT_EQ(output_of(container({"/no/such"})),
              "[failed: exec: \"/no/such\": stat /no/such: no such file or directory]");
    EXPECT_EQ(output_of(container({"/etc/passwd"})),
              "[failed: exec: \"/etc/passwd\": permission denied]");
}

TEST_F(ContainerLabTest, ItIsPidOneOfItsOwnNamespaceUnderThePodsHostName) {
    EXPECT_EQ(shell("echo $$; hostname; ls /proc | grep -c '^[0-9]'"), "1\npod-a\n3\n[exit 0]");
}

TEST_F(ContainerLabTest, PrivilegesAreThoseOfAContainerRuntime) {
    const std::string status =
        shell("grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status | tr '\\t' ' '");
    EXPECT_THAT(status, HasSubstr("CapEff: 00000000a80425fb\n"));
    EXPECT_THAT(status, HasSubstr("CapBnd: 00000000a80425fb\n"));
    EXPECT_THAT(status, HasSubstr("CapInh: 0000000000000000\n"));
    EXPECT_THAT(status, HasSubstr("NoNewPrivs: 1\n"));
    EXPECT_THAT(status, HasSubstr("Seccomp: 2\n"));
}

TEST_F(ContainerLabTest, SystemCallsThatALabNeverNeedsAreRefused) {
    EXPECT_THAT(shell("mount -t tmpfs none /mnt"), Not(HasSubstr("[exit 0]")));
    EXPECT_THAT(shell("unshare --user true"), HasSubstr("Operation not permitted"));
    EXPECT_THAT(shell("unshare --net true"), HasSubstr("Operation not permitted"));
    EXPECT_THAT(shell("umount /proc/sys"), Not(HasSubstr("[exit 0]")));
}

TEST_F(ContainerLabTest, ProcHidesTheHostAndCannotChangeIt) {
    EXPECT_EQ(shell("wc -c < /proc/keys; wc -c < /proc/timer_list"), "0\n0\n[exit 0]");
    EXPECT_THAT(shell("echo 1 > /proc/irq/default_smp_affinity"),
                HasSubstr("Read-only file system"));
    EXPECT_THAT(shell("echo 1 > /proc/sys/net/ipv4/ip_forward"),
                HasSubstr("Read-only file system"));
}

TEST_F(ContainerLabTest, NoFileOfTheHostIsWritable) {
    EXPECT_THAT(shell("touch /usr/kin-was-here"), HasSubstr("Read-only file system"));
    EXPECT_THAT(shell("echo x > /dev/kin-was-here"), HasSubstr("Read-only file system"));
    EXPECT_THAT(shell("touch /etc/ssl/certs/kin-was-here"), HasSubstr("Read-only file system"));
    EXPECT_THAT(shell("touch /.kin/kin-was-here"), HasSubstr("Read-only file system"));
}

TEST_F(ContainerLabTest, NothingOfTheHostsHomesAndEtcIsThere) {
    EXPECT_EQ(shell("ls -A /root /home /srv /mnt | grep -v : | grep .; ls /etc/shadow 2>/dev/null"),
              "[exit 2]");
    EXPECT_THAT(shell("cat /proc/self/mounts"), Not(HasSubstr("/newroot")));
}

TEST_F(ContainerLabTest, ItsOwnRootIsWritable) {
    EXPECT_EQ(shell("echo a > /file; mkdir /data; echo b > /tmp/f; echo c > /var/log/l; "
                    "cat /file /tmp/f /var/log/l; echo x > /dev/null; ls /dev/shm"),
              "a\nb\nc\n[exit 0]");
}

TEST_F(ContainerLabTest, AReadOnlyRootIsNotWritable) {
    ContainerSpec spec = container({"sh", "-c", "echo a > /file"});
    spec.read_only_root = true;
    EXPECT_THAT(output_of(spec), HasSubstr("Read-only file system"));
}

TEST_F(ContainerLabTest, FilesAreWhereTheyWerePlaced) {
    ContainerSpec spec = container({"cat", "/etc/hosts", "/usr/share/nginx/html/index.html"});
    spec.directories = {"/usr/share/nginx/html"};
    spec.files = {{"/etc/hosts", "127.0.0.1 localhost\n"},
                  {"/usr/share/nginx/html/index.html", "<h1>hi</h1>\n"}};
    EXPECT_EQ(output_of(spec), "127.0.0.1 localhost\n<h1>hi</h1>\n[exit 0]");
}

TEST_F(ContainerLabTest, DirectoriesBelowUsrAreWritableAndHideNothingBesides) {
    ContainerSpec spec =
        container({"sh", "-c",
                   "echo x > /usr/share/kin-test/html/f; cat /usr/share/kin-test/html/f; "
                   "ls /usr/share | wc -l"});
    spec.directories = {"/usr/share/kin-test/html"};
    const size_t on_host =
        static_cast<size_t>(std::distance(std::filesystem::directory_iterator("/usr/share"), {}));
    EXPECT_EQ(output_of(spec), cat("x\n", on_host + 1, "\n[exit 0]"));
}

TEST_F(ContainerLabTest, VolumesAreSharedAndReadOnlyWhereAsked) {
    char base[] = "/tmp/kin-volume-XXXXXX";
    ASSERT_NE(::mkdtemp(base), nullptr);
    netns::LaunchOptions options;
    options.directories = {cat(base, "/volume")};
    ::chmod(base, 0755);
    const std::string text = in_lab(
        [&](netns::ServerContext& context) {
            Pods pods(context);
            ContainerSpec writer = container({"sh", "-c", "echo shared > /data/deep/file"});
            writer.mounts = {{cat(base, "/volume"), "/data/deep", false}};
            ContainerSpec reader = container(
                {"sh", "-c", "cat /usr/share/nginx/html/file; touch /usr/share/nginx/html/x"});
            reader.mounts = {{cat(base, "/volume"), "/usr/share/nginx/html", true}};
            ContainerSpec missing = container({"true"});
            missing.mounts = {{cat(base, "/nowhere"), "/data", false}};
            std::string output = pods.run(writer);
            output += pods.run(reader);
            return output + pods.run(missing);
        },
        options);
    EXPECT_THAT(text, HasSubstr("shared\n"));
    EXPECT_THAT(text, HasSubstr("Read-only file system"));
    EXPECT_THAT(text, HasSubstr("nowhere: No such file or directory"));
    std::filesystem::remove_all(base);
}

TEST_F(ContainerLabTest, ExecRunsBesideTheContainersProcess) {
    EXPECT_EQ(in_lab([](netns::ServerContext& context) {
                  Pods pods(context);
                  const auto id = pods.start(container({"sleep", "1000"}));
                  netns::ProcessSpec spec;
                  spec.argv = {"sh", "-c",
                               "hostname; cat /proc/1/comm; echo $VAR; pwd; "
                               "grep -c 'Seccomp:.2' /proc/self/status; exit 5"};
                  spec.env = {"VAR=value"};
                  spec.cwd = "/tmp";
                  return pods.run(id, spec);
              }),
              "pod-a\nsleep\nvalue\n/tmp\n1\n[exit 5]");
}

TEST_F(ContainerLabTest, ExecEndsWithItsContainer) {
    EXPECT_EQ(in_lab([](netns::ServerContext& context) {
                  Pods pods(context);
                  const auto id = pods.start(container({"sleep", "1000"}));
                  const auto exec = pods.exec(id, container({"sleep", "1000"}).process);
                  if (!pods.containers().signal(id, SIGKILL)) return std::string("no signal");
                  const int code = pods.wait(exec);
                  const int container_code = pods.wait(id);
                  const std::string late = pods.run(id, container({"true"}).process);
                  return cat(code, " ", container_code, " ", late);
              }),
              "137 137 [failed: the container is not running]");
}

TEST_F(ContainerLabTest, AContainerCanShareTheProcessesOfAnother) {
    EXPECT_EQ(in_lab([](netns::ServerContext& context) {
                  Pods pods(context);
                  ContainerSpec first = container({"sh", "-c", "echo mine > /file; sleep 1000"});
                  first.process.capabilities |= netns::capability_bit("SYS_PTRACE");
                  const auto id = pods.start(first);
                  ContainerSpec spec =
                      container({"sh", "-c",
                                 "tr '\\0' ' ' </proc/1/cmdline; echo; cat /file; "
                                 "until cat /proc/1/root/file 2>/dev/null; do :; done; exit 7"});
                  spec.process.capabilities = first.process.capabilities;
                  spec.pid_namespace_of = id;
                  std::string text = pods.run(spec);
                  ContainerSpec lasting = container({"sleep", "1000"});
                  lasting.pid_namespace_of = id;
                  const auto other = pods.start(lasting);
                  if (!pods.containers().signal(id, SIGKILL)) return std::string("no signal");
                  text += cat(' ', pods.wait(other));
                  pods.wait(id);
                  return text + ' ' + pods.run(spec);
              }),
              "sh -c echo mine > /file; sleep 1000 \n"
              "cat: /file: No such file or directory\nmine\n[exit 7] 137 "
              "[failed: the container is not running]");
}

TEST_F(ContainerLabTest, AViewOfTheRootCannotBeChanged) {
    ContainerSpec spec = container(
        {"sh", "-c",
         "chroot /host sh -c 'echo in $(cat /etc/mark)'; echo > /etc/mark; cat /host/etc/mark; "
         "ls /host/host; touch /host/x /host/etc/x /host/usr/x /host/tmp/x"});
    spec.files = {{"/etc/mark", "marked"}};
    spec.root_views = {"/host"};
    const std::string text = output_of(spec);
    EXPECT_THAT(text, HasSubstr("in marked\n\n"));
    for (const char* place : {"/host/x", "/host/etc/x", "/host/usr/x", "/host/tmp/x"}) {
        EXPECT_THAT(text, HasSubstr(cat("'", place, "': Read-only file system")));
    }
}

TEST_F(ContainerLabTest, ATerminalIsTheContainersOwn) {
    const std::string text = in_lab([](netns::ServerContext& context) {
        Pods pods(context);
        const auto id = pods.start(container({"sleep", "1000"}));
        netns::ProcessSpec spec;
        spec.argv = {"sh", "-c", "tty; stty size; read line; echo got $line"};
        spec.tty = true;
        const auto exec = pods.exec(id, spec);
        if (exec == 0) return pods.error();
        UniqueFd master = pods.take_tty();
        winsize size{40, 100, 0, 0};
        ::ioctl(master.get(), TIOCSWINSZ, &size);
        (void)!::write(master.get(), "word\n", 5);
        std::string output;
        char buffer[512];
        // The end of the last process on a terminal reads as EIO.
        for (ssize_t length; (length = ::read(master.get(), buffer, sizeof buffer)) > 0;) {
            output.append(buffer, static_cast<size_t>(length));
        }
        return cat(output, pods.wait(exec));
    });
    EXPECT_THAT(text, HasSubstr("/dev/pts/0\r\n"));
    EXPECT_THAT(text, HasSubstr("got word\r\n"));
    EXPECT_THAT(text, EndsWith("\n0"));
}

TEST_F(ContainerLabTest, PingWorksOnItsOwnNetwork) {
    EXPECT_THAT(shell("ping -c 1 -W 2 127.0.0.1"), HasSubstr(" 0% packet loss"));
    EXPECT_THAT(output_of(container({"ping", "-c", "1", "127.0.0.1"}, RootFlavour::kBusybox)),
                HasSubstr(" 0% packet loss"));
}

int answer_with_arguments(const std::string& name, const std::vector<std::string>& args,
                          const std::vector<std::string>& env, void (*)()) {
    std::printf("%s %s %zu pid %d\n", name.c_str(), args.at(1).c_str(), env.size(), ::getpid());
    return 9;
}

TEST_F(ContainerLabTest, APersonalityRunsWithoutExec) {
    netns::LaunchOptions options;
    options.run_personality = answer_with_arguments;
    ContainerSpec spec = container({"echo", "argument"});
    spec.process.personality = "answerer";
    spec.process.env = {"A=1"};
    EXPECT_EQ(output_of(spec, options), "answerer argument 3 pid 1\n[exit 9]");
}

TEST_F(ContainerLabTest, NoDescriptorOfTheLabLeaksIntoAContainer) {
    EXPECT_EQ(shell("ls /proc/self/fd | wc -l"), "4\n[exit 0]");  // 0, 1, 2 and ls's own
}

TEST_F(ContainerLabTest, OneHundredContainersStartAndEnd) {
    EXPECT_EQ(in_lab([](netns::ServerContext& context) {
                  Pods pods(context);
                  std::vector<netns::ProcessId> ids;
                  for (int i = 0; i < 100; ++i) ids.push_back(pods.start(container({"true"})));
                  int good = 0;
                  for (const auto id : ids) good += pods.wait(id) == 0;
                  return cat(good);
              }),
              "100");
}

}  // namespace
}  // namespace kin::test
