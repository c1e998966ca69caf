#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/base/strings.h"
#include "tests/bench/data_path.h"
#include "tests/bench/dns.h"
#include "tests/bench/ingress_compile.h"
#include "tests/bench/ingress_proxy.h"
#include "tests/bench/lab_requests.h"
#include "tests/bench/policies.h"
#include "tests/bench/raw_links.h"
#include "tests/bench/raw_network.h"
#include "tests/bench/raw_services.h"
#include "tests/bench/removals.h"

namespace kin::bench {
namespace {

constexpr const char* kUsage =
    "kin_bench raw-links NODES | raw-pods NODES PODS | own-pods NODES PODS\n"
    "    what it took in milliseconds: wall clock, processor\n"
    "kin_bench raw-services SERVICES\n"
    "    elements loaded, and the same\n"
    "kin_bench data-path TURNS SERVER_PID,SERVER_PID... NAME:same|across:CLIENT_PID:ADDRESS...\n"
    "    per way and kind: microseconds, the reference's, their ratio (median, lowest, highest)\n"
    "kin_bench await-nodes SOCKET NODES\n"
    "    ends when a lab that is starting has so many that are Ready\n"
    "kin_bench deploy SOCKET NAME PODS | restarted SOCKET NAME PODS COUNT | remove SOCKET NAME\n"
    "    milliseconds until all are Ready, or gone\n"
    "kin_bench change-endpoints SOCKET SERVICE TIMES\n"
    "    microseconds to the answer (median, p99), from it to the rule in force (median, p99)\n"
    "kin_bench removals SOCKET SERVICE ADDRESS PODS KILLS\n"
    "    milliseconds from an endpoint's removal to the last connection (median, p99, worst)\n"
    "kin_bench echo ADDRESS PORT\n"
    "    gives datagrams back\n"
    "kin_bench ask-dns ADDRESS PORT a|mix SECONDS | ask-echo ADDRESS PORT a|mix SECONDS\n"
    "    questions answered, lost, answered per second\n"
    "kin_bench ask-after-changes SOCKET ADDRESS PORT TIMES\n"
    "    microseconds from a new Service to its right answer (median, p99), right at once\n"
    "kin_bench policy-changes SOCKET ADDRESS TIMES\n"
    "    microseconds from the answer to the first connection judged (allowed median, p99; denied)\n"
    "kin_bench policy-compiling POLICIES PODS\n"
    "    milliseconds for all, MiB; microseconds for a policy that changes, a pod that arrives\n"
    "kin_bench ingress-compiling INGRESSES\n"
    "    milliseconds for all, KiB; microseconds for an Ingress that changes, a Service that does\n"
    "kin_bench ingress-proxy PORT TLS_PORT BACKEND_PORT\n"
    "    the proxy alone on 127.0.0.1, until it is ended\n";

int run(const std::vector<std::string>& words) {
    const auto is = [&words](std::string_view verb, size_t arguments) {
        return words.size() == arguments + 1 && words[0] == verb;
    };
    const auto number = [&words](size_t at) { return std::atoi(words[at].c_str()); };
    if (is("deploy", 3)) {
        deploy(words[1], words[2], number(3));
    } else if (is("await-nodes", 2)) {
        await_nodes(words[1], number(2));
    } else if (is("restarted", 4)) {
        await_restart(words[1], words[2], number(3), number(4));
    } else if (is("remove", 2)) {
        remove(words[1], words[2]);
    } else if (is("change-endpoints", 3)) {
        change_endpoints(words[1], words[2], number(3));
    } else if (is("removals", 5)) {
        measure_removals(words[1], words[2], words[3], number(4), number(5));
    } else if (is("ingress-compiling", 1)) {
        measure_ingress_compiling(number(1));
    } else if (is("ingress-proxy", 3)) {
        serve_ingress_proxy(number(1), number(2), number(3));
    } else if (is("echo", 2)) {
        serve_echo(words[1], number(2));
    } else if (is("ask-dns", 4) || is("ask-echo", 4)) {
        ask_dns({words[1], number(2), words[0] == "ask-echo"}, words[3], number(4));
    } else if (is("ask-after-changes", 4)) {
        ask_after_changes(words[1], {words[2], number(3)}, number(4));
    } else if (words.size() > 3 && words[0] == "data-path") {
        std::vector<std::string> servers;
        for (const std::string_view pid : split(words[2], ',')) servers.emplace_back(pid);
        measure_data_path(number(1), servers, {words.begin() + 3, words.end()});
    } else if (is("policy-compiling", 2)) {
        measure_policy_compiling(number(1), number(2));
    } else if (is("policy-changes", 3)) {
        measure_policy_changes(words[1], words[2], number(3));
    } else if (is("raw-links", 1) || is("raw-pods", 2) || is("own-pods", 2) ||
               is("raw-services", 1)) {
        leave_host();
        const Cost cost = words[0] == "raw-links"      ? lay_raw_links(number(1))
                          : words[0] == "raw-services" ? load_raw_services(number(1))
                          : words[0] == "raw-pods"     ? attach_raw_pods(number(1), number(2))
                                                       : attach_own_pods(number(1), number(2));
        std::printf("%.3f %.3f\n", cost.wall_ms, cost.cpu_ms);
        std::fflush(stdout);
        std::_Exit(0);
    } else {
        std::fputs(kUsage, stderr);
        return 2;
    }
    return 0;
}

}  // namespace
}  // namespace kin::bench

int main(int argc, char** argv) { return kin::bench::run({argv + 1, argv + argc}); }
