#include "ingress/annotations.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "core/base/strings.h"

namespace kin::ingress {

namespace {
constexpr std::string_view kPrefix = "nginx.ingress.kubernetes.io/";
/// What is wrong with a value; nothing: it was taken.
using Complaint = std::optional<std::string>;

/// Everything said so far, before it is put together.
struct Reading {
    Annotated out;
    std::string permanent, temporal;
    int permanent_code = 301, temporal_code = 302;
    std::vector<std::string> ignored, unknown, foreign;
};

/// As Go's strconv.ParseBool has it.
std::optional<bool> parse_bool(std::string_view text) {
    for (const std::string_view yes : {"1", "t", "T", "TRUE", "true", "True"}) {
        if (text == yes) return true;
    }
    for (const std::string_view no : {"0", "f", "F", "FALSE", "false", "False"}) {
        if (text == no) return false;
    }
    return {};
}

/// nginx's sizes: "8m", "512k", "1g", "100"; the largest number if it is beyond all.
std::optional<uint64_t> parse_size(std::string_view text) {
    uint64_t unit = 1;
    if (!text.empty()) {
        const std::string_view units = "bkmg";
        const size_t found = units.find(to_lower(text.substr(text.size() - 1)));
        if (found != std::string_view::npos) {
            unit = uint64_t{1} << (10 * found);
            text.remove_suffix(1);
        }
    }
    const auto number = parse_number<uint64_t>(text);
    if (!number) return {};
    constexpr uint64_t kMost = std::numeric_limits<uint64_t>::max();
    return *number > kMost / unit ? kMost : *number * unit;
}

/// Fit for a line of HTTP: no blanks, no control characters.
bool is_clean(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) > ' ' && c != '\x7F' && c != '"' && c != '\\';
    });
}

/// Every '$' is followed by what `accept` finds there.
template <class F>
bool variables_are(std::string_view text, F accept) {
    for (size_t at = text.find('$'); at != std::string_view::npos; at = text.find('$', at + 1)) {
        if (!accept(text.substr(at + 1))) return false;
    }
    return true;
}

Complaint read_flag(const std::string& value, bool& flag) {
    const auto read = parse_bool(value);
    if (!read) return "is neither \"true\" nor \"false\"";
    flag = *read;
    return {};
}

Complaint read_seconds(const std::string& value, std::chrono::milliseconds& out) {
    const auto seconds = parse_number<uint32_t>(value);
    if (!seconds || *seconds == 0 || *seconds > 31'536'000) return "is no number of seconds";
    out = std::chrono::seconds(*seconds);
    return {};
}

Complaint read_code(const std::string& value, int& out) {
    const auto code = parse_number<int>(value);
    if (!code || *code < 300 || *code > 308) return "is no status of a redirect (300 to 308)";
    out = *code;
    return {};
}

Complaint read_url(const std::string& value, std::string& out) {
    if (!value.starts_with("http://") && !value.starts_with("https://")) {
        return "does not begin with http:// or https://";
    }
    if (!is_clean(value)) return "is no URL";
    const auto known = [](std::string_view name) { return name.starts_with("request_uri"); };
    if (!variables_are(value, known)) return "uses a variable of nginx other than $request_uri";
    out = value;
    return {};
}

Complaint read_rewrite(const std::string& value, Reading& to) {
    if (!value.starts_with('/') && !value.starts_with('$')) return "does not begin with /";
    if (!is_clean(value)) return "is no path";
    const auto known = [](std::string_view name) {
        return !name.empty() && name[0] >= '1' && name[0] <= '9';
    };
    if (!variables_are(value, known)) return "uses a variable of nginx other than $1 to $9";
    to.out.options.rewrite_target = value;
    to.out.regex = true;
    return {};
}

Complaint read_app_root(const std::string& value, Reading& to) {
    if (!value.starts_with('/') || !is_clean(value) || value.find('$') != std::string::npos) {
        return "is no path";
    }
    to.out.options.app_root = value;
    return {};
}

Complaint read_body_size(const std::string& value, Reading& to) {
    const auto size = parse_size(value);
    if (!size) return "is no size (such as 8m)";
    to.out.options.max_body_bytes = *size;
    return {};
}

