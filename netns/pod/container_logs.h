#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/base/unique_fd.h"
#include "core/contracts/pod_access.h"
#include "core/loop/loop.h"

namespace kin::netns {

/// The server's ends of a container's stdio, non-blocking. With a terminal the other two outputs
/// are invalid.
struct ContainerStreams {
    UniqueFd stdin_write, stdout_read, stderr_read, terminal;
};

/// What containers write: it goes into their log files, and to whoever is attached to them.
///
/// Its work is done on `loop`, which is not the control thread: a container that writes much must
/// not hold up the cluster. All functions are thread-safe and return at once; callbacks come on
/// `loop` and must only post.
class ContainerLogs {
public:
    using Id = uint64_t;
    struct Options {
        std::string path;         ///< of the log file
        bool stdin_once = false;  ///< stdin ends for good when the first attached one leaves
        /// The first to attach gets what was written before (up to 64 KiB): meant for containers
        /// with stdin, which are started to be talked with.
        bool replay = false;
    };

    explicit ContainerLogs(Loop& loop);
    ~ContainerLogs();  ///< Closes all streams. From any thread but the loop's.
    ContainerLogs(const ContainerLogs&) = delete;
    ContainerLogs& operator=(const ContainerLogs&) = delete;

    /// Follows a container's streams until they end; then, with the log complete, calls `drained`.
    /// Without any streams (a container that is a part of kin) the log ends with end().
    Id open(Options options, ContainerStreams streams, std::function<void()> drained);
    /// Adds a line to the log of a container that has no streams.
    void add_line(Id id, std::string line);
    /// The container has ended: nothing is read any more.
    void end(Id id);
    /// The container is of the past: nobody attaches any more. Its log file stays.
    void forget(Id id);

    /// Gives the caller streams of its own: stdout and stderr, or a terminal's both directions, and
    /// stdin where the container has one. `started` gets a 400 if `id` is not known any more.
    void attach(Id id, const PodAccess::ExecRequest& request, PodAccess::Started started,
                std::function<void()> ended);
    /// See PodAccess::follow_log.
    std::shared_ptr<void> follow(const std::string& path,
                                 std::function<void(bool running)> changed);

private:
    struct Internals;
    struct Container;

    Loop& loop_;
    std::atomic<Id> last_id_{0};
    const std::shared_ptr<Internals> internals_;  // Touched on loop_ only.
};

}  // namespace kin::netns
