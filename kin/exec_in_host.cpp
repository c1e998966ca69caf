#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "core/base/json.h"
#include "core/base/strings.h"
#include "core/base/unique_fd.h"
#include "kin/lab.h"
#include "kin/lab_client.h"
#include "kin/options.h"

namespace kin {

namespace {
/// The namespaces of one simulated host, as files of the server's process.
struct HostNamespaces {
    UniqueFd user, net;
};

Result<HostNamespaces> open_namespaces(const LabPaths& paths, const std::string& host) {
    TRY_ASSIGN(const RunningLab running, find_running(paths));
    TRY_ASSIGN(const Json lab, lab_get(paths, "/kin/v1/status"));
    std::vector<std::string> names;
    for (const Json& item : array_at(lab, {"hosts"})) {
        names.push_back(string_at(item, {"name"}));
        if (names.back() != host) continue;
        const std::string process = cat("/proc/", running.pid);
        HostNamespaces found;
        found.user.reset(::open((process + "/ns/user").c_str(), O_RDONLY | O_CLOEXEC));
        found.net.reset(
            ::open(cat(process, "/fd/", int_at(item, {"netns_fd"})).c_str(), O_RDONLY | O_CLOEXEC));
        if (!found.user.valid() || !found.net.valid()) {
            return Error::from_errno(cat("open the namespaces of ", host));
        }
        return found;
    }
    return Error(Errc::kNotFound,
                 cat("there is no host ", host, "; this lab has: ", join(names, ", ")));
}

[[noreturn]] void become(const HostNamespaces& namespaces, const std::string& host,
                         std::vector<std::string> command) {
    const bool shell = command.empty();
    if (::setns(namespaces.user.get(), CLONE_NEWUSER) != 0 ||
        ::setns(namespaces.net.get(), CLONE_NEWNET) != 0) {
        std::perror("kin: enter the node's namespaces");
        std::_Exit(126);
    }
    // Started by the host's root, we are nobody in there, and an exec would take all capabilities:
    // become the lab's root. Where only one id is mapped we are that already, and the host's
    // groups, which else would come along, cannot be given up (EPERM).
    if ((::setgroups(0, nullptr) != 0 && errno != EPERM) || ::setresgid(0, 0, 0) != 0 ||
        ::setresuid(0, 0, 0) != 0) {
        std::perror("kin: become the lab's root");
        std::_Exit(126);
    }
    if (shell) {
        const char* own = std::getenv("SHELL");
        command = {own && *own ? own : "/bin/sh"};
        // Read by bash and dash alike where no profile sets another one.
        ::setenv("PS1", cat("[", host, "] \\$ ").c_str(), 1);
        if (command[0].ends_with("/bash")) command.emplace_back("--norc");
    }
    // No name server of the machine can be reached from here: say so soon.
    ::setenv("RES_OPTIONS", "timeout:1 attempts:1", 0);
    // Where ip, nft and friends are on Debian, also for users whose PATH lacks it.
    const char* path = std::getenv("PATH");
    ::setenv("PATH", cat(path ? path : "/usr/bin:/bin", ":/usr/sbin:/sbin").c_str(), 1);
    std::vector<char*> words;
    for (std::string& word : command) words.push_back(word.data());
    words.push_back(nullptr);
    ::execvp(words[0], words.data());
    // EACCES of a bare word: a folder of PATH was closed to us, and none had the program.
    if (errno == EACCES && command[0].find('/') == std::string::npos) errno = ENOENT;
    std::perror(cat("kin: ", command[0]).c_str());
    std::_Exit(127);
}
}  // namespace

int exec_in_host(const std::string& lab, const std::string& host,
                 const std::vector<std::string>& command) {
    const auto paths = lab_paths(lab);
    if (!paths) return fail(paths.error().text());
    const auto namespaces = open_namespaces(*paths, host);
    if (!namespaces) return fail(namespaces.error().text());
    become(*namespaces, host, command);
}

}  // namespace kin
