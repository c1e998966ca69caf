#pragma once

#include <string>
#include <string_view>

namespace kin::netns {

/// gRPC's health check (grpc.health.v1.Health/Check) over HTTP/2 without TLS, as grpc probes ask
/// it. All pure.

/// What is sent, whole: it needs nothing of the server first. `service` may be empty.
std::string grpc_health_question(std::string_view service, std::string_view authority);

struct GrpcHealth {
    enum class State { kIncomplete, kServing, kNotServing, kNoAnswer };
    State state = State::kIncomplete;
    std::string status;  ///< kNotServing: "NOT_SERVING", "SERVICE_UNKNOWN"...
};
/// What the server's bytes so far amount to. kNoAnswer: no HTTP/2, or a stream that ends without an
/// answer, as of servers that know neither the health service nor the service asked for.
GrpcHealth read_grpc_health(std::string_view bytes);

}  // namespace kin::netns
