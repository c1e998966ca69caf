#pragma once

#include <functional>
#include <map>
#include <string>

#include "apiserver/spdy_frames.h"

namespace kin::test {

/// A client's SPDY frames.
class SpdyFrames {
public:
    std::string open(uint32_t stream, const apiserver::spdy::Headers& headers, bool ends = false) {
        std::string payload;
        apiserver::spdy::append_u32(payload, stream);
        apiserver::spdy::append_u32(payload, 0);
        payload += std::string(2, '\0') + packer_.pack(headers);
        return apiserver::spdy::control_frame(1, ends ? 1 : 0, payload);
    }
    std::string data(uint32_t stream, std::string_view bytes, bool ends) const {
        return apiserver::spdy::Encoder().data(stream, bytes, ends);
    }
    std::string ping(uint32_t number) const {
        std::string payload;
        apiserver::spdy::append_u32(payload, number);
        return apiserver::spdy::control_frame(6, 0, payload);
    }

private:
    apiserver::spdy::HeaderPacker packer_;
};

/// What a server has said on a SPDY connection.
struct SpdyHeard {
    struct Stream {
        std::string bytes;
        bool ended = false;
    };
    std::map<uint32_t, Stream> streams;
    int replies = 0;
    int pings = 0;

    /// Reads frames with `read_exactly` until `done` says so or the connection ends.
    void listen(const std::function<std::string(size_t)>& read_exactly,
                const std::function<bool(const SpdyHeard&)>& done) {
        while (!done(*this)) {
            const std::string head = read_exactly(8);
            if (head.size() < 8) return;
            const auto byte = [&](size_t i) { return static_cast<unsigned char>(head[i]); };
            const size_t size = size_t{byte(5)} << 16 | size_t{byte(6)} << 8 | byte(7);
            const std::string payload = read_exactly(size);
            if (byte(0) & 0x80) {
                replies += byte(3) == 2;
                pings += byte(3) == 6;
                continue;
            }
            Stream& stream = streams[uint32_t{byte(2)} << 8 | byte(3)];
            stream.bytes += payload;
            stream.ended = stream.ended || (byte(4) & 1) != 0;
        }
    }
};

}  // namespace kin::test
