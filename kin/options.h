#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace kin {

struct UpOptions {
    std::string lab = "kin";
    std::optional<int> nodes;  ///< not said: as last time, else 3
    bool detach = false;
    uint16_t api_port = 6443;
    uint16_t page_port = 7070;
    std::optional<std::string> cni;      ///< name of a netns::Attachment; not said: as last time
    std::optional<std::string> overlay;  ///< name of a netns::Overlay; likewise
    bool verbose = false;
    bool keep_connections = false;  ///< although a changed NetworkPolicy forbids them
};

constexpr int kDefaultNodes = 3;
constexpr int kMostNodes = 20;

// The verbs of the command line. Each returns the exit code and has said on stderr what went wrong.
int up(const UpOptions& options);
int down(const std::string& lab);
int down_all();  ///< Every lab of this user that runs.
int reset(const std::string& lab, bool yes);
int status(const std::string& lab, bool as_json);
/// The whole lab, running or not, into one file; "-" is standard output.
int save(const std::string& lab, const std::string& file);
enum class Replace { kNo, kYes };
/// A lab from such a file; one that has data already is replaced only if asked to.
int load(const std::string& lab, const std::string& file, Replace replace);
int doctor();
/// Opens the page in a browser with a fresh link; `print`: only says the link.
int ui(const std::string& lab, bool print);
enum class KubeconfigAction { kPath, kPrint, kMerge };
int kubeconfig(const std::string& lab, KubeconfigAction action);
/// The kubectl that `kin kubectl` runs: the one that ./run fetched, else "kubectl", by PATH.
std::string find_kubectl();
/// For people who have none: where one comes from.
std::string kubectl_source();
int kubectl(const std::string& lab, const std::vector<std::string>& arguments);
/// Runs `command` (a shell if empty) in the network namespace of a node or outside host.
int exec_in_host(const std::string& lab, const std::string& host,
                 const std::vector<std::string>& command);
struct RulesOptions {
    std::string object;  ///< "svc/web"
    std::string ns = "default";
    std::string node = "node-1";
    std::string mode = "nftables";  ///< of kube-proxy: what is in the kernel, or iptables, ipvs
};
/// What the kernel of a node holds for a Service, in words and with its counters.
int rules(const std::string& lab, const RulesOptions& options);
struct CheckOptions {
    std::string from;  ///< a pod: "web-0", "shop/web-0"
    std::string to;    ///< "db-0:5432", "svc/db:5432", "203.0.113.10:80"
    std::string ns = "default";
    std::string protocol = "tcp";
    std::string expect;  ///< "allow", "deny" or "": nothing in particular
};
/// What NetworkPolicies say of a connection, and what happens when it is tried. 1 if the two
/// differ or are not what was expected.
int check(const std::string& lab, const CheckOptions& options);
/// The same for all pairs of pods of a namespace ("": of all but kube-system).
int matrix(const std::string& lab, const std::string& ns);
/// Packets that policies dropped, and why; `follow`: until it is interrupted.
int flows(const std::string& lab, bool follow);
/// Runs `command` (a shell if empty) in a virtual machine with this machine's files and a kernel of
/// its own, for machines that kin cannot run on. Its exit code.
int vm(const std::vector<std::string>& command);
int add_node(const std::string& lab);
int remove_node(const std::string& lab, const std::string& node);
int apply_file(const std::string& lab, const std::string& file);

/// "kin: what" on stderr; returns 1.
int fail(const std::string& what);

}  // namespace kin
