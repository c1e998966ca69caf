#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/base/unique_fd.h"

namespace kin::netns {

/// Runs the built-in program `name` in the calling process until it ends; gives its exit code.
/// It is called in a fresh clone of PID 1, single-threaded, already confined, stdio in place.
/// `args[0]` is the name it was called by; `env` holds "NAME=value". It calls `running` once it does
/// what it is for, a server once it listens: until then, or its end, ProcessEvent::kStarted waits.
/// Whoever is sent to a pod without a readiness probe, because it runs, is answered then.
using RunPersonality = int (*)(const std::string& name, const std::vector<std::string>& args,
                               const std::vector<std::string>& env, void (*running)());

enum class Foreground { kStay, kDetachWhenReady };

struct LaunchOptions {
    /// Made with their parents where missing (mode 0700). Started as root they are given to the
    /// lab's root, an unprivileged id of the host, which therefore must be able to reach them:
    /// not below /root.
    std::vector<std::string> directories;
    /// kDetachWhenReady: launch() returns once the server said notify_ready(), and the lab goes on
    /// in the background, in a session of its own.
    Foreground foreground = Foreground::kStay;
    /// Where stdout and stderr of a detached lab go, appended; empty: /dev/null.
    std::string log_file;
    /// Called in the process that called launch(), with the server's words.
    std::function<void(std::string_view)> on_ready;
    /// After SIGINT or SIGTERM the server has this long to end by itself; a second signal or the
    /// end of this time kills it.
    std::chrono::milliseconds stop_timeout{10000};
    /// What ContainerSpec::personality names; without it such a start fails.
    RunPersonality run_personality = nullptr;
};

/// Which ids exist in the lab.
struct IdMap {
    uint32_t host_uid = 0;  ///< The lab's root, as the host sees it.
    uint32_t host_gid = 0;
    uint32_t uids = 1;  ///< Ids from 0 on. With 1, runAsUser and chown to others are impossible.
    uint32_t gids = 1;
};

/// What the server, the first child of the lab's PID 1, gets from its start. Used by its main
/// thread, except where said.
class ServerContext {
public:
    ServerContext(UniqueFd init_socket, UniqueFd launcher, UniqueFd stop, IdMap ids)
        : init_socket_(std::move(init_socket)),
          launcher_(std::move(launcher)),
          stop_(std::move(stop)),
          ids_(ids) {}

    /// The connection to PID 1, for the one Containers object. Invalid when taken before.
    UniqueFd take_init_socket() { return std::move(init_socket_); }
    /// Becomes readable when the lab is to end in good order, and stays so.
    int stop_fd() const { return stop_.get(); }
    /// Blocks until the lab is to end.
    void wait_for_stop() const;
    /// Tells the launcher that the lab is up: it calls on_ready, and detaches if asked to.
    /// Thread-safe. `text` of up to 64 KiB.
    void notify_ready(std::string_view text) const;
    /// Tells the launcher why the lab ends: launch() returns this error, in a detaching launch()
    /// that has returned already it goes to the log file. Thread-safe.
    void notify_failed(const Error& error) const;
    const IdMap& ids() const { return ids_; }

private:
    UniqueFd init_socket_;
    UniqueFd launcher_;
    UniqueFd stop_;
    IdMap ids_;
};

/// Starts a lab and waits for its end: this process stays as the launcher, its child is PID 1 of
/// new user, pid, mount, ipc and uts namespaces, and PID 1's first child runs `server` and exits
/// with what that returns.
///
/// The server keeps the host's network namespace and sees the host's files, with the rights of an
/// ordinary user: the caller's or, started as root, those of a high id that owns nothing. Whatever
/// kills the launcher, PID 1 or the server, the kernel ends all others. SIGINT, SIGTERM and SIGHUP
/// to the launcher end the server in good order.
///
/// Returns the server's exit code; an Error in words for people when the lab could not start
/// (kDenied: this machine forbids user namespaces) or was killed. Returns only in the calling
/// process. Call it before any thread exists. Raises RLIMIT_NOFILE to its hard limit.
Result<int> launch(const LaunchOptions& options, const std::function<int(ServerContext&)>& server);

}  // namespace kin::netns
