#include "apiserver/log_format.h"

#include "core/base/strings.h"

namespace kin::apiserver {

namespace {
/// One line of the file. nullopt if it is not of that form.
struct LogLine {
    std::string_view time;
    bool whole = true;
    std::string_view text;

    static std::optional<LogLine> parse(std::string_view line) {
        LogLine out;
        const size_t time_end = line.find(' ');
        if (time_end == std::string_view::npos) return {};
        const size_t stream_end = line.find(' ', time_end + 1);
        if (stream_end == std::string_view::npos || stream_end + 1 >= line.size()) return {};
        out.time = line.substr(0, time_end);
        out.whole = line[stream_end + 1] != 'P';
        const size_t tag_end = line.find(' ', stream_end + 1);
        if (tag_end != std::string_view::npos) out.text = line.substr(tag_end + 1);
        return out;
    }
};

Answer<std::optional<int64_t>> number_in(const http::Query& query, std::string_view name,
                                         int64_t least, const std::string& pod) {
    if (!query.has(name)) return std::optional<int64_t>();
    const std::string_view text = query.get(name);
    const auto number = parse_number<int64_t>(text);
    if (!number)
        return bad_request(cat("unable to convert ", name, ": strconv.ParseInt: parsing \"", text,
                               "\": invalid syntax"));
    if (*number < least) {
        return invalid_of(
            "", "PodLogOptions", pod,
            {field_invalid(name, *number, cat("must be greater than or equal to ", least))});
    }
    return std::optional<int64_t>(*number);
}
}  // namespace

Answer<LogOptions> parse_log_options(const http::Query& query, const std::string& pod,
                                     WallTime now) {
    LogOptions options;
    options.follow = query.flag("follow");
    options.previous = query.flag("previous");
    options.timestamps = query.flag("timestamps");
    TRY_ASSIGN(options.tail_lines, number_in(query, "tailLines", 0, pod));
    TRY_ASSIGN(options.limit_bytes, number_in(query, "limitBytes", 1, pod));
    TRY_ASSIGN(const auto seconds, number_in(query, "sinceSeconds", 1, pod));
    if (seconds) options.since = now - std::chrono::seconds(*seconds);
    if (query.has("sinceTime")) {
        if (seconds) {
            return invalid_of("", "PodLogOptions", pod,
                              {field_forbidden("[]",
                                               "at most one of `sinceTime` or `sinceSeconds` "
                                               "may be specified")});
        }
        options.since = parse_rfc3339(query.get("sinceTime"));
        if (!options.since)
            return bad_request(cat("sinceTime: \"", query.get("sinceTime"), "\" is no time"));
    }
    return options;
}

std::string LogFormatter::feed(std::string_view bytes) {
    std::string out;
    rest_.append(bytes);
    size_t begin = 0;
    for (size_t end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', begin)) {
        add_line(std::string_view(rest_).substr(begin, end - begin), out);
        begin = end + 1;
    }
    rest_.erase(0, begin);
    if (options_.limit_bytes)
        out.resize(std::min(out.size(), static_cast<size_t>(*options_.limit_bytes - written_)));
    written_ += static_cast<int64_t>(out.size());
    return out;
}

bool LogFormatter::full() const {
    return options_.limit_bytes && written_ >= *options_.limit_bytes;
}

void LogFormatter::add_line(std::string_view line, std::string& out) {
    const auto parsed = LogLine::parse(line);
    if (!parsed) return;
    if (options_.since) {
        const auto time = parse_rfc3339(parsed->time);
        if (time && *time < *options_.since) return;
    }
    if (options_.timestamps && !line_is_open_) out += cat(parsed->time, ' ');
    out += parsed->text;
    if (parsed->whole) out += '\n';
    line_is_open_ = !parsed->whole;
}

size_t tail_offset(std::string_view log, int64_t lines) {
    size_t begin = log.size();
    // An unfinished last line is not counted and comes along.
    const size_t last = log.rfind('\n');
    if (last == std::string_view::npos) return 0;
    if (lines == 0) return last + 1;
    size_t end = last;  // Of the line looked at, without its '\n'.
    int64_t seen = 0;
    while (true) {
        const size_t before = end == 0 ? std::string_view::npos : log.rfind('\n', end - 1);
        const size_t start = before == std::string_view::npos ? 0 : before + 1;
        const auto line = LogLine::parse(log.substr(start, end - start));
        if (!line || line->whole) {
            if (seen == lines) return begin;
            ++seen;
        }
        begin = start;
        if (start == 0) return 0;
        end = before;
    }
}

}  // namespace kin::apiserver
