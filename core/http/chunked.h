#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace kin::http {

/// Takes a chunked body (RFC 9112 section 7.1) apart, in pieces of any size. Trailers are read
/// and dropped.
class ChunkedDecoder {
public:
    enum class Step { kMore, kDone, kBroken };

    /// Moves what can be used from the front of `received` to the end of `body`. kMore: all of
    /// it was used, or the rest is too short to go on. After kDone, `received` holds what follows
    /// the body.
    Step feed(std::string& received, std::string& body);

private:
    enum class State { kSize, kBytes, kBytesEnd, kTrailer };
    Step read_size(std::string_view line);
    /// The line at the front of `rest` without its end; false if it is not complete. Lines here
    /// are short: a long one is broken.
    bool take_line(std::string_view& rest, std::string_view& line);

    State state_ = State::kSize;
    uint64_t left_ = 0;
    size_t trailer_bytes_ = 0;
    bool broken_ = false;
};

/// "1f\r\n": what precedes a chunk of `size` bytes.
std::string chunk_head(size_t size);

}  // namespace kin::http
