#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/base/unique_fd.h"

namespace kin::netns {

/// What the containers of one pod share besides its network: ipc and uts namespaces. They live as
/// long as this object or a process in them.
struct Sandbox {
    UniqueFd ipc;
    UniqueFd uts;

    /// About 50 us. Fails with kInvalid if the host name has more than 64 bytes. The calling thread
    /// is in other ipc and uts namespaces meanwhile, and back in its own afterwards.
    static Result<Sandbox> create(const std::string& hostname);
};

/// What container runtimes leave to root in a container: CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD
/// NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE.
extern const uint64_t kDefaultCapabilities;
/// The bit of "NET_ADMIN" or "CAP_NET_ADMIN"; 0 for a name the kernel does not know, and for those
/// that would lead out of a container (SYS_ADMIN, SYS_MODULE, BPF...).
uint64_t capability_bit(std::string_view name);

/// Names one process that was started here: a container (its pid 1) or an exec in one. Not reused.
using ProcessId = uint32_t;

/// How a process is run, in a new container or in a running one.
struct ProcessSpec {
    /// The program (looked up in PATH of `env` when it has no slash) and its arguments.
    std::vector<std::string> argv;
    /// Name for LaunchOptions::run_personality: runs that instead of a program. argv stays.
    std::string personality;
    std::vector<std::string> env;  ///< "NAME=value"; HOME and PATH are added where missing.
    std::string cwd = "/";         ///< Made where missing.
    uint32_t uid = 0;
    uint32_t gid = 0;
    std::vector<uint32_t> groups;
    uint64_t capabilities = kDefaultCapabilities;
    /// Not owned, and free to be closed when the call returns; -1 is /dev/null.
    int stdin_fd = -1;
    int stdout_fd = -1;
    int stderr_fd = -1;
    /// A terminal of the container instead of the three: its master comes with kStarted.
    bool tty = false;
};

/// What stands in /bin.
enum class RootFlavour : uint8_t {
    kHost,     ///< The host's programs, as on the host.
    kBusybox,  ///< busybox and its applets; the host's programs are in /usr/bin.
};

struct VolumeMount {
    /// A directory or file as the server sees it; it is bound with the mounts below it.
    std::string source;
    /// Where in the container; made where missing. Absolute.
    std::string target;
    bool read_only = false;
};

struct PlacedFile {
    std::string path;  ///< Absolute; its directories are made where missing.
    std::string content;
    mode_t mode = 0644;
};

struct ContainerSpec {
    ProcessSpec process;
    int network_fd = -1;               ///< The pod's network namespace. Not owned.
    const Sandbox* sandbox = nullptr;  ///< Not owned.
    /// A running container whose processes it sees, and with whose end it ends; 0: it is pid 1 of a
    /// pid namespace of its own.
    ProcessId pid_namespace_of = 0;
    RootFlavour flavour = RootFlavour::kHost;
    /// Empty, writable, below /usr too.
    std::vector<std::string> directories;
    std::vector<VolumeMount> mounts;  ///< In this order.
    /// Where the root, without the mounts above, shows once more, with nothing in it to be changed.
    std::vector<std::string> root_views;
    /// /etc/resolv.conf, /etc/hosts, /etc/hostname and what the image brings; written before the
    /// volumes are mounted over them.
    std::vector<PlacedFile> files;
    bool read_only_root = false;
};

/// One thing that happened to a process: kStarted or kFailed first, after kStarted one kExited.
struct ProcessEvent {
    enum class Kind { kStarted, kFailed, kExited };
    Kind kind;
    ProcessId id;
    pid_t pid = -1;     ///< kStarted: as PID 1 and the server see it.
    UniqueFd tty;       ///< kStarted of a process with a tty: the terminal's master.
    std::string error;  ///< kFailed: in words, as a container runtime says it.
    int exit_code = 0;  ///< kExited: 128 + signal for a killed one, as Kubernetes reports it.
    int signal = 0;     ///< kExited: the signal that killed it, or 0.
};

/// The server's side of PID 1: starts containers and processes in them, and hears of their end.
///
/// Asynchronous: requests are sent at once (about 50 us each) and events come out of on_readable(),
/// when fd() polls readable. Owned by one thread. When this object goes, the processes stay; they
/// end with the server.
class Containers {
public:
    using OnEvent = std::function<void(ProcessEvent)>;

    static Result<std::unique_ptr<Containers>> create(UniqueFd init_socket);
    ~Containers();
    Containers(const Containers&) = delete;
    Containers& operator=(const Containers&) = delete;

    /// To be polled for reading.
    int fd() const { return epoll_.get(); }
    /// Delivers what has happened, without blocking. Event functions may call this object again.
    void on_readable();

    /// Starts a container. Its process is pid 1 of a pid namespace of its own, unless it shares
    /// another's. Fails at once with kNotFound if a volume's source does not exist or that other
    /// container does not run; all else arrives as kFailed.
    Result<ProcessId> start(const ContainerSpec& spec, OnEvent on_event);
    /// Runs one more process in a running container. kFailed when that has ended.
    Result<ProcessId> exec(ProcessId container, const ProcessSpec& spec, OnEvent on_event);
    /// Sends a signal. A process that has ended already is success. As everywhere, pid 1 of a
    /// container is not hit by a signal it does not handle, except SIGKILL.
    Result<> signal(ProcessId process, int signal_number);
    /// Kills a process and those of its process group: what it started, as far as that has not
    /// left the group. Nothing if the process itself has ended already.
    Result<> kill_group(ProcessId process);

private:
    struct Process;

    explicit Containers(UniqueFd init_socket, UniqueFd epoll);
    Result<> check_running(ProcessId container) const;
    Result<> tell(uint32_t operation, ProcessId process, int signal_number);
    Result<ProcessId> request(uint32_t operation, ProcessId target, const std::string& encoded,
                              std::vector<int> fds, OnEvent on_event);
    void read_init();
    void read_report(ProcessId id);
    void deliver_start(ProcessId id);
    void deliver_exit(ProcessId id, int wait_status);

    UniqueFd init_;
    UniqueFd epoll_;
    ProcessId last_id_ = 0;
    std::map<ProcessId, std::unique_ptr<Process>> processes_;
};

}  // namespace kin::netns
