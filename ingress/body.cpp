#include "ingress/body.h"

#include <algorithm>
#include <charconv>

#include "core/http/head.h"
#include "ingress/fields.h"

namespace kin::ingress {

namespace {
constexpr int kMaxDigits = 16;
constexpr uint16_t kMaxExtensions = 256;
constexpr size_t kMaxTrailers = 8192;

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}
}  // namespace

Body::Body(Framing from, uint64_t length_bytes, Framing to)
    : from_(from),
      to_(to),
      left_(from == Framing::kLength ? length_bytes : 0),
      done_(from == Framing::kNone || (from == Framing::kLength && length_bytes == 0)) {}

size_t Body::take(size_t available) {
    if (done_) return 0;
    size_t count = available;
    if (from_ == Framing::kLength) {
        count = static_cast<size_t>(std::min<uint64_t>(available, left_));
        left_ -= count;
        done_ = left_ == 0;
    }
    passed_ += count;
    return count;
}

void Body::put(std::string_view content, std::string& out) const {
    if (content.empty()) return;
    if (to_ != Framing::kChunked) {
        out.append(content);
        return;
    }
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, content.size(), 16).ptr;
    out.append(digits, end);
    out.append("\r\n").append(content).append("\r\n");
}

Body::Step Body::pass(std::string_view& in, std::string& out) {
    if (done_) return Step::kDone;
    if (from_ == Framing::kChunked) return pass_chunked(in, out);
    const size_t count = take(in.size());
    put(in.substr(0, count), out);
    in.remove_prefix(count);
    return done_ ? Step::kDone : Step::kMore;
}

Body::Step Body::end(std::string& out) {
    if (done_) return Step::kDone;
    if (from_ != Framing::kUntilClose) return Step::kBroken;
    if (to_ == Framing::kChunked) out.append("0\r\n\r\n");
    done_ = true;
    return Step::kDone;
}

Body::Step Body::pass_chunked(std::string_view& in, std::string& out) {
    while (!in.empty() && !done_) {
        if (state_ == State::kBytes) {
            const size_t count = static_cast<size_t>(std::min<uint64_t>(left_, in.size()));
            put(in.substr(0, count), out);
            in.remove_prefix(count);
            left_ -= count;
            passed_ += count;
            if (left_ == 0) state_ = State::kBytesCr;
            continue;
        }
        const char c = in.front();
        in.remove_prefix(1);
        bool fine = true;
        if (state_ == State::kTrailer) {
            fine = trailer_byte(c, out);
        } else if (state_ == State::kBytesCr) {
            fine = c == '\r';
            state_ = State::kBytesLf;
        } else if (state_ == State::kBytesLf) {
            fine = c == '\n';
            state_ = State::kSize;
        } else {
            fine = size_byte(c);
        }
        if (!fine) return Step::kBroken;
    }
    return done_ ? Step::kDone : Step::kMore;
}

/// Of the line in front of a chunk: its size, then perhaps extensions, which nobody needs.
bool Body::size_byte(char c) {
    if (state_ == State::kSizeLf) return c == '\n' && size_ended();
    if (c == '\r') {
        state_ = State::kSizeLf;
        return digits_ > 0;
    }
    if (state_ == State::kExtension)
        return http::is_value_char(c) && ++extension_bytes_ <= kMaxExtensions;
    if (c == ';') {
        state_ = State::kExtension;
        return digits_ > 0;
    }
    const int value = hex_value(c);
    if (value < 0 || digits_ == kMaxDigits) return false;
    ++digits_;
    left_ = left_ << 4 | static_cast<uint64_t>(value);
    return true;
}

bool Body::size_ended() {
    digits_ = 0;
    state_ = left_ == 0 ? State::kTrailer : State::kBytes;
    return true;
}

bool Body::trailer_byte(char c, std::string& out) {
    if (++trailer_bytes_ > kMaxTrailers) return false;
    line_ += c;
    if (c != '\n') return true;
    if (!line_.ends_with("\r\n")) return false;
    const std::string_view line = std::string_view(line_).substr(0, line_.size() - 2);
    if (line.empty()) {
        done_ = true;
        if (to_ == Framing::kChunked) out.append("0\r\n").append(trailers_).append("\r\n");
    } else if (!trailer_line(line)) {
        return false;
    }
    line_.clear();
    return true;
}

bool Body::trailer_line(std::string_view line) {
    const auto field = parse_field(line);
    if (!field || is_framing(classify(field->name))) return false;
    // What a receiver may take for one of the proxy's own words, and so believe.
    if (is_forwarded(classify(field->name), field->name)) trailers_.append(line).append("\r\n");
    return true;
}

}  // namespace kin::ingress
