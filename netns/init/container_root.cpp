#include "netns/init/container_root.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>

#include "core/base/files.h"
#include "core/base/strings.h"
#include "netns/init/mounts.h"
#include "netns/init/sys.h"

namespace kin::netns {
namespace {

constexpr std::string_view kPasswd =
    "root:x:0:0:root:/root:/bin/sh\n"
    "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
    "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"
    "nginx:x:101:101:nginx user:/nonexistent:/bin/false\n"
    "tcpdump:x:102:102::/nonexistent:/usr/sbin/nologin\n"
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
constexpr std::string_view kGroup =
    "root:x:0:\ndaemon:x:1:\ntty:x:5:\nwww-data:x:33:\nnginx:x:101:\ntcpdump:x:102:\nnogroup:x:65534:\n";

std::string parent_of(const std::string& path) {
    const size_t slash = path.rfind('/');
    return slash == 0 ? "/" : path.substr(0, slash);
}

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

bool below_usr(const std::string& path) { return path.starts_with("/usr/"); }

Result<> link_to(const std::string& target, const std::string& path) {
    if (::symlink(target.c_str(), path.c_str()) < 0) {
        return Error::from_errno(cat("symlink ", path));
    }
    return Ok{};
}

/// Makes what a mount needs to be put on: a directory, or a file for a file.
Result<> make_mount_point(const std::string& path, bool directory) {
    if (directory) return make_directories(path, 0755);
    TRY(make_directories(parent_of(path), 0755));
    if (exists(path)) return Ok{};
    return write_file(path, "");
}

bool is_directory(const UniqueFd& tree) {
    struct stat status;
    return ::fstat(tree.get(), &status) == 0 && S_ISDIR(status.st_mode);
}

/// Until the pivot the current directory is the new root, and "/" the template.
class RootBuilder {
public:
    RootBuilder(const ContainerSpec& spec, const std::vector<UniqueFd>& trees,
                const TemplateRoot& base)
        : spec_(spec), trees_(trees), base_(base) {}

    Result<> build() {
        TRY(mount_fs("tmpfs", "/newroot", MS_NOSUID | MS_NODEV, "mode=755,size=256m"));
        if (::chdir("/newroot") < 0) return Error::from_errno("chdir");
        TRY(add_directories());
        TRY(add_usr());
        TRY(bind_mount("/.kin", ".kin"));
        TRY(bind_mount("/dev", "dev"));
        TRY(add_kernel_file_systems());
        TRY(add_etc());
        TRY(pivot_to_current_directory());
        TRY(hide_parts_of_proc());
        TRY(add_what_the_image_brings());
        TRY(add_root_views());
        TRY(add_volumes());
        // Only the root's own mount: volumes and /tmp decide for themselves.
        if (spec_.read_only_root) TRY(make_root_read_only());
        return Ok{};
    }

private:
    Result<> add_directories() {
        for (const char* name :
             {"usr",     "dev",     "proc",      "sys", "etc",     ".kin", "run",
              "home",    "mnt",     "opt",       "srv", "media",   "var",  "var/cache",
              "var/lib", "var/log", "var/spool", "tmp", "var/tmp", "root"}) {
            if (::mkdir(name, 0755) < 0) return Error::from_errno(cat("mkdir ", name));
        }
        ::chmod("tmp", 01777);
        ::chmod("var/tmp", 01777);
        ::chmod("root", 0700);
        TRY(link_to("/run", "var/run"));
        for (const auto& [name, target] : base_.links) {
            const bool applets = name == "bin" || name == "sbin";
            TRY(link_to(applets && busybox() ? "/.kin/busybox" : target, name));
        }
        for (const std::string& name : base_.bound) {
            const bool applets = name == "bin" || name == "sbin";
            if (applets && busybox()) {
                TRY(link_to("/.kin/busybox", name));
                continue;
            }
            TRY(make_directories(name, 0755));
            TRY(bind_mount(cat("/", name), name));
        }
        return Ok{};
    }

    bool busybox() const { return spec_.flavour == RootFlavour::kBusybox && base_.has_busybox; }

    /// The host's /usr. Where a volume or directory goes to a place that does not exist there, an
    /// overlay with that place on top: nothing can be made in the host's directories.
    Result<> add_usr() {
        std::set<std::string> missing_directories;
        std::set<std::string> missing_files;
        for (const std::string& path : spec_.directories) {
            if (below_usr(path) && !exists(path)) missing_directories.insert(path);
        }
        for (size_t i = 0; i < spec_.mounts.size(); ++i) {
            const std::string& path = spec_.mounts[i].target;
            if (!below_usr(path) || exists(path)) continue;
            (is_directory(trees_[i]) ? missing_directories : missing_files).insert(path);
        }
        if (missing_directories.empty() && missing_files.empty()) {
            TRY(bind_mount("/usr", "usr"));
        } else {
            for (const std::string& path : missing_directories) {
                TRY(make_mount_point(cat(".kin/over", path), true));
            }
            for (const std::string& path : missing_files) {
                TRY(make_mount_point(cat(".kin/over", path), false));
            }
            TRY(mount_fs("overlay", "usr", MS_RDONLY | MS_NOSUID | MS_NODEV,
                         "lowerdir=.kin/over/usr:/usr"));
        }
        return add_writable_places_below_usr();
    }

