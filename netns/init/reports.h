#pragma once

#include <string>

#include "netns/init/sys.h"

namespace kin::netns {

/// What PID 1 and the server tell the launcher over its socket: one byte, then the text.
enum class Report : char {
    kReady = 'R',   ///< The lab is up; the text is for the person who started it.
    kFailed = 'F',  ///< The lab ends; the text says why.
    kDenied = 'D',  ///< As kFailed, and the machine's rules are the reason.
};

inline Result<> send_report(int launcher, Report report, std::string_view text) {
    std::string bytes(1, static_cast<char>(report));
    bytes.append(text.substr(0, 32 << 10));
    return send_packet(launcher, bytes);
}

/// For an error on the way to the lab's end; nobody is left to hear of a failure to send it.
inline void report_error(int launcher, const Error& error) {
    const Report report = error.code() == Errc::kDenied ? Report::kDenied : Report::kFailed;
    (void)send_report(launcher, report, error.text());
}

}  // namespace kin::netns