/// One that is done.
Complaint read_done(std::string_view name, const std::string& value, Reading& to) {
    LocationOptions& options = to.out.options;
    if (name == "rewrite-target") return read_rewrite(value, to);
    if (name == "use-regex") {
        bool wanted = false;
        Complaint complaint = read_flag(value, wanted);
        to.out.regex |= wanted;
        return complaint;
    }
    if (name == "app-root") return read_app_root(value, to);
    if (name == "ssl-redirect") return read_flag(value, options.ssl_redirect);
    if (name == "force-ssl-redirect") return read_flag(value, options.force_ssl_redirect);
    if (name == "permanent-redirect") return read_url(value, to.permanent);
    if (name == "permanent-redirect-code") return read_code(value, to.permanent_code);
    if (name == "temporal-redirect") return read_url(value, to.temporal);
    if (name == "temporal-redirect-code") return read_code(value, to.temporal_code);
    if (name == "proxy-body-size") return read_body_size(value, to);
    if (name == "proxy-connect-timeout") return read_seconds(value, options.connect_timeout);
    if (name == "proxy-read-timeout") return read_seconds(value, options.read_timeout);
    return "is not read";
}

const AnnotationRow* find_row(std::string_view name) {
    const auto rows = annotation_table();
    const auto found = std::lower_bound(
        rows.begin(), rows.end(), name,
        [](const AnnotationRow& row, std::string_view wanted) { return row.name < wanted; });
    return found != rows.end() && found->name == name ? &*found : nullptr;
}

/// Of another ingress controller, so that somebody may wait for its effect.
bool is_foreign(std::string_view key) {
    const std::string_view domain = key.substr(0, key.find('/'));
    return domain.ends_with("ingress.kubernetes.io") || domain == "nginx.org" ||
           domain == "nginx.com" || domain == "haproxy.org" || domain.ends_with("konghq.com");
}

void read_one(const std::string& key, const std::string& value, Reading& to) {
    if (!key.starts_with(kPrefix)) {
        if (is_foreign(key)) to.foreign.push_back(key);
        return;
    }
    const std::string name = key.substr(kPrefix.size());
    const AnnotationRow* row = find_row(name);
    if (!row) return to.unknown.push_back(name);
    if (row->support == Support::kDone) {
        if (const Complaint wrong = read_done(name, value, to)) {
            to.out.warnings.push_back(
                {"InvalidAnnotation", cat(name, ": \"", value, "\" ", *wrong, "; it is ignored")});
        }
        return;
    }
    if (value.empty() || value == row->neutral) return;
    if (row->support == Support::kIgnored) {
        return to.ignored.push_back(cat(name, " (", row->reason, ")"));
    }
    const bool skipped = row->support == Support::kSkipped;
    (skipped ? to.out.skipped : to.out.refused) = true;
    to.out.warnings.push_back(
        {skipped ? "IngressSkipped" : "AnnotationRefused",
         cat(name, ": ", row->reason,
             skipped ? "; this Ingress is left out" : "; what this Ingress routes gets 503")});
}
}  // namespace

Annotated read_annotations(const Labels& annotations) {
    Reading reading;
    for (const auto& [key, value] : annotations) read_one(key, value, reading);
    Annotated& out = reading.out;
    const bool temporal = !reading.temporal.empty();  // As upstream: it comes before the other.
    out.options.redirect = temporal ? reading.temporal : reading.permanent;
    out.options.redirect_code = temporal ? reading.temporal_code : reading.permanent_code;
    const auto warn = [&](const char* reason, const char* text, std::vector<std::string>& names) {
        if (!names.empty()) out.warnings.push_back({reason, cat(text, join(names, ", "))});
    };
    warn("AnnotationIgnored", "no effect here: ", reading.ignored);
    warn("UnknownAnnotation", "ingress-nginx has no such annotation: ", reading.unknown);
    warn("ForeignAnnotation", "for another ingress controller: ", reading.foreign);
    return std::move(out);
}

}  // namespace kin::ingress
