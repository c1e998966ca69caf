#include "netns/init/template_root.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "core/base/files.h"
#include "core/base/strings.h"
#include "core/base/unique_fd.h"
#include "netns/init/mounts.h"
#include "netns/init/sys.h"

namespace kin::netns {
namespace {

/// In front of busybox's wget: Debian builds it without -T and it crashes when given one, and
/// tutorials are full of `wget -T 2`. Here -T limits the whole transfer.
constexpr std::string_view kWget = R"sh(#!/bin/sh
busybox=/.kin/busybox/busybox
seconds= left=$#
while [ $left -gt 0 ]; do
    word=$1
    shift
    left=$((left - 1))
    case $word in
    -T | -[cqS]T | --timeout | -t | --tries | -O | -o | -P | -U | -Y | --header | --post-data | --post-file)
        value=$1
        shift
        left=$((left - 1))
        case $word in
        -T | --timeout) seconds=$value ;;
        -[cqS]T) seconds=$value; set -- "$@" "${word%T}" ;;
        -t | --tries) ;;
        *) set -- "$@" "$word" "$value" ;;
        esac
        ;;
    -T*) seconds=${word#-T} ;;
    --timeout=*) seconds=${word#*=} ;;
    -[cqS]T?*) seconds=${word#*T}; set -- "$@" "${word%%T*}" ;;
    -t[0-9]* | --tries=*) ;;
    --server-response) set -- "$@" -S ;;
    *) set -- "$@" "$word" ;;
    esac
done
[ -n "$seconds" ] || exec "$busybox" wget "$@"
# The shell says nothing of a child that SIGINT ends; one in the background ignores it.
"$busybox" timeout -s INT -k 1 "$seconds" "$busybox" wget "$@"
code=$?
[ $code = 130 ] || [ $code = 137 ] || exit $code
echo 'wget: download timed out' >&2
exit 1
)sh";

/// In front of busybox's nslookup: Debian's uses the search list only for names without a dot, and
/// lessons ask for web-0.nginx. Here it is used as resolvers do, up to ndots.
constexpr std::string_view kNslookup = R"sh(#!/bin/sh
busybox=/.kin/busybox/busybox
name=
for word in "$@"; do
    case $word in
    -*) ;;
    *) name=$word; break ;;
    esac
done
plain() { exec "$busybox" nslookup "$@"; }
case $name in
*. | *:*) plain "$@" ;;
*.*) ;;
*) plain "$@" ;;
esac
case $name in
*[!0-9.]*) ;;
*) plain "$@" ;;
esac
search= ndots=1
while read -r key words; do
    case $key in
    search) search=$words ;;
    options)
        for word in $words; do
            case $word in ndots:*) ndots=${word#ndots:} ;; esac
        done
        ;;
    esac
done </etc/resolv.conf
rest=$name dots=0
while [ "$rest" != "${rest#*.}" ]; do
    rest=${rest#*.}
    dots=$((dots + 1))
done
[ $dots -lt "$ndots" ] || plain "$@"
# asks NAME WORDS...: nslookup with that name in place of the one that was given.
asks() {
    full=$1
    shift
    left=$#
    while [ $left -gt 0 ]; do
        word=$1
        shift
        left=$((left - 1))
        [ "$word" != "$name" ] || word=$full
        set -- "$@" "$word"
    done
    "$busybox" nslookup "$@" 2>&1
}
for suffix in $search; do
    if answer=$(asks "$name.$suffix" "$@"); then
        printf '%s\n' "$answer"
        exit 0
    fi
    case $answer in *'timed out'*) break ;; esac
done
plain "$@"
)sh";

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

Result<> make_directory(const std::string& path, mode_t mode = 0755) {
    if (::mkdir(path.c_str(), mode) < 0) return Error::from_errno(cat("mkdir ", path));
    return Ok{};
}

/// Binds a directory or file of the host at a place of the same kind, made for it.
Result<> bind_from_host(const std::string& source, const std::string& target) {
    struct stat status;
    if (::stat(source.c_str(), &status) < 0) return Error::from_errno(cat("stat ", source));
    if (S_ISDIR(status.st_mode)) {
        TRY(make_directories(target, 0755));
    } else {
        TRY(write_file(target, ""));
    }
    return bind_mount(source, target);
}

