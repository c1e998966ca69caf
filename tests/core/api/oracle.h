#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/api/validation.h"

namespace kin::test {

/// What a recorded request asks for.
struct OracleRequest {
    const Kind* kind = nullptr;  ///< nullptr: this version is not served
    std::string ns, name, subresource;
};

/// Splits "/apis/apps/v1/namespaces/test/deployments/web". EndpointSlices, recorded as v1beta1, are
/// read as v1: their rules are the same.
OracleRequest parse_oracle_path(std::string_view path);

/// The lines of a recording; empty if the folder is not there.
std::vector<Json> oracle_lines(const std::string& file);

/// The part of a server that judging a case needs: checks bodies, fills in defaults, and gives
/// Services addresses and ports.
class TinyServer {
public:
    /// POST to a collection. `stored` gets the object on success.
    Answer<Ok> create(const OracleRequest& request, Json body);
    /// PUT of an object.
    Answer<Ok> update(const OracleRequest& request, Json body);

    const Json& stored() const { return stored_; }
    bool has(const OracleRequest& request) const;

private:
    Answer<Ok> check_body(const OracleRequest& request, Json& body) const;

    Json stored_;
    std::vector<std::pair<std::string, Json>> objects_;
};

/// True if `actual` is what was recorded: placeholders match anything, null is absence, and what
/// newer versions add is left out of account.
bool same_stored(Json expected, Json actual);

}  // namespace kin::test
