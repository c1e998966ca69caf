#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/base/strings.h"
#include "kin/doctor_kernel.h"
#include "kin/lab.h"
#include "kin/options.h"
#include "netns/init/id_maps.h"

namespace kin {

namespace {
struct Check {
    std::string what;
    Need need = Need::kRequired;
    bool good = false;
    std::string advice;  ///< what is missing without it, and what to try
};

/// Runs `probe` in a child, so that what it enters or changes goes with it.
bool in_child(const std::function<bool()>& probe) {
    const pid_t child = ::fork();
    if (child < 0) return false;
    if (child == 0) std::_Exit(probe() ? 0 : 1);
    int status = 0;
    if (::waitpid(child, &status, 0) != child) return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// Ubuntu's AppArmor lets user namespaces be made and takes their capabilities: the first mount
/// tells.
bool can_make_namespaces() {
    return ::unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID) == 0 &&
           ::mount(nullptr, "/", nullptr, MS_SLAVE | MS_REC, nullptr) == 0;
}

Check check(const KernelPart& part) {
    std::string advice = part.cost;
    if (!part.modules.empty())
        advice += cat(". Try, as root: modprobe -a ", join(part.modules, " "));
    return {part.what, part.need, in_child([&] { return can_make_namespaces() && part.works(); }),
            std::move(advice)};
}

/// Without namespaces none of its parts can be tried.
void check_kernel(std::vector<Check>& checks) {
    checks.push_back(
        {"user namespaces", Need::kRequired, in_child(can_make_namespaces),
         "kin cannot start. Try, as root: sysctl -w user.max_user_namespaces=15000, "
         "on Debian also kernel.unprivileged_userns_clone=1, on Ubuntu "
         "kernel.apparmor_restrict_unprivileged_userns=0 (a file in /etc/sysctl.d keeps "
         "them); a container's seccomp and AppArmor profiles have to allow them, too. "
         "Or, on Debian and without root, in a virtual machine: kin vm -- kin up"});
    if (!checks.back().good) return;
    for (const KernelPart& part : kernel_parts()) checks.push_back(check(part));
}

bool exists(const std::string& path) {
    struct stat found {};
    return ::stat(path.c_str(), &found) == 0;
}

bool on_path(const std::string& program) {
    for (const char* folder : {"/usr/bin/", "/bin/", "/usr/sbin/", "/sbin/", "/usr/local/bin/"}) {
        if (::access((folder + program).c_str(), X_OK) == 0) return true;
    }
    return false;
}

/// The host's, or the one that a tarball brings along.
bool has_busybox() {
    std::error_code ignored;
    const auto own = std::filesystem::read_symlink("/proc/self/exe", ignored);
    return exists("/bin/busybox") ||
           exists((own.parent_path().parent_path() / "lib/kin/busybox").string());
}

/// As write_id_maps() gives them to a lab.
bool has_several_ids() {
    if (::geteuid() == 0) return true;
    return on_path("newuidmap") && on_path("newgidmap") && netns::has_sub_ids();
}

std::vector<Check> run_checks() {
    std::vector<Check> checks;
    check_kernel(checks);
    checks.push_back({"busybox (static)", Need::kRequired, has_busybox(),
                      "the images busybox and alpine do not run. Try: apt install busybox-static"});
    checks.push_back({"several user ids (newuidmap, /etc/subuid)", Need::kUseful, has_several_ids(),
                      "every container runs as one id: runAsUser is not honoured. Try: apt install "
                      "uidmap; then, as root: usermod --add-subuids 100000-165535 --add-subgids "
                      "100000-165535 USER"});
    checks.push_back({"nft", Need::kUseful, on_path("nft"),
                      "no `nft list ruleset` in `kin shell NODE`. Try: apt install nftables"});
    checks.push_back(
        {"names of protocols (/etc/protocols)", Need::kUseful, exists("/etc/protocols"),
         "`nft list ruleset` shows 6 and 17 for tcp and udp. Try: apt install netbase"});
    checks.push_back({"ip", Need::kUseful, on_path("ip"),
                      "no `ip route` in `kin shell NODE`. Try: apt install iproute2"});
    checks.push_back({"ping", Need::kUseful, on_path("ping"),
                      "no ping inside of pods and in `kin shell NODE`. Try: apt install "
                      "iputils-ping"});
    checks.push_back(
        {"curl", Need::kUseful, on_path("curl"), "no curl inside of pods. Try: apt install curl"});
    checks.push_back(
        {"dig, conntrack, openssl, tcpdump", Need::kUseful,
         on_path("dig") && on_path("conntrack") && on_path("openssl") && on_path("tcpdump"),
         "not all that the lessons type. Try: apt install bind9-dnsutils conntrack "
         "openssl tcpdump"});
    const std::string kubectl = find_kubectl();
    checks.push_back(
        {"kubectl", Need::kUseful, kubectl != "kubectl" || on_path(kubectl),
         cat("no `kin kubectl`; `kin apply` and curl still work. Try: ", kubectl_source())});
    return checks;
}
}  // namespace

int doctor() {
    bool good = true;
    for (const Check& check : run_checks()) {
        const char* mark = check.good ? "\u2713" : check.need == Need::kRequired ? "\u2717" : "-";
        std::printf("%s %s\n", mark, check.what.c_str());
        if (check.good) continue;
        std::printf("    without it: %s\n", check.advice.c_str());
        good = good && check.need != Need::kRequired;
    }
    std::printf(good ? "This machine can run kin.\n" : "This machine cannot run kin yet.\n");
    return good ? 0 : 1;
}

}  // namespace kin
