#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/api/object_key.h"
#include "core/api/status.h"
#include "core/base/time.h"
#include "core/base/unique_fd.h"

namespace kin {

/// How to reach into a running pod. The node agent (netns) implements it, the API server uses it.
/// All calls are thread-safe and return at once; callbacks come on the agent's thread and must only
/// post.
class PodAccess {
public:
    struct ExecRequest {
        ObjectKey pod;
        /// Instead of a pod: a host of the lab ("node-1", "router", "client"), in whose network a
        /// container of its own is made for the command, as the lab's root.
        std::string host;
        std::string container;             ///< "": the only one, or the default container
        std::vector<std::string> command;  ///< empty: attach to the running container
        bool want_stdin = false, want_stdout = true, want_stderr = true, tty = false;
    };
    /// The server's ends of a process's streams, non-blocking; those not asked for are invalid.
    /// With a tty `terminal` is there, to set its size, and takes the part of the streams that are
    /// invalid.
    struct ExecStreams {
        UniqueFd stdin_write, stdout_read, stderr_read, terminal;
        /// Of exec: when the last one lets go of this, the process is killed with all that it
        /// started and that has not made itself a session or process group of its own.
        std::shared_ptr<void> lease;
    };
    struct ExitStatus {
        int code = 0;         ///< 128 + signal when killed
        std::string message;  ///< "" or why it could not run (no such executable)
        bool started = true;
    };
    using Started = std::function<void(Answer<ExecStreams>)>;
    using Exited = std::function<void(ExitStatus)>;

    virtual ~PodAccess() = default;
    /// Starts a process in a container. `exited` is called once, after `started` gave streams.
    virtual void exec(ExecRequest request, Started started, Exited exited) = 0;
    /// Joins the running container's own streams; what it wrote before is not replayed. One who
    /// does not read holds the container up, and is cut off after a while. `exited` is called when
    /// the container ends.
    virtual void attach(ExecRequest request, Started started, Exited exited) = 0;
    /// A TCP connection to 127.0.0.1:port inside the pod, already connected (non-blocking).
    virtual void connect(const ObjectKey& pod, uint16_t port,
                         std::function<void(Answer<UniqueFd>)> connected) = 0;

    struct LogRequest {
        ObjectKey pod;
        std::string container;
        bool previous = false;
    };
    /// Where a container's log is: a file of lines "RFC3339NANO stdout|stderr F|P text\n" as CRI
    /// runtimes write them, and whether more will come.
    struct LogFile {
        std::string path;
        bool running = false;
    };
    virtual void find_log(LogRequest request, std::function<void(Answer<LogFile>)> found) = 0;
    /// Calls `changed` whenever the log at `path` grew or its container ended, until the returned
    /// handle is destroyed.
    virtual std::shared_ptr<void> follow_log(const std::string& path,
                                             std::function<void(bool running)> changed) = 0;
};

}  // namespace kin
