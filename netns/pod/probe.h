#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/api/views.h"
#include "core/base/json.h"
#include "netns/pod/calls.h"

namespace kin::netns {

enum class ProbeKind { kStartup, kLiveness, kReadiness };
/// "Startup", "Liveness", "Readiness", as Events begin.
std::string_view name_of(ProbeKind kind);

/// What an httpGet of a probe or a lifecycle hook asks, and whom.
struct HttpTarget {
    std::string host;  ///< an address; "": the pod's
    PortRef port;
    bool tls = false;
    std::string path = "/";
    std::vector<std::pair<std::string, std::string>> headers;
};
HttpTarget decode_http_target(const Json& http_get);
/// The question with the headers that Kubernetes sends unless the target sets them otherwise.
HttpQuestion question_of(const HttpTarget& target, std::string_view address, uint16_t port,
                         std::string_view user_agent);
/// "http://10.244.1.2:8080/healthz"
std::string url_of(const HttpTarget& target, std::string_view address, uint16_t port);

/// The number that `port` means among a container's ports; 0: it names none of them.
uint16_t resolve(const PortRef& port, const std::vector<ContainerPort>& ports);

/// A probe of a container, decoded.
struct ProbeSpec {
    enum class Action { kHttp, kTcp, kExec, kGrpc };
    Action action = Action::kExec;
    HttpTarget http;                   ///< kHttp; kTcp: host and port alone; kGrpc: port
    std::vector<std::string> command;  ///< kExec
    std::string service;               ///< kGrpc: whose health; "": the server's
    std::chrono::seconds initial_delay{0}, period{10}, timeout{1};
    int success_threshold = 1, failure_threshold = 3;
    std::optional<std::chrono::seconds> grace;  ///< for the end that a failure brings
};
/// Nothing where `probe` is null.
std::optional<ProbeSpec> decode_probe(const Json& probe);

/// What one try of a probe says; the message is what the Event shows behind "probe failed: ".
struct ProbeOutcome {
    bool success = false;
    std::string message;
};
ProbeOutcome outcome_of(const ProbeSpec& probe, const CallResult& result, const std::string& url);

/// Counts outcomes against a probe's thresholds. Pure.
class ProbeCount {
public:
    /// `good` is what holds before the first verdict.
    ProbeCount(const ProbeSpec& probe, bool good)
        : success_threshold_(probe.success_threshold),
          failure_threshold_(probe.failure_threshold),
          good_(good) {}

    bool good() const { return good_; }
    /// So many failures in a row that it is bad now.
    bool exhausted() const { return failures_ >= failure_threshold_; }
    void note(bool success) {
        successes_ = success ? successes_ + 1 : 0;
        failures_ = success ? 0 : failures_ + 1;
        if (successes_ >= success_threshold_) good_ = true;
        if (exhausted()) good_ = false;
    }

private:
    int success_threshold_, failure_threshold_;
    int successes_ = 0, failures_ = 0;
    bool good_;
};

}  // namespace kin::netns
