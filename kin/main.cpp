#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <map>
#include <optional>
#include <set>

#include "core/base/strings.h"
#include "kin/completion.h"
#include "kin/options.h"
#include "kin/version.h"
#include "netns/images/images.h"
#include "netns/network/attachment.h"
#include "netns/network/overlay.h"

namespace {

using namespace kin;

std::string version_text() { return cat("kin ", kVersion, " (Kubernetes API v1.35)"); }

constexpr int kUsageError = 2;

void add_lab_option(CLI::App* verb, std::string& lab) {
    verb->add_option("--lab", lab, "name of the lab; also KIN_LAB in the environment")
        ->type_name("NAME")
        ->capture_default_str();
}

/// Whether a verb was told of which lab it is.
bool said_lab(const CLI::App& app) {
    return std::ranges::any_of(app.get_subcommands(), [](const CLI::App* verb) {
        const CLI::Option* const option = verb->get_option_no_throw("--lab");
        return (option && option->count() > 0) || said_lab(*verb);
    });
}

/// `kin kubectl` takes everything behind its own words as it is.
void pass_rest(CLI::App* verb) {
    verb->prefix_command();
    verb->set_help_flag();
}

bool is_kubectl_verb(const std::string& word) {
    static const std::set<std::string> kVerbs{
        "get",  "describe", "create", "run",      "delete",       "expose", "scale",
        "logs", "edit",     "patch",  "label",    "rollout",      "set",    "explain",
        "wait", "cp",       "top",    "annotate", "port-forward", "attach", "replace",
        "diff", "cordon",   "drain",  "taint",    "config"};
    return kVerbs.contains(word);
}

/// One line for whoever mistyped: what is wrong, and where help is.
std::string usage_error(const CLI::App* app, const CLI::Error& error) {
    const auto verbs = app->get_subcommands();
    if (!verbs.empty()) {
        return cat("kin ", verbs.front()->get_name(), ": ", error.what(), ". See: kin ",
                   verbs.front()->get_name(), " --help\n");
    }
    const std::vector<std::string> words = app->remaining();
    if (words.empty()) return cat("kin: ", error.what(), ". See: kin --help\n");
    if (is_kubectl_verb(words[0])) {
        return cat("kin: ", words[0], " is a verb of kubectl: kin kubectl ", join(words, " "),
                   '\n');
    }
    return cat("kin: there is no ", words[0], ". See: kin --help\n");
}

CLI::Option* add_host(CLI::App* verb, std::string& host) {
    return verb->add_option("host", host, "node-1, node-2, ..., router, client, internet")
        ->type_name("HOST")
        ->required();
}

/// One of several ways that have names and words for people; as last time if nothing is said.
template <class Ways>
void add_network_choice(CLI::App* verb, const std::string& flag, std::optional<std::string>& chosen,
                        std::string text, const Ways& ways) {
    std::vector<std::string> names;
    for (const auto* way : ways) {
        text += cat(names.empty() ? ": " : "; ", way->name(), ", ", way->words());
        names.emplace_back(way->name());
    }
    const CLI::Validator known(
        [names](std::string& name) {
            const bool found = std::ranges::find(names, name) != names.end();
            return found ? std::string()
                         : cat("there is no ", name, "; there is: ", join(names, ", "));
        },
        "");
    // "--cni" is KIN_CNI in the environment.
    std::string variable = "KIN_";
    for (const char c : flag.substr(2)) variable.push_back(static_cast<char>(std::toupper(c)));
    verb->add_option(flag, chosen, cat(text, " (as last time, else ", names.front(), ')'))
        ->type_name(cat("NAME:{", join(names, ","), '}'))
        ->envname(variable)
        ->check(known);
}

CLI::App* add_up(CLI::App& app, UpOptions& options) {
    CLI::App* verb = app.add_subcommand("up", "start a lab (Ctrl-C ends it, its data stay)");
    add_lab_option(verb, options.lab);
    verb->add_option(
            "--nodes", options.nodes,
            cat("number of nodes, 1 to ", kMostNodes, " (as last time, else ", kDefaultNodes, ')'))
        ->type_name("N")
        ->check(CLI::Range(1, kMostNodes).description(""));
    verb->add_flag("-d,--detach", options.detach, "go on in the background");
    verb->add_option("--api-port", options.api_port,
                     "port of the API on 127.0.0.1; if taken, the next free one")
        ->type_name("PORT")
        ->envname("KIN_API_PORT")
        ->capture_default_str();
    verb->add_option("--page-port", options.page_port,
                     "port of the page on 127.0.0.1; if taken, the next free one")
        ->type_name("PORT")
        ->envname("KIN_PAGE_PORT")
        ->capture_default_str();
    add_network_choice(verb, "--cni", options.cni, "how pods hang on their node",
                       netns::attachments());
    add_network_choice(verb, "--overlay", options.overlay, "how packets of pods get to other nodes",
                       netns::overlays());
    verb->add_flag("--keep-connections", options.keep_connections,
                   "connections that a changed NetworkPolicy forbids go on until they end");
    verb->add_flag("-v,--verbose", options.verbose, "log what the cluster does");
    return verb;
}

CLI::App* add_rules(CLI::App& app, RulesOptions& options) {
    CLI::App* verb =
        app.add_subcommand("rules", "what a node's kernel holds for a Service: kin rules svc/web");
    verb->add_option("object", options.object, "svc/NAME")->required();
    verb->add_option("-n,--namespace", options.ns, "namespace of the Service")
        ->capture_default_str();
    verb->add_option("--node", options.node, "on which node")->capture_default_str();
    verb->add_option("--mode", options.mode,
                     "nftables: what is there; iptables, ipvs: what kube-proxy's other modes write")
        ->check(CLI::IsMember({"nftables", "iptables", "ipvs"}))
        ->capture_default_str();
    return verb;
}

CLI::App* add_check(CLI::App& app, CheckOptions& options) {
    CLI::App* verb = app.add_subcommand(
        "check", "may a pod reach another? kin check web db:5432 asks the policies and tries it");
    verb->add_option("from", options.from, "a pod: NAME or NAMESPACE/NAME")
        ->type_name("POD")
        ->required();
    verb->add_option("to", options.to, "POD:PORT, svc/NAME:PORT or ADDRESS:PORT")
        ->type_name("WHAT")
        ->required();
    verb->add_option("-n,--namespace", options.ns, "namespace of names that say none")
        ->capture_default_str();
    verb->add_option("--protocol", options.protocol, "tcp or udp")
        ->check(CLI::IsMember({"tcp", "udp"}))
        ->capture_default_str();
    verb->add_option("--expect", options.expect, "allow or deny: exit with 1 if it is not so")
        ->check(CLI::IsMember({"allow", "deny"}));
    return verb;
}

/// What a shell may offer for a value, by the names that the options above have.
Offer offer_for(const CLI::Option* option) {
    static const std::map<std::string, Offer> kOffers{
        {"--lab", "lab"},   {"--namespace", "namespace"},
        {"--node", "node"}, {"host", "host"},
        {"node", "node"},   {"from", "pod"},
        {"to", "pod"},      {"object", "service"},
        {"file", "file"},   {"--filename", "file"}};
    const std::string name = option->get_single_name();
    const auto known = kOffers.find(option->get_positional() ? name : "--" + name);
    if (known != kOffers.end()) return known->second;
    // "TEXT:{tcp,udp}": the set that it must be of.
    const std::string type = option->get_type_name();
    const size_t open = type.find('{'), close = type.find('}');
    return close == std::string::npos ? Offer() : type.substr(open + 1, close - open - 1);
}

VerbWords words_of(const CLI::App& verb) {
    VerbWords words{verb.get_name(), verb.get_description(), {}, {}, {}};
    for (const CLI::Option* option : verb.get_options()) {
        if (option->get_positional()) {
            words.places.push_back(offer_for(option));
            continue;
        }
        OptionWords named{
            {}, option->get_items_expected() > 0, offer_for(option), option->get_description()};
        for (const std::string& name : option->get_snames()) named.names.push_back("-" + name);
        for (const std::string& name : option->get_lnames()) named.names.push_back("--" + name);
        words.options.push_back(std::move(named));
    }
    for (const CLI::App* below : verb.get_subcommands([](const CLI::App*) { return true; })) {
        if (!below->get_group().empty()) words.verbs.push_back(words_of(*below));
    }
    if (verb.get_parent() == nullptr) words.name.clear();
    return words;
}

struct CompletionVerbs {
    CLI::App* script = nullptr;
    CLI::App* names = nullptr;
};

/// A script for a shell, and what that asks (hidden: in no group).
CompletionVerbs add_completion_verbs(CLI::App& app, std::string& lab, std::string& what) {
    CompletionVerbs verbs;
    verbs.script =
        app.add_subcommand("completion", "Tab in bash, zsh or fish: source <(kin completion bash)");
    verbs.script->add_option("shell", what, "bash, zsh or fish")
        ->check(CLI::IsMember({"bash", "zsh", "fish"}))
        ->required();
    verbs.names = app.add_subcommand("__complete", "")->group("");
    verbs.names->add_option("what", what)->required();
    add_lab_option(verbs.names, lab);
    return verbs;
}

struct FileVerbs {
    CLI::App* save = nullptr;
    CLI::App* load = nullptr;
};

FileVerbs add_file_verbs(CLI::App& app, std::string& lab, std::string& file, bool& yes) {
    FileVerbs verbs;
    verbs.save = app.add_subcommand("save", "the whole lab in one file: kin save demo.kin");
    verbs.load = app.add_subcommand("load", "a lab from such a file: kin load demo.kin --lab demo");
    verbs.load->add_flag("-y,--yes", yes, "replace the data that this lab has");
    for (CLI::App* verb : {verbs.save, verbs.load}) {
        verb->add_option("file", file, "the file; - for standard output or input")
            ->type_name("FILE")
            ->required();
        add_lab_option(verb, lab);
    }
    return verbs;
}

struct NodeVerbs {
    CLI::App* add = nullptr;
    CLI::App* remove = nullptr;
};

NodeVerbs add_node_verbs(CLI::App& app, std::string& lab, std::string& node) {
    CLI::App* verb = app.add_subcommand("node", "nodes of a running lab come and go");
    verb->require_subcommand(1);
    NodeVerbs verbs;
    verbs.add = verb->add_subcommand("add", "one more node, with the lowest free number");
    verbs.remove = verb->add_subcommand(
        "remove", "take a node out: its pods are replaced on others (kubectl drain is gentler)");
    verbs.remove->add_option("node", node, "node-2, node-3, ...")->type_name("NODE")->required();
    for (CLI::App* each : {verb, verbs.add, verbs.remove}) add_lab_option(each, lab);
    return verbs;
}

}  // namespace

