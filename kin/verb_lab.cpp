#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <map>
#include <set>

#include "core/api/yaml.h"
#include "core/base/files.h"
#include "core/base/strings.h"
#include "core/base/unique_fd.h"
#include "kin/lab.h"
#include "kin/lab_client.h"
#include "kin/lab_file.h"
#include "kin/options.h"
#include "kin/pki.h"
#include "netns/init/id_maps.h"

namespace kin {

namespace {
constexpr int kStopMilliseconds = 15'000;

/// Asks the lab to end and waits until its server is gone.
Result<> stop_and_wait(const LabPaths& paths) {
    TRY_ASSIGN(const RunningLab running, find_running(paths));
    const UniqueFd process(static_cast<int>(::syscall(SYS_pidfd_open, running.pid, 0)));
    if (!process.valid()) return Error::from_errno("pidfd_open");
    TRY_ASSIGN(const LabAnswer answer, lab_request(paths, "POST", "/kin/v1/stop", ""));
    if (answer.status != 200) return Error(Errc::kSystem, answer.body);
    pollfd ended{process.get(), POLLIN, 0};
    if (::poll(&ended, 1, kStopMilliseconds) == 1) return Ok{};
    return Error(Errc::kSystem, cat("the lab's process ", running.pid, " does not end"));
}

/// Replaces the entry called `name` in a list of {name: ...}.
void replace_named(Json& list, const Json& entry) {
    if (!list.is_array()) list = Json::array();
    for (Json& item : list) {
        if (string_at(item, {"name"}) == string_at(entry, {"name"})) {
            item = entry;
            return;
        }
    }
    list.push_back(entry);
}

/// The file that kubectl writes, too: the first that KUBECONFIG names, else ~/.kube/config. Where a
/// link stands, what it leads to.
Result<std::string> users_kubeconfig() {
    namespace fs = std::filesystem;
    const char* named = std::getenv("KUBECONFIG");
    const char* home = std::getenv("HOME");
    std::string path;
    for (const std::string_view one : split(named ? named : "", ':')) {
        if (path.empty()) path = one;
    }
    if (path.empty() && !home) return Error(Errc::kNotFound, "neither KUBECONFIG nor HOME is set");
    if (path.empty()) path = cat(home, "/.kube/config");
    std::error_code error;
    if (!fs::exists(fs::symlink_status(path, error))) return path;
    const fs::path real = fs::canonical(path, error);
    if (error) return Error::from_errno(cat("follow ", path), error.value());
    return real.string();
}

/// What is in it already. Only where no file is there is nothing.
Result<Json> read_kubeconfig(const std::string& path) {
    const Json empty = {{"apiVersion", "v1"}, {"kind", "Config"}};
    const auto text = read_file(path);
    if (!text && text.error().code() == Errc::kNotFound) return empty;
    if (!text) return text.error();
    TRY_ASSIGN(const Json config, parse_yaml(*text).context(cat("read ", path)));
    if (config.is_null()) return empty;
    bool lists = config.is_object();
    for (const char* list : {"clusters", "users", "contexts"}) {
        const Json* found = find(config, list);
        lists = lists && (!found || found->is_null() || found->is_array());
    }
    if (!lists) return Error(Errc::kInvalid, cat(path, " is no kubeconfig"));
    return config;
}

Result<std::string> merge_kubeconfig(const std::string& lab_file, const std::string& lab_config) {
    namespace fs = std::filesystem;
    TRY_ASSIGN(const std::string path, users_kubeconfig());
    std::error_code ignored;
    if (fs::equivalent(path, lab_file, ignored)) {
        return Error(Errc::kInvalid,
                     cat("KUBECONFIG names the lab's own file; nothing to merge. For "
                         "~/.kube/config: KUBECONFIG= kin kubeconfig --merge"));
    }
    TRY_ASSIGN(Json merged, read_kubeconfig(path));
    TRY_ASSIGN(const Json lab, parse_yaml(lab_config));
    for (const char* list : {"clusters", "users", "contexts"}) {
        for (const Json& entry : array_at(lab, {list})) replace_named(merged[list], entry);
    }
    merged["current-context"] = string_at(lab, {"current-context"});
    fs::create_directories(fs::path(path).parent_path(), ignored);
    TRY(write_private_file(path, to_yaml(merged)));
    return path;
}

/// "8 Running, 1 Pending": the pods of all namespaces.
std::string count_pods(const LabPaths& paths) {
    const auto pods = lab_get(paths, "/api/v1/pods");
    if (!pods) return pods.error().text();
    std::map<std::string, int, std::greater<>> phases;  // Running before Pending.
    for (const Json& pod : array_at(*pods, {"items"}))
        ++phases[string_at(pod, {"status", "phase"})];
    std::string out;
    for (const auto& [phase, count] : phases) {
        out += cat(out.empty() ? "" : ", ", count, ' ', phase);
    }
    return out.empty() ? "none" : out;
}

/// Where Services can be reached from this machine.
void print_published(const Json& published) {
    if (published.empty()) return;
    std::printf("\n%-39s %-13s %-21s %s\n", "SERVICE", "TYPE", "ADDRESS", "FROM THIS MACHINE");
    for (const Json& entry : published) {
        std::printf("%-39s %-13s %-21s %s\n", string_at(entry, {"service"}).c_str(),
                    string_at(entry, {"type"}).c_str(), string_at(entry, {"address"}).c_str(),
                    string_at(entry, {"host"}, string_at(entry, {"error"})).c_str());
    }
}

void print_status(const LabPaths& paths, const Json& lab) {
    const std::string named = lab_words(paths.name);
    std::printf("lab         %s (kin %s, process %d)\n", paths.name.c_str(),
                string_at(lab, {"version"}).c_str(), static_cast<int>(int_at(lab, {"pid"})));
    std::printf("API         https://127.0.0.1:%d\n", static_cast<int>(int_at(lab, {"api_port"})));
    std::printf("page        %s (open it: kin ui%s)\n", string_at(lab, {"page"}).c_str(),
                named.c_str());
    std::printf("kubeconfig  %s\n", paths.kubeconfig().c_str());
    std::printf("socket      %s\n", paths.socket().c_str());
    std::printf("data        %s\n", paths.data.c_str());
    std::printf("network     cni %s (%s), overlay %s (%s)\n",
                string_at(lab, {"cni", "name"}).c_str(), string_at(lab, {"cni", "words"}).c_str(),
                string_at(lab, {"overlay", "name"}).c_str(),
                string_at(lab, {"overlay", "words"}).c_str());
    std::printf("pods        %s\n\n", count_pods(paths).c_str());
    std::printf("%-12s %-16s %-18s %s\n", "HOST", "ADDRESS", "PODS", "ROLE");
    for (const Json& host : array_at(lab, {"hosts"})) {
        std::printf("%-12s %-16s %-18s %s\n", string_at(host, {"name"}).c_str(),
                    string_at(host, {"address"}).c_str(), string_at(host, {"pods"}, "-").c_str(),
                    string_at(host, {"role"}).c_str());
    }
    print_published(array_at(lab, {"published"}));
    std::printf("\nLook inside:  kin shell%s node-1    kin exec%s node-2 -- ip route\n",
                named.c_str(), named.c_str());
}

/// Whether kubectl can do this without a server.
bool works_offline(const std::vector<std::string>& arguments) {
    static const std::set<std::string> kOffline{"completion", "config",  "help",
                                                "kustomize",  "options", "plugin",
                                                "--help",     "-h",      "--client"};
    return arguments.empty() ||
           std::any_of(arguments.begin(), arguments.end(),
                       [](const auto& word) { return kOffline.contains(word); });
}
}  // namespace

std::string find_kubectl() {
    // The one that ./run fetched is new enough; a distribution's may be years behind.
    const char* cache = std::getenv("XDG_CACHE_HOME");
    const char* home = std::getenv("HOME");
    std::vector<std::string> places;
    if (const char* named = std::getenv("KIN_KUBECTL")) places.emplace_back(named);
    if (cache && *cache) places.push_back(cat(cache, "/kin/kubectl"));
    if (home) places.push_back(cat(home, "/.cache/kin/kubectl"));
    places.emplace_back("/usr/local/lib/kin/kubectl");
    for (const std::string& place : places) {
        if (::access(place.c_str(), X_OK) == 0) return place;
    }
    return "kubectl";
}

std::string kubectl_source() {
    // This program's place in a tree of sources: build/release/kin/kin.
    std::error_code ignored;
    const std::filesystem::path own = std::filesystem::read_symlink("/proc/self/exe", ignored);
    const auto tree = own.parent_path().parent_path().parent_path().parent_path();
    if (::access((tree / "run").c_str(), X_OK) == 0 &&
        ::access((tree / "CMakeLists.txt").c_str(), R_OK) == 0) {
        return cat((tree / "run").string(), ", which fetches one");
    }
    return "https://kubernetes.io/docs/tasks/tools (put it on PATH, or its path into KIN_KUBECTL)";
}

int down(const std::string& lab) {
    const auto paths = lab_paths(lab);
    if (!paths) return fail(paths.error().text());
    const Result<> stopped = stop_and_wait(*paths);
    if (!stopped) return fail(stopped.error().text());
    std::printf("\u2713 lab %s ended; its data stay in %s\n", lab.c_str(), paths->data.c_str());
    return 0;
}

int down_all() {
    int worst = 0;
    for (const std::string& lab : running_labs()) worst = std::max(worst, down(lab));
    return worst;
}

int reset(const std::string& lab, bool yes) {
    const auto paths = lab_paths(lab);
    if (!paths) return fail(paths.error().text());
    std::error_code ignored;
    const bool there = std::filesystem::exists(paths->data, ignored);
    if (there && !yes) {
        std::printf("Remove lab %s with all its data in %s? [y/N] ", lab.c_str(),
                    paths->data.c_str());
        std::fflush(stdout);
        std::string answer;
        std::getline(std::cin, answer);
        if (answer != "y" && answer != "Y" && answer != "yes") return fail("nothing removed");
    }
    if (find_running(*paths)) {
        const Result<> stopped = stop_and_wait(*paths);
        if (!stopped) return fail(stopped.error().text());
    }
    for (const std::string& folder : {paths->data, paths->runtime}) {
        if (const auto removed = remove_lab_folder(folder); !removed)
            return fail(removed.error().text());
    }
    std::printf(there ? "\u2713 lab %s removed\n" : "there is no lab %s\n", lab.c_str());
    return 0;
}

int status(const std::string& lab, bool as_json) {
    const auto paths = lab_paths(lab);
    if (!paths) return fail(paths.error().text());
    const auto answer = lab_get(*paths, "/kin/v1/status");
    if (!answer) {
        return fail(answer.error().code() == Errc::kNotFound ? not_running(lab)
                                                             : answer.error().text());
    }
    if (as_json) {
        std::printf("%s\n", answer->dump(2).c_str());
    } else {
        print_status(*paths, *answer);
    }
    return 0;
}

int kubeconfig(const std::string& lab, KubeconfigAction action) {
    const auto paths = lab_paths(lab);
    if (!paths) return fail(paths.error().text());
    const auto text = [&] {
        const netns::ActingAsLab owner;
        return read_file(paths->kubeconfig());
    }();
    if (!text)
        return fail(cat("lab ", lab, " was never started here. Start it: kin up", lab_words(lab)));
    if (action == KubeconfigAction::kPath) {
        std::printf("%s\n", paths->kubeconfig().c_str());
    } else if (action == KubeconfigAction::kPrint) {
        std::fputs(text->c_str(), stdout);
    } else {
        const auto merged = merge_kubeconfig(paths->kubeconfig(), *text);
        if (!merged) return fail(merged.error().text());
        std::printf("\u2713 context %s is in %s and current\n", lab.c_str(), merged->c_str());
    }
    return 0;
}

int kubectl(const std::string& lab, const std::vector<std::string>& arguments) {
    const auto paths = lab_paths(lab);
    if (!paths) return fail(paths.error().text());
    if (!works_offline(arguments) && !find_running(*paths)) {
        const bool behind = std::ranges::find(arguments, "--lab") != arguments.end();
        return fail(cat(not_running(lab),
                        behind ? ". What stands behind kubectl's own verb is kubectl's: "
                                 "kin kubectl --lab NAME ..."
                               : ""));
    }
    const std::string program = find_kubectl();
    ::setenv("KUBECONFIG", paths->kubeconfig().c_str(), 1);
    std::vector<std::string> words = arguments;
    words.insert(words.begin(), program);
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    ::execvp(pointers[0], pointers.data());
    return fail(cat("there is no kubectl on PATH. Try: ", kubectl_source()));
}

int apply_file(const std::string& lab, const std::string& file) {
    const auto paths = lab_paths(lab);
    if (!paths) return fail(paths.error().text());
    std::string text;
    if (file == "-") {
        text.assign(std::istreambuf_iterator<char>(std::cin), {});
    } else {
        auto read = read_file(file);
        if (!read) return fail(read.error().text());
        text = std::move(*read);
    }
    const auto answer = lab_request(*paths, "PUT", "/apply", text, "application/yaml");
    if (!answer) return fail(answer.error().text());
    std::fputs(answer->body.c_str(), answer->status == 200 ? stdout : stderr);
    return answer->status == 200 ? 0 : 1;
}

}  // namespace kin
