#include "tests/support/lab_namespace.h"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <cstdio>

#include "core/base/strings.h"
#include "core/base/unique_fd.h"

namespace kin::test {

namespace {

Result<> write_file(const char* path, const std::string& text) {
    const UniqueFd file(::open(path, O_WRONLY | O_CLOEXEC));
    if (!file.valid()) return Error::from_errno(cat("open ", path));
    if (::write(file.get(), text.data(), text.size()) < 0)
        return Error::from_errno(cat("write ", path));
    return Ok{};
}

Result<> make_namespaces() {
    const uid_t user = ::geteuid();
    const gid_t group = ::getegid();
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) < 0)
        return Error::from_errno("unshare user, network and mount namespaces");
    TRY(write_file("/proc/self/setgroups", "deny"));
    TRY(write_file("/proc/self/uid_map", cat("0 ", user, " 1")));
    TRY(write_file("/proc/self/gid_map", cat("0 ", group, " 1")));
    return Ok{};
}

}  // namespace

Result<> enter_lab_namespace() {
    static const auto* entered = new Result<>(make_namespaces());
    return *entered;
}

std::string shell(const std::string& command) {
    std::string out;
    FILE* pipe = ::popen(cat("exec 2>&1; ", command).c_str(), "r");
    if (!pipe) return "popen failed";
    char buffer[4096];
    while (const size_t size = ::fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, size);
    ::pclose(pipe);
    return out;
}

}  // namespace kin::test