int main(int argc, char** argv) {
    // In containers this file is also what its name says: nc.
    const std::string_view path = argc > 0 ? argv[0] : "";
    const std::string name(path.substr(path.rfind('/') + 1));
    if (images::is_in_every_container(name)) {
        return images::run_personality(name, {argv, argv + argc}, {}, nullptr);
    }
    CLI::App app("kin: Kubernetes in namespaces - a whole cluster network on this machine", "kin");
    app.require_subcommand(1);
    app.failure_message(usage_error);
    app.set_version_flag("--version", version_text());
    app.footer("Start here:  kin up -d  &&  kin kubectl get nodes");
    std::string lab = "kin", usual_lab;
    app.add_option("--lab", usual_lab, "name of the lab, of any verb")
        ->type_name("NAME")
        ->envname("KIN_LAB");
    UpOptions up_options;
    bool yes = false, json = false, print = false, merge = false;
    std::string host, file;
    std::vector<std::string> command;

    CLI::App* up_verb = add_up(app, up_options);
    CLI::App* down_verb = app.add_subcommand("down", "end a lab; its data stay");
    bool all = false;
    CLI::Option* down_every = down_verb->add_flag("--all", all, "every lab of yours that runs");
    CLI::App* reset_verb = app.add_subcommand("reset", "end a lab and remove its data");
    reset_verb->add_flag("-y,--yes", yes, "do not ask");
    const FileVerbs file_verbs = add_file_verbs(app, lab, file, yes);
    CLI::App* status_verb = app.add_subcommand("status", "what runs, where, and how to reach it");
    status_verb->add_flag("--json", json, "for programs");
    CLI::App* ui_verb = app.add_subcommand("ui", "open the page of a lab in the browser");
    ui_verb->add_flag("--print", print, "print the link instead; it opens the page once");
    CLI::App* vm_verb = app.add_subcommand(
        "vm", "a shell or command in a virtual machine, where kin cannot run: kin vm -- kin up");
    vm_verb->add_option("command", command, "the command, after --; else a shell")
        ->type_name("CMD");
    CLI::App* doctor_verb = app.add_subcommand("doctor", "what this machine has and lacks for kin");
    CLI::App* config_verb =
        app.add_subcommand("kubeconfig", "path of the kubeconfig for kubectl and other clients");
    config_verb->add_flag("--print", print, "print the file");
    config_verb->add_flag(
        "--merge", merge,
        "merge it into the file that KUBECONFIG names, else ~/.kube/config, and make it current");
    CLI::App* kubectl_verb =
        app.add_subcommand("kubectl", "kubectl with the lab's kubeconfig (kin kubectl get pods)");
    pass_rest(kubectl_verb);
    CLI::App* shell_verb =
        app.add_subcommand("shell", "a shell in a node's network: kin shell node-2");
    add_host(shell_verb, host);
    CLI::App* exec_verb =
        app.add_subcommand("exec", "a command in a node's network: kin exec node-1 -- ip route");
    add_host(exec_verb, host);
    exec_verb->add_option("command", command, "the command, after --")
        ->type_name("CMD")
        ->required();
    CLI::App* apply_verb =
        app.add_subcommand("apply", "apply a file of manifests, without kubectl");
    apply_verb->add_option("-f,--filename", file, "the file; - for standard input")
        ->type_name("FILE")
        ->required();
    RulesOptions rules_options;
    CLI::App* rules_verb = add_rules(app, rules_options);
    CheckOptions check_options;
    CLI::App* check_verb = add_check(app, check_options);
    std::string matrix_namespace;
    CLI::App* matrix_verb =
        app.add_subcommand("matrix", "which pods may reach which: policies asked, and tried");
    matrix_verb->add_option("-n,--namespace", matrix_namespace,
                            "pods of this namespace only (else of all but kube-system)");
    bool follow = false, dropped = false;
    CLI::App* flows_verb =
        app.add_subcommand("flows", "packets that policies dropped, and why: kin flows --dropped");
    flows_verb->add_flag("--dropped", dropped, "what was dropped (nothing else is kept)");
    flows_verb->add_flag("-f,--follow", follow, "go on until Ctrl-C");
    std::string node;
    const NodeVerbs node_verbs = add_node_verbs(app, lab, node);
    std::string what;
    const CompletionVerbs completion_verbs = add_completion_verbs(app, lab, what);
    CLI::App* version_verb = app.add_subcommand("version", "print kin's version");
    for (CLI::App* verb :
         {down_verb, reset_verb, status_verb, ui_verb, config_verb, kubectl_verb, shell_verb,
          exec_verb, apply_verb, rules_verb, check_verb, matrix_verb, flows_verb}) {
        add_lab_option(verb, lab);
    }
    down_every->excludes(down_verb->get_option("--lab"));

    std::vector<const char*> words(argv, argv + argc);
    if (argc == 1) words.push_back("--help");
    if (argc > 1 && std::string_view(argv[1]) == "help") {
        words.erase(words.begin() + 1);
        words.push_back("--help");
    }
    try {
        app.parse(static_cast<int>(words.size()), words.data());
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : kUsageError;
    }

    if (!usual_lab.empty() && !said_lab(app)) lab = up_options.lab = usual_lab;

    const auto rest = [](const CLI::App* verb) {
        std::vector<std::string> behind = verb->remaining();
        if (!behind.empty() && behind.front() == "--") behind.erase(behind.begin());
        return behind;
    };
    if (*up_verb) return up(up_options);
    if (*down_verb) return all ? down_all() : down(lab);
    if (*reset_verb) return reset(lab, yes);
    if (*file_verbs.save) return save(lab, file);
    if (*file_verbs.load) return load(lab, file, yes ? Replace::kYes : Replace::kNo);
    if (*status_verb) return status(lab, json);
    if (*ui_verb) return ui(lab, print);
    if (*vm_verb) return vm(command);
    if (*doctor_verb) return doctor();
    if (*config_verb) {
        return kubeconfig(lab, print   ? KubeconfigAction::kPrint
                               : merge ? KubeconfigAction::kMerge
                                       : KubeconfigAction::kPath);
    }
    if (*kubectl_verb) return kubectl(lab, rest(kubectl_verb));
    if (*shell_verb) return exec_in_host(lab, host, {});
    if (*exec_verb) return exec_in_host(lab, host, command);
    if (*apply_verb) return apply_file(lab, file);
    if (*rules_verb) return rules(lab, rules_options);
    if (*check_verb) return check(lab, check_options);
    if (*matrix_verb) return matrix(lab, matrix_namespace);
    if (*flows_verb) return flows(lab, follow);
    if (*node_verbs.add) return add_node(lab);
    if (*node_verbs.remove) return remove_node(lab, node);
    if (*completion_verbs.script) {
        std::fputs(completion_script(what, words_of(app)).c_str(), stdout);
        return 0;
    }
    if (*completion_verbs.names) return list_names(lab, what);
    if (*version_verb) std::printf("%s\n", version_text().c_str());
    return 0;
}
