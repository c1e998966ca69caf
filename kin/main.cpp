#include <CLI/CLI.hpp>
#include <cstdio>

#include "core/base/log.h"
#include "kin/options.h"
#include "kin/version.h"

namespace {

using namespace kin;

void add_lab_option(CLI::App* verb, std::string& lab) {
    verb->add_option("--lab", lab, "name of the lab")->capture_default_str();
}

/// `kin kubectl` takes everything behind its own words as it is.
void pass_rest(CLI::App* verb) {
    verb->prefix_command();
    verb->set_help_flag();
}

CLI::App* add_up(CLI::App& app, UpOptions& options) {
    CLI::App* verb = app.add_subcommand("up", "start a lab (Ctrl-C ends it, its data stay)");
    add_lab_option(verb, options.lab);
    verb->add_option("--nodes", options.nodes, "number of nodes (default: as last time, else 3)")
        ->check(CLI::Range(1, kMostNodes));
    verb->add_flag("-d,--detach", options.detach, "go on in the background");
    verb->add_option("--api-port", options.api_port, "port of the API on 127.0.0.1")
        ->capture_default_str();
    verb->add_option("--cni", options.cni, "how pods are attached: ptp (a routed veth each)")
        ->transform(CLI::CheckedTransformer(std::map<std::string, Cni>{{"ptp", Cni::kPtp}}))
        ->default_str("ptp");
    verb->add_flag("-v,--verbose", options.verbose, "log what the cluster does");
    return verb;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("kin: Kubernetes in namespaces - a whole cluster network on this machine", "kin");
    app.require_subcommand(1);
    app.failure_message(CLI::FailureMessage::help);
    app.footer("Start here:  kin up -d  &&  kin kubectl get nodes");
    std::string lab = "kin";
    UpOptions up_options;
    bool yes = false, json = false, print = false, merge = false;
    std::string host, file;
    std::vector<std::string> command;

    CLI::App* up_verb = add_up(app, up_options);
    CLI::App* down_verb = app.add_subcommand("down", "end a lab; its data stay");
    CLI::App* reset_verb = app.add_subcommand("reset", "end a lab and remove its data");
    reset_verb->add_flag("-y,--yes", yes, "do not ask");
    CLI::App* status_verb = app.add_subcommand("status", "what runs, where, and how to reach it");
    status_verb->add_flag("--json", json, "for programs");
    CLI::App* doctor_verb = app.add_subcommand("doctor", "what this machine has and lacks for kin");
    CLI::App* config_verb =
        app.add_subcommand("kubeconfig", "path of the kubeconfig for kubectl and other clients");
    config_verb->add_flag("--print", print, "print the file");
    config_verb->add_flag("--merge", merge, "merge it into ~/.kube/config and make it current");
    CLI::App* kubectl_verb =
        app.add_subcommand("kubectl", "kubectl with the lab's kubeconfig (kin kubectl get pods)");
    pass_rest(kubectl_verb);
    CLI::App* shell_verb = app.add_subcommand("shell", "a shell in a node's network namespace");
    shell_verb->add_option("host", host, "node-1, node-2, ..., router, client, internet")->required();
    CLI::App* exec_verb =
        app.add_subcommand("exec", "a command in a node's network: kin exec node-1 -- ip route");
    exec_verb->add_option("host", host, "node-1, node-2, ..., router, client, internet")->required();
    exec_verb->add_option("command", command, "the command, after --")->required();
    CLI::App* apply_verb = app.add_subcommand("apply", "apply a file of manifests");
    apply_verb->add_option("-f", file, "the file; - for standard input")->required();
    CLI::App* version_verb = app.add_subcommand("version", "print kin's version");
    for (CLI::App* verb : {down_verb, reset_verb, status_verb, config_verb, kubectl_verb,
                           shell_verb, exec_verb, apply_verb}) {
        add_lab_option(verb, lab);
    }

    CLI11_PARSE(app, argc, argv);

    const auto rest = [](const CLI::App* verb) {
        std::vector<std::string> words = verb->remaining();
        if (!words.empty() && words.front() == "--") words.erase(words.begin());
        return words;
    };
    if (*up_verb) return up(up_options);
    if (*down_verb) return down(lab);
    if (*reset_verb) return reset(lab, yes);
    if (*status_verb) return status(lab, json);
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
    if (*version_verb) std::printf("kin %s (Kubernetes API v1.35)\n", kVersion);
    return 0;
}
