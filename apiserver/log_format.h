#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/api/status.h"
#include "core/base/time.h"
#include "core/http/message.h"

namespace kin::apiserver {

/// What a log request asks for.
struct LogOptions {
    bool follow = false;
    bool previous = false;
    bool timestamps = false;
    std::optional<WallTime> since;
    std::optional<int64_t> tail_lines;
    std::optional<int64_t> limit_bytes;
};
/// Reads the query; 400 or 422 for values that Kubernetes refuses too.
Answer<LogOptions> parse_log_options(const http::Query& query, const std::string& pod,
                                     WallTime now);

/// Turns a container's log file, lines "TIME stdout|stderr F|P text\n", into what clients see.
class LogFormatter {
public:
    explicit LogFormatter(const LogOptions& options) : options_(options) {}

    /// Takes the file's next bytes; returns the text they make. An incomplete line waits for the
    /// rest.
    std::string feed(std::string_view bytes);
    /// The limit of bytes is reached: nothing more will come.
    bool full() const;

private:
    void add_line(std::string_view line, std::string& out);

    const LogOptions options_;
    std::string rest_;
    bool line_is_open_ = false;  // The last piece was partial (P).
    int64_t written_ = 0;
};

/// Where the last `lines` lines of a log begin; its pieces (P) belong to the line they build.
size_t tail_offset(std::string_view log, int64_t lines);

}  // namespace kin::apiserver
