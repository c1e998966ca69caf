#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "raw_client.h"

namespace kin::test {

/// One watch of a recording, read line by line.
class OracleWatch {
public:
    OracleWatch(const std::string& socket_path, const Json& request);

    /// {code}, or the Status that refused.
    const Json& answer() const { return answer_; }
    /// Waits until `wanted` events have come, and a moment for more; takes what there is, in the
    /// recordings' short form, each with `afterSeconds`.
    Json read(size_t wanted);
    /// Waits until the server ends the stream, or the watch is `at_most_seconds` old.
    Json read_to_end(double at_most_seconds);
    double seconds() const;

private:
    std::string read_head();  ///< in lower case
    bool receive(int timeout_ms);
    bool receive_bytes(int timeout_ms);
    void take_chunks();
    void take_lines();

    RawClient connection_;
    Json answer_;
    const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    std::string bytes_, text_;
    Json events_ = Json::array();
    bool ended_ = false;
};

}  // namespace kin::test
