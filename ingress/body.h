#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kin::ingress {

/// How the end of a body is told.
enum class Framing { kNone, kLength, kChunked, kUntilClose };

/// A body on its way through: read in one framing as strictly as RFC 9112 allows, written in
/// another. Never holds more than a line of a trailer or a chunk's head.
class Body {
public:
    enum class Step { kMore, kDone, kBroken };

    Body() = default;  ///< None, done.
    /// `length_bytes` of a kLength body, which keeps its framing. kChunked and kUntilClose can be
    /// written as either.
    Body(Framing from, uint64_t length_bytes, Framing to);

    /// Takes what can be used off the front of `in` and appends it, framed anew, to `out`. kMore:
    /// all was used. After kDone `in` is what follows the body.
    Step pass(std::string_view& in, std::string& out);
    /// The peer has closed: appends what ends the body, if that was its end.
    Step end(std::string& out);

    /// Whether bytes leave as they came, so that they need no copy: then take() instead of pass().
    bool unchanged() const { return from_ == to_ && from_ != Framing::kChunked; }
    /// How many of the next `available` bytes are the body's; they count as passed on.
    size_t take(size_t available);

    bool done() const { return done_; }
    uint64_t passed_bytes() const { return passed_; }  ///< Of content, without framing.

private:
    enum class State { kSize, kExtension, kSizeLf, kBytes, kBytesCr, kBytesLf, kTrailer };

    void put(std::string_view content, std::string& out) const;
    Step pass_chunked(std::string_view& in, std::string& out);
    bool size_byte(char c);
    bool size_ended();
    bool trailer_byte(char c, std::string& out);
    bool trailer_line(std::string_view line);

    Framing from_ = Framing::kNone, to_ = Framing::kNone;
    uint64_t left_ = 0;  // Of the body or of the chunk.
    uint64_t passed_ = 0;
    bool done_ = true;
    State state_ = State::kSize;
    uint8_t digits_ = 0;
    uint16_t extension_bytes_ = 0;  // Of all chunks together.
    size_t trailer_bytes_ = 0;
    std::string line_, trailers_;
};

}  // namespace kin::ingress
