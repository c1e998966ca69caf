#pragma once

#include <memory>
#include <string>

#include "core/base/json.h"
#include "core/client/client.h"
#include "core/registry/registry.h"
#include "core/store/store.h"

namespace kin::test {

/// Which controllers work beside the API server.
enum class OracleControllers { kNone, kGarbageCollector };

/// A whole API server as the recordings had it: service range 10.96.0.0/12, namespace `test` with
/// a ServiceAccount that mounts no token. In process, on a store and a socket of its own.
class OracleServer {
public:
    explicit OracleServer(OracleControllers controllers);
    ~OracleServer();

    /// Sends {method, path, headers, body} with the recordings' habits and returns the answer in
    /// their form: {code, body}, a Status flattened to {code, reason, message, causes...}, or
    /// {code, text}.
    Json send(const Json& request) const;
    /// POST to the collection of `object`.
    Json create(const Json& object) const;
    /// The answer's body, as it came.
    static Json whole_body(const Json& answer);

    /// What of all that is stored could not be loaded again from a saved lab, and why; "": nothing.
    std::string not_restorable() const;
    /// Removes all that a case left behind.
    void reset();
    /// Waits until the controllers have nothing to do.
    void settle();
    /// Forgets the store's history.
    void compact();
    std::string socket_path() const;

private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
};

/// Request line and headers of a recorded request, with the recordings' defaults.
std::string oracle_head(std::string_view method, const Json& request);
/// A Status with {causes, details, message, reason...} at the top, as the recordings have it.
Json flattened(Json status);
/// "/apis/apps/v1/namespaces/test/deployments"; "" for a kind that kin does not serve.
std::string collection_path(const Json& object);

}  // namespace kin::test
