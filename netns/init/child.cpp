#include "netns/init/child.h"

#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>

#include "core/base/files.h"
#include "core/base/strings.h"
#include "netns/init/confine.h"
#include "netns/init/container_root.h"
#include "netns/init/protocol.h"
#include "netns/init/sys.h"

namespace kin::netns {
namespace {

constexpr std::string_view kDefaultPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
constexpr int kLastStdio = 2;
constexpr int kReport = 3;

/// As a fresh program expects it: PID 1 blocks signals and reads them from a descriptor.
void reset_signals() {
    for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

Result<std::string> read_memory_file(const UniqueFd& fd) {
    struct stat status;
    if (::fstat(fd.get(), &status) < 0) return Error::from_errno("fstat");
    std::string bytes(static_cast<size_t>(status.st_size), '\0');
    size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t length =
            ::pread(fd.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
        if (length <= 0) return Error::from_errno("read the memory file");
        done += static_cast<size_t>(length);
    }
    return bytes;
}

Result<> join(const UniqueFd& fd, int kind, std::string_view what) {
    if (::setns(fd.get(), kind) < 0) return Error::from_errno(cat("join the pod's ", what));
    return Ok{};
}

/// A terminal of the container's own devpts, so that programs find it under its name.
Result<> open_terminal(const ProcessSpec& spec, int report) {
    UniqueFd master(::open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!master.valid()) return Error::from_errno("open /dev/ptmx");
    int locked = 0;
    if (::ioctl(master.get(), TIOCSPTLCK, &locked) < 0) return Error::from_errno("unlock the tty");
    UniqueFd terminal(::ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!terminal.valid()) return Error::from_errno("open the tty");
    if (spec.uid != 0) (void)::fchown(terminal.get(), spec.uid, spec.gid);
    if (::ioctl(terminal.get(), TIOCSCTTY, 0) < 0) return Error::from_errno("TIOCSCTTY");
    for (int fd = 0; fd <= kLastStdio; ++fd) ::dup2(terminal.get(), fd);
    const int fds[] = {master.get()};
    const char kind = static_cast<char>(ChildReport::kTty);
    return send_packet(report, {&kind, 1}, fds);
}

Result<> connect_stdio(const ProcessSpec& spec, const std::vector<UniqueFd>& fds) {
    UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null.valid()) return Error::from_errno("open /dev/null");
    const int present[] = {spec.stdin_fd, spec.stdout_fd, spec.stderr_fd};
    for (int fd = 0; fd <= kLastStdio; ++fd) {
        const size_t index = kStdinFd + static_cast<size_t>(fd);
        const int source = present[fd] >= 0 ? fds[index].get() : null.get();
        if (::dup2(source, fd) < 0) return Error::from_errno("dup2");
    }
    return Ok{};
}

std::string_view environment(const ProcessSpec& spec, std::string_view name) {
    for (const std::string_view entry : spec.env) {
        if (entry.size() > name.size() && entry[name.size()] == '=' && entry.starts_with(name)) {
            return entry.substr(name.size() + 1);
        }
    }
    return {};
}

void add_missing_environment(ProcessSpec& spec) {
    if (environment(spec, "PATH").empty()) spec.env.push_back(cat("PATH=", kDefaultPath));
    if (environment(spec, "HOME").empty()) {
        spec.env.emplace_back(spec.uid == 0 ? "HOME=/root" : "HOME=/");
    }
    if (spec.tty && environment(spec, "TERM").empty()) spec.env.emplace_back("TERM=xterm");
}

bool is_program(const std::string& path) {
    struct stat status;
    return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
           ::access(path.c_str(), X_OK) == 0;
}

/// Where the program is; the words of the failure are those of container runtimes, because people
/// search for them.
Result<std::string> find_program(const ProcessSpec& spec) {
    if (spec.argv.empty()) return Error(Errc::kInvalid, "no command specified");
    const std::string& name = spec.argv[0];
    if (name.find('/') == std::string::npos) {
        for (const std::string_view directory : split(environment(spec, "PATH"), ':')) {
            const std::string path = cat(directory.empty() ? "." : directory, "/", name);
            if (is_program(path)) return path;
        }
        return Error(Errc::kNotFound,
                     cat("exec: \"", name, "\": executable file not found in $PATH"));
    }
    struct stat status;
    if (::stat(name.c_str(), &status) < 0) {
        return Error(Errc::kNotFound,
                     cat("exec: \"", name, "\": stat ", name, ": no such file or directory"));
    }
    if (S_ISDIR(status.st_mode)) {
        return Error(Errc::kInvalid, cat("exec: \"", name, "\": is a directory"));
    }
    if (!is_program(name)) {
        return Error(Errc::kDenied, cat("exec: \"", name, "\": permission denied"));
    }
    return name;
}

Error exec_program(const std::string& path, const ProcessSpec& spec) {
    const auto pointers = [](const std::vector<std::string>& list) {
        std::vector<char*> result;
        for (const std::string& text : list) result.push_back(const_cast<char*>(text.c_str()));
        result.push_back(nullptr);
        return result;
    };
    const auto argv = pointers(spec.argv);
    const auto env = pointers(spec.env);
    ::execve(path.c_str(), argv.data(), env.data());
    const int error_number = errno;
    if (error_number == ENOEXEC) {
        return Error(Errc::kInvalid, cat("exec ", path, ": exec format error"));
    }
    return Error::from_errno(cat("exec ", path), error_number);
}

Result<> enter_working_directory(const ProcessSpec& spec) {
    const std::string& path = spec.cwd.empty() ? "/" : spec.cwd;
    if (::chdir(path.c_str()) == 0) return Ok{};
    TRY(make_directories(path, 0755).context("working directory"));
    if (::chdir(path.c_str()) < 0) return Error::from_errno(cat("chdir ", path));
    return Ok{};
}

/// A clone without an exec still shows the command line of the lab's own start. `ps` reads it from
/// where the kernel put it, so the program's words are written there: as many as fit.
void show_command_line(const std::vector<std::string>& argv) {
    const auto stat = read_file("/proc/self/stat");
    if (!stat) return;
    // Behind the name in brackets, from field 3 on: fields 48 and 49 bound the command line.
    const auto fields = split(std::string_view(*stat).substr(stat->rfind(')') + 2), ' ');
    constexpr size_t kArgStart = 48 - 3, kArgEnd = 49 - 3;
    if (fields.size() <= kArgEnd) return;
    const auto start = parse_number<uintptr_t>(fields[kArgStart]);
    const auto end = parse_number<uintptr_t>(fields[kArgEnd]);
    if (!start || !end || *start == 0 || *end <= *start) return;
    std::string text;
    for (const std::string& word : argv) text += word + '\0';
    text.resize(*end - *start, '\0');
    text.back() = '\0';
    std::memcpy(reinterpret_cast<void*>(*start), text.data(), text.size());
}

[[noreturn]] void run_personality(const ProcessSpec& spec, RunPersonality run) {
    // Without its settings, as `ps` shows it.
    ::prctl(PR_SET_NAME, spec.personality.substr(0, spec.personality.find(' ')).c_str());
    show_command_line(spec.argv);
    // A stop that comes as soon as the start is known waits until the program looks for it; pid 1
    // would lose it.
    sigset_t stops;
    sigemptyset(&stops);
    for (const int number : {SIGTERM, SIGINT, SIGQUIT}) sigaddset(&stops, number);
    ::sigprocmask(SIG_BLOCK, &stops, nullptr);
    const int code = run(spec.personality, spec.argv, spec.env, [] { ::close(kReport); });
    std::fflush(nullptr);
    ::_exit(code);
}

/// From a process inside its container to its program. Returns only on failure.
Error run_process(ProcessSpec& spec, std::vector<UniqueFd>& fds, const CloneOrigin& origin) {
    ::setsid();
    TRY(spec.tty ? open_terminal(spec, fds[kReportFd].get()) : connect_stdio(spec, fds));
    // Nothing that PID 1 or the launcher had open comes along.
    if (::dup3(fds[kReportFd].get(), kReport, O_CLOEXEC) < 0) return Error::from_errno("dup3");
    for (UniqueFd& fd : fds) (void)fd.release();
    ::close_range(kReport + 1, ~0U, 0);
    TRY(enter_working_directory(spec));
    add_missing_environment(spec);
    TRY(confine(spec, origin.one_id));
    if (!spec.personality.empty()) {
        if (origin.run_personality) run_personality(spec, origin.run_personality);
        return Error(Errc::kNotFound, cat("no built-in program ", spec.personality));
    }
    TRY_ASSIGN(const std::string path, find_program(spec));
    return exec_program(path, spec);
}

Error try_container(std::vector<UniqueFd>& fds, const CloneOrigin& origin) {
    TRY_ASSIGN(const std::string bytes, read_memory_file(fds[kSpecFd]));
    TRY_ASSIGN(ContainerSpec spec, decode_container(bytes));
    TRY(join(fds[kNetworkFd], CLONE_NEWNET, "network namespace"));
    TRY(join(fds[kIpcFd], CLONE_NEWIPC, "ipc namespace"));
    TRY(join(fds[kUtsFd], CLONE_NEWUTS, "uts namespace"));
    std::vector<UniqueFd> trees;
    for (size_t i = kTreesFd; i < fds.size(); ++i) trees.push_back(std::move(fds[i]));
    fds.resize(kTreesFd);
    if (trees.size() != spec.mounts.size()) {
        return Error(Errc::kInvalid, "volumes and mounts differ in number");
    }
    TRY(enter_container_root(spec, trees, origin.root));
    return run_process(spec.process, fds, origin);
}

Error try_exec(std::vector<UniqueFd>& fds, const CloneOrigin& origin) {
    TRY_ASSIGN(const std::string bytes, read_memory_file(fds[kSpecFd]));
    TRY_ASSIGN(ProcessSpec spec, decode_process(bytes));
    return run_process(spec, fds, origin);
}

[[noreturn]] void report_and_exit(const std::vector<UniqueFd>& fds, const Error& error) {
    const int report = fds[kReportFd].valid() ? fds[kReportFd].get() : kReport;
    std::string bytes(1, static_cast<char>(ChildReport::kError));
    bytes += error.text();
    (void)send_packet(report, bytes);
    ::_exit(error.code() == Errc::kNotFound ? 127 : 126);
}

}  // namespace

void become_container(std::vector<UniqueFd> fds, const CloneOrigin& origin) {
    reset_signals();
    ::umask(022);
    const Error error = try_container(fds, origin);
    report_and_exit(fds, error);
}

void become_exec(std::vector<UniqueFd> fds, const CloneOrigin& origin) {
    reset_signals();
    ::umask(022);
    const Error error = try_exec(fds, origin);
    report_and_exit(fds, error);
}

}  // namespace kin::netns
