#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace kin::apiserver::spdy {

using StreamId = uint32_t;
using Headers = std::map<std::string, std::string>;

/// What a client says, as far as Kubernetes' clients say anything.
struct Opened {
    StreamId stream = 0;
    Headers headers;
    bool ends = false;  ///< The client sends nothing on it (FIN).
};
struct Data {
    StreamId stream = 0;
    std::string bytes;
    bool ends = false;
};
struct Reset {
    StreamId stream = 0;
};
struct Ping {
    std::string frame;  ///< To be sent back as it is.
};
struct GoAway {};
using Frame = std::variant<Opened, Data, Reset, Ping, GoAway>;

/// Reads SPDY/3.1 frames from a stream of bytes cut anywhere. Frames without meaning here are
/// skipped. Headers share one compression state: a decoder belongs to one connection.
class Decoder {
public:
    Decoder();
    ~Decoder();

    void feed(std::string_view bytes) { received_.append(bytes); }
    /// The next whole frame. nullopt: more must come, or broken().
    std::optional<Frame> next();
    /// The client does not speak SPDY/3.1 or exceeds a limit; nothing more is read.
    bool broken() const { return broken_; }

private:
    struct Inflater;
    std::optional<Frame> read_control(uint16_t type, uint8_t flags, std::string_view payload,
                                      std::string_view frame);
    std::optional<Headers> read_headers(std::string_view compressed);

    std::string received_;
    const std::unique_ptr<Inflater> inflater_;
    bool broken_ = false;
};

/// Compresses header blocks of one direction of one connection: each depends on those before.
class HeaderPacker {
public:
    HeaderPacker();
    ~HeaderPacker();
    std::string pack(const Headers& headers);

private:
    struct Deflater;
    const std::unique_ptr<Deflater> deflater_;
};

/// Makes a server's frames. One per connection, for its headers' sake.
class Encoder {
public:
    /// Accepts a stream that the client opened.
    std::string reply(StreamId stream);
    /// Bytes of one stream; `ends`: the last ones. More than a frame holds become several.
    std::string data(StreamId stream, std::string_view bytes, bool ends) const;
    std::string reset(StreamId stream) const;

private:
    HeaderPacker packer_;
};

/// A control frame around `payload`.
std::string control_frame(uint16_t type, uint8_t flags, std::string_view payload);
void append_u32(std::string& out, uint32_t number);

/// The dictionary that compression of headers starts from (1,423 bytes).
const std::string& dictionary();

}  // namespace kin::apiserver::spdy
