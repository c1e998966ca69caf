#include "core/http/chunked.h"

#include <algorithm>
#include <charconv>

namespace kin::http {

namespace {
constexpr size_t kMaxLine = 256;      // A size with its extensions.
constexpr size_t kMaxTrailer = 8192;  // All trailer lines together.
}  // namespace

bool ChunkedDecoder::take_line(std::string_view& rest, std::string_view& line) {
    const size_t limit = state_ == State::kTrailer ? kMaxTrailer : kMaxLine;
    const size_t end = rest.substr(0, limit).find('\n');
    if (end == std::string_view::npos) {
        broken_ = rest.size() >= limit;
        return false;
    }
    if (end == 0 || rest[end - 1] != '\r') {
        broken_ = true;  // A bare LF: other readers would see other chunks.
        return false;
    }
    line = rest.substr(0, end - 1);
    rest.remove_prefix(end + 1);
    return true;
}

ChunkedDecoder::Step ChunkedDecoder::read_size(std::string_view line) {
    const size_t extension = line.find(';');
    if (line.find('\r') != std::string_view::npos) return Step::kBroken;
    std::string_view digits = line.substr(0, extension);
    while (!digits.empty() && (digits.back() == ' ' || digits.back() == '\t'))
        digits.remove_suffix(1);
    if (digits.empty() || digits.size() > 16) return Step::kBroken;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), left_, 16);
    if (error != std::errc() || end != digits.data() + digits.size()) return Step::kBroken;
    state_ = left_ == 0 ? State::kTrailer : State::kBytes;
    return Step::kMore;
}

ChunkedDecoder::Step ChunkedDecoder::feed(std::string& received, std::string& body) {
    std::string_view rest = received;
    Step step = Step::kMore;
    while (step == Step::kMore) {
        std::string_view line;
        if (state_ == State::kBytes) {
            const size_t take = static_cast<size_t>(std::min<uint64_t>(left_, rest.size()));
            body.append(rest.substr(0, take));
            rest.remove_prefix(take);
            left_ -= take;
            if (left_ > 0) break;
            state_ = State::kBytesEnd;
        }
        if (!take_line(rest, line)) break;
        if (state_ == State::kSize) {
            step = read_size(line);
        } else if (state_ == State::kBytesEnd) {
            state_ = State::kSize;
            if (!line.empty()) step = Step::kBroken;
        } else if (line.empty()) {
            step = Step::kDone;
        } else {
            trailer_bytes_ += line.size();
            if (trailer_bytes_ > kMaxTrailer) step = Step::kBroken;
        }
    }
    received.erase(0, received.size() - rest.size());
    return broken_ ? Step::kBroken : step;
}

std::string chunk_head(size_t size) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, size, 16).ptr;
    return std::string(digits, end) + "\r\n";
}

}  // namespace kin::http
