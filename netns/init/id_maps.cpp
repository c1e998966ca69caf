#include "netns/init/id_maps.h"

#include <fcntl.h>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "core/base/strings.h"
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

LabOwner lab_owner() {
    if (::geteuid() != 0) return {::geteuid(), ::getegid()};
    return {root_lab_ids("/proc/self/uid_map").first, root_lab_ids("/proc/self/gid_map").first};
}

}  // namespace kin::netns
