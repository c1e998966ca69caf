#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "netns/init/containers.h"
#include "netns/init/launch.h"

namespace kin::test {

/// A launcher in a child process, and what its server says to the test.
class LaunchedLab {
public:
    /// What the server runs; it says things to the test with say().
    using Server = std::function<int(netns::ServerContext&, LaunchedLab&)>;

    explicit LaunchedLab(Server server, netns::LaunchOptions options = {});
    ~LaunchedLab();  ///< Kills what still runs.
    LaunchedLab(const LaunchedLab&) = delete;
    LaunchedLab& operator=(const LaunchedLab&) = delete;

    /// In the server: a message to the test.
    void say(std::string_view text) const;
    /// In the test: the next message; "" when the lab has ended or nothing came for 20 s.
    std::string hear() const;
    pid_t launcher() const { return launcher_; }
    /// Waits for the launcher's end. What launch() returned: "exit 0", "error: words", or, if the
    /// launcher was killed, "killed".
    std::string ended();

private:
    pid_t launcher_ = -1;
    UniqueFd messages_[2];
    UniqueFd outcome_;
};

/// Runs `server` in a lab and gives the text it returns, or the error of the launch.
std::string in_lab(const std::function<std::string(netns::ServerContext&)>& server,
                   netns::LaunchOptions options = {});
/// The words of why labs cannot be started here, "" where they can.
std::string why_no_labs();

/// Inside a lab's server: containers, driven until something has happened.
class Pods {
public:
    explicit Pods(netns::ServerContext& context);

    /// Starts a container of a pod with a network of its own (lo is up) and waits until it runs.
    /// Gives its id, 0 if it failed: then error() has the words.
    netns::ProcessId start(netns::ContainerSpec spec);
    netns::ProcessId exec(netns::ProcessId container, netns::ProcessSpec spec);
    /// Runs a container or, with `container`, an exec to its end. What it wrote to stdout and
    /// stderr, then "[exit N]"; "[failed: words]" if it did not start.
    std::string run(netns::ContainerSpec spec);
    std::string run(netns::ProcessId container, netns::ProcessSpec spec);
    /// Waits for the end of a process; its exit code.
    int wait(netns::ProcessId id);
    /// Whether somebody listens at this port of 127.0.0.1 in the pods' network.
    bool listens(uint16_t port) const;
    netns::Containers& containers() { return *containers_; }
    const std::string& error() const { return error_; }
    UniqueFd take_tty() { return std::move(tty_); }

private:
    void pump_until(const std::function<bool()>& done);
    netns::Containers::OnEvent record();
    std::string collect(UniqueFd reader, netns::ProcessId id);

    std::unique_ptr<netns::Containers> containers_;
    UniqueFd network_;
    netns::Sandbox sandbox_;
    std::map<netns::ProcessId, pid_t> started_;
    std::map<netns::ProcessId, int> exited_;
    bool failed_ = false;
    std::string error_;
    UniqueFd tty_;
};

/// A container that runs `argv`.
netns::ContainerSpec container(std::vector<std::string> argv,
                               netns::RootFlavour flavour = netns::RootFlavour::kHost);

/// Living processes, as the host sees them, in the user namespace `user_namespace`
/// ("user:[4026532]").
std::vector<pid_t> processes_in(const std::string& user_namespace);
/// Polls until it holds, for at most `deadline_ms`.
bool eventually(int deadline_ms, const std::function<bool()>& holds);

}  // namespace kin::test

/// At the start of a lab test.
#define KIN_NEEDS_LABS()                                         \
    do {                                                         \
        const std::string kin_reason = kin::test::why_no_labs(); \
        if (!kin_reason.empty()) GTEST_SKIP() << kin_reason;     \
    } while (false)
