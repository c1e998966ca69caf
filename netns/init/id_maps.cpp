#include "netns/init/id_maps.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "core/base/assert.h"
#include "core/base/files.h"
#include "core/base/strings.h"
#include "netns/init/reports.h"
#include "netns/init/sys.h"

namespace kin::netns {
namespace {

struct IdRange {
    uint32_t first;
    uint32_t count;
};

/// The caller's range in /etc/subuid or /etc/subgid: lines "name-or-uid:first:count".
std::optional<IdRange> sub_ids(const std::string& file) {
    const auto text = read_file(file);
    if (!text) return {};
    const passwd* user = ::getpwuid(::getuid());
    const std::string name = user ? user->pw_name : "";
    const std::string number = cat(::getuid());
    for (const std::string_view line : split(*text, '\n')) {
        const auto fields = split(trim(line), ':');
        if (fields.size() != 3 || (fields[0] != number && (name.empty() || fields[0] != name))) {
            continue;
        }
        const auto first = parse_number<uint32_t>(fields[1]);
        const auto count = parse_number<uint32_t>(fields[2]);
        if (first && count && *count > 0) return IdRange{*first, *count};
    }
    return {};
}

bool run_quietly(const std::vector<std::string>& argv) {
    const pid_t pid = ::fork();
    if (pid < 0) return false;
    if (pid == 0) {
        const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
        for (const int fd : {0, 1, 2}) ::dup2(null, fd);
        std::vector<char*> args;
        for (const std::string& arg : argv) args.push_back(const_cast<char*>(arg.c_str()));
        args.push_back(nullptr);
        ::execvp(args[0], args.data());
        ::_exit(127);
    }
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// Lets newuidmap or newgidmap write the caller's id and its range. Gives the number of ids, 0 if
/// the tool or the range is missing or refused: both then leave the map unwritten.
uint32_t map_sub_ids(const char* tool, const std::string& file, pid_t child, uint32_t own_id) {
    const auto range = sub_ids(file);
    if (!range) return 0;
    const uint32_t count = std::min(range->count, kLabIds - 1);
    if (!run_quietly(
            {tool, cat(child), "0", cat(own_id), "1", "1", cat(range->first), cat(count)})) {
        return 0;
    }
    return count + 1;
}

Result<> write_map(pid_t child, std::string_view file, std::string_view line) {
    const std::string path = cat("/proc/", child, "/", file);
    UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!fd.valid()) return Error::from_errno(cat("open ", path));
    // The kernel takes a map in one write only.
    if (::write(fd.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
        return Error::from_errno(cat("write ", file));
    }
    return Ok{};
}

/// The ids for a lab of root's: the high range; inside another user namespace, which may lack
/// it, the upper half of the highest range there is. `map_file` lists "inside outside count".
IdRange root_lab_ids(const std::string& map_file) {
    const IdRange wanted{kRootLabFirstId, kLabIds};
    const auto text = read_file(map_file);
    if (!text) return wanted;
    IdRange best{0, 1};
    for (const std::string_view line : split(*text, '\n')) {
        unsigned first = 0, outside = 0, count = 0;
        if (std::sscanf(std::string(line).c_str(), "%u %u %u", &first, &outside, &count) != 3) {
            continue;
        }
        const uint64_t end = uint64_t{first} + count;
        if (first <= wanted.first && end >= uint64_t{wanted.first} + wanted.count) return wanted;
        const uint32_t half = std::min(count / 2, kLabIds);
        if (half > 0) best = {static_cast<uint32_t>(end - half), half};
    }
    return best;
}

}  // namespace

Result<IdMap> write_id_maps(pid_t child) {
    if (::geteuid() == 0) {
        const IdRange uids = root_lab_ids("/proc/self/uid_map");
        const IdRange gids = root_lab_ids("/proc/self/gid_map");
        TRY(write_map(child, "uid_map", cat("0 ", uids.first, " ", uids.count)));
        TRY(write_map(child, "gid_map", cat("0 ", gids.first, " ", gids.count)));
        return IdMap{uids.first, gids.first, uids.count, gids.count};
    }
    IdMap ids{::geteuid(), ::getegid(), 1, 1};
    if (const uint32_t uids = map_sub_ids("newuidmap", "/etc/subuid", child, ids.host_uid)) {
        ids.uids = uids;
    } else {
        TRY(write_map(child, "uid_map", cat("0 ", ids.host_uid, " 1")));
    }
    if (const uint32_t gids = map_sub_ids("newgidmap", "/etc/subgid", child, ids.host_gid)) {
        ids.gids = gids;
    } else {
        // Without it the kernel refuses an ordinary user's gid_map.
        TRY(write_map(child, "setgroups", "deny"));
        TRY(write_map(child, "gid_map", cat("0 ", ids.host_gid, " 1")));
    }
    return ids;
}

bool has_sub_ids() { return sub_ids("/etc/subuid") && sub_ids("/etc/subgid"); }

LabOwner lab_owner() {
    if (::geteuid() != 0) return {::geteuid(), ::getegid()};
    return {root_lab_ids("/proc/self/uid_map").first, root_lab_ids("/proc/self/gid_map").first};
}

Result<> make_lab_directory(const std::string& directory) {
    const bool root = ::geteuid() == 0;
    const mode_t umask = ::umask(0);
    Result<> made = Ok{};
    if (const size_t slash = directory.rfind('/'); slash != std::string::npos && slash > 0) {
        made = make_directories(directory.substr(0, slash), root ? 0755 : 0700);
    }
    if (made) made = make_directories(directory, 0700);
    ::umask(umask);
    if (!made || !root) return made;
    const LabOwner owner = lab_owner();
    if (::lchown(directory.c_str(), owner.uid, owner.gid) == 0) return Ok{};
    return Error::from_errno(cat("chown ", directory));
}

ActingAsLab::ActingAsLab() {
    if (::geteuid() != 0) return;
    const LabOwner owner = lab_owner();
    groups_.resize(static_cast<size_t>(std::max(::getgroups(0, nullptr), 0)));
    const int count = ::getgroups(static_cast<int>(groups_.size()), groups_.data());
    groups_.resize(static_cast<size_t>(std::max(count, 0)));
    // Where a user namespace forbids this, its root has no groups that matter.
    ::setgroups(0, nullptr);
    KIN_ASSERT(::setegid(owner.gid) == 0 && ::seteuid(owner.uid) == 0);
    changed_ = true;
}

ActingAsLab::~ActingAsLab() {
    if (!changed_) return;
    KIN_ASSERT(::seteuid(0) == 0 && ::setegid(0) == 0);
    ::setgroups(groups_.size(), groups_.data());
}

namespace {
/// The child of run_with_lab_ids(): waits for its ids, works, reports.
[[noreturn]] void work_with_ids(int parent, const std::function<Result<>()>& work) {
    const auto go = receive_packet(parent);
    if (!go || go->end) ::_exit(1);
    ::setgroups(0, nullptr);
    Result<> done = Ok{};
    if (::setresgid(0, 0, 0) < 0 || ::setresuid(0, 0, 0) < 0) {
        done = Error::from_errno("become the lab's root");
    } else {
        done = work();
    }
    if (done) {
        (void)send_report(parent, Report::kReady, "");
    } else {
        report_error(parent, done.error());
    }
    ::_exit(0);
}
}  // namespace

Result<> run_with_lab_ids(const std::function<Result<>()>& work) {
    TRY_ASSIGN(SocketPair pair, SocketPair::create());
    const pid_t child = clone_process(CLONE_NEWUSER, SIGCHLD);
    if (child < 0) return Error::from_errno("clone a process with a lab's ids");
    if (child == 0) {
        pair.left.reset();
        work_with_ids(pair.right.get(), work);
    }
    pair.right.reset();
    const auto outcome = [&]() -> Result<> {
        TRY(write_id_maps(child));
        TRY(send_packet(pair.left.get(), "go"));
        TRY_ASSIGN(const Packet packet, receive_packet(pair.left.get()));
        if (packet.end) return Error(Errc::kSystem, "a process with the lab's ids ended early");
        if (packet.bytes[0] == static_cast<char>(Report::kReady)) return Ok{};
        const bool denied = packet.bytes[0] == static_cast<char>(Report::kDenied);
        return Error(denied ? Errc::kDenied : Errc::kSystem, packet.bytes.substr(1));
    };
    Result<> result = outcome();
    pair.left.reset();  // Without its ids it ends at this.
    ::waitpid(child, nullptr, 0);
    return result;
}

}  // namespace kin::netns