    Result<> add_writable_places_below_usr() {
        int number = 0;
        for (const std::string& path : spec_.directories) {
            if (!below_usr(path)) continue;
            // Lies below .kin, which is covered afterwards: reachable by its place only.
            const std::string own = cat(".kin/own/", number++);
            TRY(make_directories(own, 0755));
            TRY(bind_mount(own, path.substr(1)));
        }
        return Ok{};
    }

    Result<> add_kernel_file_systems() {
        TRY(mount_fs("proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC));
        TRY(mount_fs("devpts", "dev/pts", MS_NOSUID | MS_NOEXEC,
                     "newinstance,ptmxmode=0666,mode=0620"));
        return mount_fs("tmpfs", "dev/shm", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=64m");
    }

    Result<> add_etc() {
        TRY(write_file("etc/passwd", kPasswd));
        TRY(write_file("etc/group", kGroup));
        TRY(write_file("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"));
        TRY(link_to("/proc/self/mounts", "etc/mtab"));
        if (exists("/usr/lib/os-release") && spec_.flavour == RootFlavour::kHost) {
            TRY(link_to("../usr/lib/os-release", "etc/os-release"));
        }
        for (const std::string& name : base_.etc) {
            TRY(link_to(cat("/.kin/etc/", name), cat("etc/", name)));
        }
        return Ok{};
    }

    /// The lists of runc: what would tell of the host, and what would change it.
    Result<> hide_parts_of_proc() {
        for (const char* path : {"/proc/asound", "/proc/acpi", "/proc/scsi"}) {
            if (exists(path)) TRY(bind_mount("/.kin/empty", path));
        }
        for (const char* path :
             {"/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
              "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug"}) {
            if (exists(path)) TRY(bind_mount("/dev/null", path));
        }
        for (const char* path :
             {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}) {
            if (!exists(path)) continue;
            TRY(bind_mount(path, path));
            TRY(make_read_only(path));
        }
        return Ok{};
    }

    Result<> add_what_the_image_brings() {
        for (const std::string& path : spec_.directories) {
            if (!below_usr(path)) TRY(make_directories(path, 0755));
        }
        for (const PlacedFile& file : spec_.files) {
            TRY(make_directories(parent_of(file.path), 0755));
            // A link to the host's file is replaced, never written through.
            if (::unlink(file.path.c_str()) < 0 && errno != ENOENT) {
                return Error::from_errno(cat("replace ", file.path));
            }
            TRY(write_file(file.path, file.content, file.mode));
        }
        return Ok{};
    }

    Result<> add_root_views() {
        for (const std::string& place : spec_.root_views) {
            TRY(make_mount_point(place, true).context(cat("mount point ", place)));
            TRY(bind_mount("/", place));
            TRY(make_read_only(place));
        }
        return Ok{};
    }

    Result<> add_volumes() {
        for (size_t i = 0; i < spec_.mounts.size(); ++i) {
            const VolumeMount& mount = spec_.mounts[i];
            TRY(make_mount_point(mount.target, is_directory(trees_[i]))
                    .context(cat("mount point ", mount.target)));
            if (::move_mount(trees_[i].get(), "", AT_FDCWD, mount.target.c_str(),
                             MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS) < 0) {
                return Error::from_errno(cat("mount a volume on ", mount.target));
            }
            if (mount.read_only) TRY(make_read_only(mount.target));
        }
        return Ok{};
    }

    Result<> make_root_read_only() {
        mount_attr attributes{};
        attributes.attr_set = MOUNT_ATTR_RDONLY;
        if (::mount_setattr(AT_FDCWD, "/", 0, &attributes, sizeof attributes) < 0) {
            return Error::from_errno("make the root read-only");
        }
        return Ok{};
    }

    const ContainerSpec& spec_;
    const std::vector<UniqueFd>& trees_;
    const TemplateRoot& base_;
};

}  // namespace

Result<> enter_container_root(const ContainerSpec& spec, const std::vector<UniqueFd>& trees,
                              const TemplateRoot& base) {
    KIN_ASSERT(trees.size() == spec.mounts.size());
    return RootBuilder(spec, trees, base).build();
}

}  // namespace kin::netns
