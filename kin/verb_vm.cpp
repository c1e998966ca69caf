#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "core/base/strings.h"
#include "kin/lab.h"
#include "kin/options.h"
#include "kin/pki.h"
#include "kin/vm/scripts.h"

namespace kin {

namespace {

/// A new folder with the scripts, which remove it when they end.
Result<std::string> write_scripts() {
    std::string folder = (std::filesystem::temp_directory_path() / "kin-vm-XXXXXX").string();
    if (!::mkdtemp(folder.data())) return Error::from_errno(cat("make ", folder));
    for (const VmScript& script : kVmScripts) {
        const std::string file = cat(folder, '/', script.name);
        TRY(write_private_file(file, script.text));
        if (::chmod(file.c_str(), 0700) != 0) return Error::from_errno(cat("chmod ", file));
    }
    return folder;
}

/// The folder that one is in is what stays; not one that is a system's own.
bool can_be_shared(const std::filesystem::path& folder) {
    return std::distance(folder.begin(), folder.end()) > 2;  // "/", "home", "me"
}

}  // namespace

int vm(const std::vector<std::string>& command) {
    const auto folder = write_scripts();
    if (!folder) return fail(folder.error().text());
    std::error_code error;
    const auto here = std::filesystem::current_path(error);
    const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
    const char* const path = std::getenv("PATH");
    ::setenv("PATH", cat(program.parent_path().string(), ':', path ? path : "/usr/bin:/bin").c_str(), 1);

    std::vector<std::string> words{"bash", *folder + "/machine", "--once", "--as", "me"};
    for (const char* port : {"KIN_API_PORT:6443", "KIN_PAGE_PORT:7070"}) {
        words.insert(words.end(), {"--port", port});
    }
    const bool shared = can_be_shared(here);
    if (shared) words.insert(words.end(), {"--share", here.string()});
    words.emplace_back("--");
    if (command.empty()) {
        std::fprintf(stderr, "A Linux of its own with your files; exit ends it. %s%s\n",
                     shared ? "Of what you write stays what is in " : "What you write is forgotten.",
                     shared ? here.c_str() : "");
        words.emplace_back("bash");
    }
    words.insert(words.end(), command.begin(), command.end());

    // Ctrl-C is for who runs inside, and for the script, which ends the machine.
    ::signal(SIGINT, SIG_IGN);
    const pid_t child = ::fork();
    if (child == 0) {
        ::signal(SIGINT, SIG_DFL);
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        std::vector<char*> arguments;
        for (std::string& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        ::execvp("bash", arguments.data());
        std::_Exit(127);
    }
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child) return fail("cannot start bash");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace kin