Result<> add_programs(TemplateRoot& root) {
    TRY(bind_from_host("/usr", "usr"));
    for (const char* name : {"bin", "sbin", "lib", "lib32", "lib64", "libx32"}) {
        const std::string on_host = cat("/", name);
        char target[256];
        const ssize_t length = ::readlink(on_host.c_str(), target, sizeof target);
        if (length > 0) {
            root.links.emplace_back(name, std::string(target, static_cast<size_t>(length)));
            if (::symlink(root.links.back().second.c_str(), name) < 0) {
                return Error::from_errno(cat("symlink ", name));
            }
        } else if (exists(on_host)) {
            TRY(bind_from_host(on_host, name));
            root.bound.emplace_back(name);
        }
    }
    return Ok{};
}

Result<> add_devices() {
    TRY(make_directory("dev"));
    for (const char* name : {"null", "zero", "full", "random", "urandom", "tty"}) {
        // mknod is refused in a user namespace, binding the host's node is not.
        if (exists(cat("/dev/", name))) TRY(bind_from_host(cat("/dev/", name), cat("dev/", name)));
    }
    TRY(make_directory("dev/pts"));
    TRY(make_directory("dev/shm"));
    // Where Kubernetes puts a container's last words; /dev cannot grow later.
    TRY(write_file("dev/termination-log", ""));
    const std::array<std::pair<const char*, const char*>, 5> links{{{"pts/ptmx", "dev/ptmx"},
                                                                    {"/proc/self/fd", "dev/fd"},
                                                                    {"fd/0", "dev/stdin"},
                                                                    {"fd/1", "dev/stdout"},
                                                                    {"fd/2", "dev/stderr"}}};
    for (const auto& [target, name] : links) {
        if (::symlink(target, name) < 0) return Error::from_errno(cat("symlink ", name));
    }
    return Ok{};
}

/// What programs need of the host's /etc, and nothing that could hold a secret.
Result<> add_etc(TemplateRoot& root) {
    TRY(make_directories(".kin/etc/ssl", 0755));
    for (const char* name : {"ld.so.cache", "services", "protocols", "ssl/openssl.cnf"}) {
        // Copied: a few pages once, instead of a mount in every container.
        const auto content = read_file(cat("/etc/", name));
        if (!content) continue;
        TRY(write_file(cat(".kin/etc/", name), *content));
        if (!std::string_view(name).starts_with("ssl/")) root.etc.emplace_back(name);
    }
    root.etc.emplace_back("ssl");
    if (exists("/etc/ssl/certs")) TRY(bind_from_host("/etc/ssl/certs", ".kin/etc/ssl/certs"));
    if (exists("/etc/alternatives")) {
        TRY(bind_from_host("/etc/alternatives", ".kin/etc/alternatives"));
        root.etc.emplace_back("alternatives");
    }
    return Ok{};
}

/// What `busybox --list` prints, one applet a line; empty if it cannot be run.
std::string list_applets(const std::string& busybox) {
    int pipe_fds[2];
    if (::pipe2(pipe_fds, O_CLOEXEC) < 0) return "";
    UniqueFd reader(pipe_fds[0]);
    UniqueFd writer(pipe_fds[1]);
    const pid_t pid = ::fork();
    if (pid == 0) {
        ::dup2(writer.get(), 1);
        ::execl(busybox.c_str(), "busybox", "--list", nullptr);
        ::_exit(127);
    }
    writer.reset();
    std::string list;
    char buffer[4096];
    for (ssize_t length; (length = ::read(reader.get(), buffer, sizeof buffer)) > 0;) {
        list.append(buffer, static_cast<size_t>(length));
    }
    if (pid > 0) ::waitpid(pid, nullptr, 0);
    return list;
}

struct OwnProgram {
    UniqueFd program;
    UniqueFd bundle;  ///< ../lib/kin beside it, if it came as a tarball: libraries and busybox
};

