#include "netns/pod/log_lines.h"

#include "core/base/strings.h"

namespace kin::netns {

std::string log_line(WallTime time, std::string_view stream, bool whole, std::string_view text) {
    return cat(rfc3339_nano(time), ' ', stream, whole ? " F " : " P ", text, '\n');
}

void LogLines::add(std::string_view bytes, WallTime now, std::string& out) {
    while (!bytes.empty()) {
        const size_t newline = bytes.find('\n');
        const size_t room = kMaxLine - rest_.size();
        if (newline != std::string_view::npos && newline <= room) {
            out += log_line(now, stream_, true, rest_ + std::string(bytes.substr(0, newline)));
            rest_.clear();
            bytes.remove_prefix(newline + 1);
        } else if (bytes.size() > room) {
            out += log_line(now, stream_, false, rest_ + std::string(bytes.substr(0, room)));
            rest_.clear();
            bytes.remove_prefix(room);
        } else {
            rest_ += bytes;
            return;
        }
    }
}

void LogLines::finish(WallTime now, std::string& out) {
    if (rest_.empty()) return;
    out += log_line(now, stream_, true, rest_);
    rest_.clear();
}

}  // namespace kin::netns
