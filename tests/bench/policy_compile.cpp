#include <malloc.h>

#include <cstdio>

#include "core/base/strings.h"
#include "policy/ruleset.h"
#include "tests/bench/policies.h"
#include "tests/bench/requests.h"
#include "tests/bench/stopwatch.h"

namespace kin::bench {
namespace {

using policy::PolicyPod;
using policy::Ruleset;

constexpr int kNamespaces = 10, kApplications = 50, kNodes = 3;

std::string namespace_of(int number) { return cat("team-", number % kNamespaces); }
std::string application_of(int number) { return cat("app-", number / kNamespaces % kApplications); }

PolicyPod pod(int number) {
    PolicyPod out;
    out.key = {namespace_of(number), cat("pod-", number)};
    out.uid = cat(number);
    out.labels = {{"app", application_of(number)}};
    out.node = cat("node-", 1 + number % kNodes);
    out.address = Ipv4{0x0AF40002}.plus(static_cast<uint32_t>(number));
    return out;
}

/// One application of a namespace lets another of it reach a port.
NetworkPolicy network_policy(int number, int port) {
    const Json chosen = {{"matchLabels", {{"app", application_of(number)}}}};
    const Json peer = {
        {"podSelector", {{"matchLabels", {{"app", application_of(number + kNamespaces)}}}}}};
    const Json rule = {{"from", Json::array({peer})},
                       {"ports", Json::array({Json{{"port", port}}})}};
    const Json object = {
        {"metadata", {{"name", cat("policy-", number)}, {"namespace", namespace_of(number)}}},
        {"spec",
         {{"podSelector", chosen},
          {"policyTypes", Json::array({"Ingress"})},
          {"ingress", Json::array({rule})}}}};
    return decode<NetworkPolicy>(std::make_shared<const Json>(object));
}

double used_mib() { return static_cast<double>(::mallinfo2().uordblks) / (1 << 20); }

template <class F>
double microseconds(int times, F&& work) {
    const Stopwatch stopwatch;
    for (int i = 0; i < times; ++i) work(i);
    return stopwatch.read().wall_ms * 1e3 / times;
}

}  // namespace

void measure_policy_compiling(int policies, int pods) {
    constexpr int kTimes = 200;
    const double before_mib = used_mib();
    Ruleset ruleset;
    for (int i = 0; i < kNamespaces; ++i) ruleset.set_namespace(namespace_of(i), Labels{});
    const Stopwatch stopwatch;
    for (int i = 0; i < pods; ++i) ruleset.set_pod(pod(i));
    for (int i = 0; i < policies; ++i) {
        const NetworkPolicy one = network_policy(i, 80);
        ruleset.set_policy(one.key(), one);
    }
    if (ruleset.take_changes().empty()) give_up("the policies came to nothing");
    const double all_ms = stopwatch.read().wall_ms;
    const double mib = used_mib() - before_mib;
    const double change_us = microseconds(kTimes, [&](int i) {
        const NetworkPolicy one = network_policy(7, 81 + i % 2);
        ruleset.set_policy(one.key(), one);
        if (ruleset.take_changes().empty()) give_up("a changed policy came to nothing");
    });
    const double arrival_us = microseconds(kTimes, [&](int i) {
        ruleset.set_pod(pod(pods + i));
        if (ruleset.take_changes().empty()) give_up("a new pod came to nothing");
    });
    std::printf("%.1f %.1f %.0f %.0f\n", all_ms, mib, change_us, arrival_us);
}

}  // namespace kin::bench