/// This very program, by its path, because the link in /proc leads into another mount namespace.
/// Not open where it cannot be reached.
OwnProgram open_own_program() {
    char buffer[4096];
    const ssize_t length = ::readlink("/proc/self/exe", buffer, sizeof buffer);
    if (length <= 0) return {};
    const std::string path(buffer, static_cast<size_t>(length));
    const std::string bundle = path.substr(0, path.rfind('/')) + "/../lib/kin";
    return {UniqueFd(::open(path.c_str(), O_PATH | O_CLOEXEC)),
            UniqueFd(::open(bundle.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC))};
}

/// kin itself answers to the names of what the host may lack.
Result<> add_own_programs(const OwnProgram& own) {
    TRY(make_directory(".kin/programs"));
    TRY(make_directory(".kin/busybox"));
    // They lie to each other as outside, for kin's RPATH.
    if (own.bundle.valid()) {
        TRY(bind_from_host(cat("/proc/self/fd/", own.bundle.get()), ".kin/lib/kin"));
    }
    if (!own.program.valid()) return Ok{};
    TRY(make_directory(".kin/bin"));
    if (!bind_from_host(cat("/proc/self/fd/", own.program.get()), ".kin/bin/kin")) return Ok{};
    for (const char* link : {".kin/programs/nc", ".kin/busybox/nc"}) {
        if (::symlink("/.kin/bin/kin", link) < 0) return Error::from_errno(cat("symlink ", link));
    }
    return Ok{};
}

Result<> add_busybox(TemplateRoot& root) {
    TRY(write_file(".kin/busybox/wget", kWget, 0755));
    TRY(write_file(".kin/busybox/nslookup", kNslookup, 0755));
    for (const char* busybox : {"/usr/bin/busybox", "/usr/sbin/busybox", "/.kin/lib/kin/busybox"}) {
        // That of the bundle is not in its place yet: it is below the working directory.
        const std::string here =
            std::string_view(busybox).starts_with("/.kin") ? busybox + 1 : busybox;
        if (!exists(here)) continue;
        // Debian builds busybox' own shell so that it runs applets without a look at PATH, also
        // those that are replaced above.
        for (const char* shell : {".kin/busybox/sh", ".kin/busybox/ash"}) {
            if (exists("/usr/bin/bash")) (void)::symlink("/usr/bin/bash", shell);
        }
        const std::string list = list_applets(here);
        for (const std::string_view applet : split(list, '\n')) {
            if (applet.empty() || applet.find('/') != std::string_view::npos) continue;
            if (::symlink(busybox, cat(".kin/busybox/", applet).c_str()) < 0 && errno != EEXIST) {
                return Error::from_errno(cat("symlink ", applet));
            }
        }
        // The list names the applets, not always the program itself.
        (void)::symlink(busybox, ".kin/busybox/busybox");
        root.has_busybox = true;
        return Ok{};
    }
    return Ok{};
}

Result<> add_proc() {
    TRY(make_directory("proc"));
    auto mounted = mount_fs("proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC);
    if (!mounted && mounted.error().code() == Errc::kDenied) {
        return Error(Errc::kDenied,
                     "/proc cannot be mounted here: something is mounted over parts of the host's "
                     "/proc, as containers do (run the container with an unmasked /proc)");
    }
    return mounted;
}

}  // namespace

Result<TemplateRoot> enter_template_root() {
    if (::unshare(CLONE_NEWNS) < 0) return Error::from_errno("unshare the mount namespace");
    TemplateRoot root;
    const OwnProgram own = open_own_program();  // It may lie in what is mounted over now.
    TRY(mount_fs("tmpfs", "/tmp", MS_NOSUID | MS_NODEV, "mode=755,size=16m"));
    if (::chdir("/tmp") < 0) return Error::from_errno("chdir");
    TRY(add_programs(root));
    TRY(add_devices());
    TRY(make_directories(".kin/empty", 0755));
    TRY(add_etc(root));
    TRY(add_own_programs(own));
    TRY(add_busybox(root));
    TRY(make_directory("newroot"));
    TRY(add_proc());
    // Each part for itself, because /proc must stay as it is.
    for (const char* part : {"usr", "dev", ".kin"}) {
        if (std::string_view(part) != "usr") TRY(bind_mount(part, part));
        TRY(make_read_only(part));
    }
    for (const std::string& part : root.bound) TRY(make_read_only(part));
    TRY(pivot_to_current_directory());
    return root;
}

}  // namespace kin::netns
