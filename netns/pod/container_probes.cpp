#include "netns/pod/container_probes.h"

#include "core/base/strings.h"
#include "netns/network/node_links.h"

namespace kin::netns {
namespace {

using std::chrono::milliseconds;

/// A hook without a limit of its own ends with the container; this bounds a silent server.
constexpr std::chrono::minutes kHookTime{10};
/// A program that has just been started gets to listen before it is asked: a first failure would
/// hold its pod back for a whole period.
constexpr milliseconds kFirstTry{50};

/// The address that a probe or hook goes to; nothing for a host that is no address.
std::optional<Ipv4> address_of(const HttpTarget& target, Ipv4 pod_ip) {
    if (target.host.empty()) return pod_ip;
    if (target.host == "localhost") return Ipv4{0x7F000001};
    return Ipv4::parse(target.host);
}

/// The host as messages and the Host header show it.
std::string host_text(const HttpTarget& target, Ipv4 pod_ip) {
    return target.host.empty() ? pod_ip.to_string() : target.host;
}

std::unique_ptr<Call> run_http_hook(const ContainerPlace& place, const Json& http_get,
                                    const std::function<void(std::string)>& done) {
    const HttpTarget target = decode_http_target(http_get);
    const auto address = address_of(target, place.pod_ip);
    const uint16_t port = resolve(target.port, place.container.ports);
    KernelNode* node = place.agent.links.find(place.pod.node);
    if (!address || port == 0 || !node) {
        return wait(place.agent.loop, milliseconds(0),
                    [done](const CallResult&) { done("no such host or port"); });
    }
    return get_http(
        place.agent.loop, {node->netns, *address, port},
        question_of(target, host_text(target, place.pod_ip), port, "kube-lifecycle/1.35"),
        kHookTime, [done](const CallResult& result) {
            const bool well = result.error.empty() && result.code < 400;
            done(well ? "" : result.error.empty() ? cat("status ", result.code) : result.error);
        });
}

}  // namespace

std::unique_ptr<Call> run_hook(const ContainerPlace& place, const Json& handler,
                               std::function<void(std::string why)> done) {
    if (const Json* http = find(handler, "httpGet")) return run_http_hook(place, *http, done);
    if (const Json* sleep = find(handler, "sleep")) {
        return wait(place.agent.loop, std::chrono::seconds(int_at(*sleep, {"seconds"})),
                    [done](const CallResult&) { done(""); });
    }
    const Json& command = array_at(handler, {"exec", "command"});
    if (command.empty()) {
        return wait(place.agent.loop, milliseconds(0), [done](const CallResult&) { done(""); });
    }
    return run_command(place.agent.loop, place.agent.containers, place.process,
                       place.process_spec(command.get<std::vector<std::string>>()), milliseconds(0),
                       [done](const CallResult& result) {
                           done(!result.error.empty() ? result.error
                                : result.code == 0    ? ""
                                                      : cat("exit code ", result.code));
                       });
}

ContainerProbes::ContainerProbes(ContainerPlace place, Listener listener)
    : place_(std::move(place)), listener_(std::move(listener)) {
    const ContainerSpecView& container = place_.container;
    if (auto probe = decode_probe(container.startup)) {
        startup_.emplace(ProbeKind::kStartup, std::move(*probe), false);
    }
    if (auto probe = decode_probe(container.liveness)) {
        liveness_.emplace(ProbeKind::kLiveness, std::move(*probe), true);
    }
    if (auto probe = decode_probe(container.readiness)) {
        readiness_.emplace(ProbeKind::kReadiness, std::move(*probe), false);
    }
    if (startup_) {
        begin(startup_);
    } else {
        begin_the_others();
    }
}

void ContainerProbes::rest() {
    resting_ = true;
    for (auto* probe : {&startup_, &liveness_}) {
        if (!*probe) continue;
        (*probe)->next.cancel();
        (*probe)->call.reset();
    }
}

void ContainerProbes::begin_the_others() {
    begin(liveness_);
    begin(readiness_);
}

void ContainerProbes::begin(std::optional<Probe>& probe) {
    if (!probe) return;
    const auto due = began_ + probe->spec.initial_delay - std::chrono::steady_clock::now();
    const auto delay = std::max(std::chrono::ceil<milliseconds>(due), kFirstTry);
    probe->next = place_.agent.loop.after(delay, [this, &one = *probe] { ask(one); });
}

void ContainerProbes::ask(Probe& probe) {
    probe.next = place_.agent.loop.after(probe.spec.period, [this, &probe] { ask(probe); });
    // A try that takes longer than the period is not overtaken by the next one.
    if (!probe.call) probe.call = start(probe);
}

std::unique_ptr<Call> ContainerProbes::start(Probe& probe) {
    const ProbeSpec& spec = probe.spec;
    Loop& loop = place_.agent.loop;
    if (spec.action == ProbeSpec::Action::kExec) {
        return run_command(loop, place_.agent.containers, place_.process,
                           place_.process_spec(spec.command), spec.timeout,
                           [this, &probe](const CallResult& result) {
                               heard(probe, outcome_of(probe.spec, result, ""));
                           });
    }
    const auto address = address_of(spec.http, place_.pod_ip);
    const std::string host = host_text(spec.http, place_.pod_ip);
    const uint16_t port = resolve(spec.http.port, place_.container.ports);
    KernelNode* node = place_.agent.links.find(place_.pod.node);
    if (!address || !node)
        return fail_later(probe, cat("dial tcp: lookup ", host, ": no such host"));
    if (port == 0) return fail_later(probe, cat("couldn't find port: ", spec.http.port.name));
    const std::string url = url_of(spec.http, host, port);
    const auto done = [this, &probe, url](const CallResult& result) {
        heard(probe, outcome_of(probe.spec, result, url));
    };
    const Peer peer{node->netns, *address, port};
    if (spec.action == ProbeSpec::Action::kTcp) {
        return connect_tcp(loop, peer, spec.timeout, done);
    }
    if (spec.action == ProbeSpec::Action::kGrpc) {
        return check_grpc(loop, peer, spec.service, spec.timeout, done);
    }
    return get_http(loop, peer, question_of(spec.http, host, port, "kube-probe/1.35"), spec.timeout,
                    done);
}

std::unique_ptr<Call> ContainerProbes::fail_later(Probe& probe, std::string message) {
    return wait(place_.agent.loop, milliseconds(0),
                [this, &probe, message = std::move(message)](const CallResult&) {
                    heard(probe, {false, message});
                });
}

void ContainerProbes::heard(Probe& probe, const ProbeOutcome& outcome) {
    probe.call.reset();
    const bool was_started = started(), was_ready = ready();
    probe.count.note(outcome.success);
    // Copied: what listens may end this object.
    const Listener listener = listener_;
    const ProbeKind kind = probe.kind;
    const auto grace = probe.spec.grace;
    const bool condemn = kind != ProbeKind::kReadiness && probe.count.exhausted();
    if (kind == ProbeKind::kStartup && probe.count.good()) {
        probe.next.cancel();
        if (!was_started && !resting_) begin_the_others();
    }
    if (condemn) rest();
    const bool changed = started() != was_started || ready() != was_ready;
    if (!outcome.success) listener.unhealthy(kind, outcome.message);
    if (changed) listener.changed();
    if (condemn) listener.condemned(kind, grace);
}

}  // namespace kin::netns
