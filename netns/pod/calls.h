#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/ip.h"
#include "netns/init/containers.h"

namespace kin {
class Loop;
class Netns;
}  // namespace kin

namespace kin::netns {

/// What the node agent asks of a container or its network, without waiting: probes and lifecycle
/// hooks are made of these. All on the control thread.

/// One question under way. Ends with this object: `done` is then not called any more. It may be
/// destroyed inside `done`.
class Call {
public:
    virtual ~Call() = default;
    Call() = default;
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
};

struct CallResult {
    bool timed_out = false;
    /// Why there is no answer, in the words of Go's net package, which Kubernetes' Events show:
    /// "dial tcp 10.244.1.2:80: connect: connection refused". "" if there is one.
    std::string error;
    int code = 0;      ///< HTTP status; exit code of a command
    std::string body;  ///< at most 10 KiB: of the answer, or what the command wrote
};
using CallDone = std::function<void(CallResult)>;

/// Where a TCP connection goes, and from which namespace.
struct Peer {
    const Netns& from;  ///< used during the call that takes it only
    Ipv4 address;
    uint16_t port = 0;
};

struct HttpQuestion {
    bool tls = false;  ///< without a look at the certificate, as probes do it
    std::string path;  ///< "/healthz?full=1"
    std::string host;  ///< the Host header
    std::vector<std::pair<std::string, std::string>> headers;
};

/// Connects and closes.
std::unique_ptr<Call> connect_tcp(Loop& loop, const Peer& peer, std::chrono::milliseconds timeout,
                                  CallDone done);
/// One GET; redirects are not followed.
std::unique_ptr<Call> get_http(Loop& loop, const Peer& peer, const HttpQuestion& question,
                               std::chrono::milliseconds timeout, CallDone done);
/// Asks a server's gRPC health service; `error` says what is not well.
std::unique_ptr<Call> check_grpc(Loop& loop, const Peer& peer, std::string_view service,
                                 std::chrono::milliseconds timeout, CallDone done);
/// Runs a command in a container; it is killed when the time is over. 0: no limit.
std::unique_ptr<Call> run_command(Loop& loop, Containers& containers, ProcessId container,
                                  ProcessSpec process, std::chrono::milliseconds timeout,
                                  CallDone done);
/// Nothing but time.
std::unique_ptr<Call> wait(Loop& loop, std::chrono::milliseconds time, CallDone done);

}  // namespace kin::netns
