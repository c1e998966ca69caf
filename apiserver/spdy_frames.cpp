#include "apiserver/spdy_frames.h"

#include <zlib.h>

#include "core/base/assert.h"

namespace kin::apiserver::spdy {

namespace {
constexpr size_t kFrameHead = 8;
constexpr size_t kMaxFrame = 1u << 20;      // No client sends frames near that.
constexpr size_t kMaxHeaders = 64u << 10;   // Inflated.
constexpr size_t kMaxDataPiece = 0xffffff;  // 24 bits of length.
constexpr uint16_t kVersion = 3;
constexpr uint8_t kFin = 1;
constexpr uint32_t kStreamBits = 0x7fffffff;

enum Type : uint16_t { kSynStream = 1, kSynReply = 2, kRstStream = 3, kPing = 6, kGoAway = 7 };
constexpr uint32_t kInternalError = 6;

uint32_t u32_at(std::string_view bytes, size_t at) {
    uint32_t number = 0;
    for (size_t i = 0; i < 4; ++i) number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
    return number;
}

Bytef* zlib_bytes(const char* bytes) { return reinterpret_cast<Bytef*>(const_cast<char*>(bytes)); }

/// u32 count, then per header u32 length and name, u32 length and value.
std::optional<Headers> parse_headers(std::string_view block) {
    Headers headers;
    if (block.size() < 4) return {};
    uint32_t count = u32_at(block, 0);
    block.remove_prefix(4);
    const auto take = [&block]() -> std::optional<std::string> {
        if (block.size() < 4) return {};
        const uint32_t size = u32_at(block, 0);
        if (block.size() - 4 < size) return {};
        std::string text(block.substr(4, size));
        block.remove_prefix(4 + size);
        return text;
    };
    while (count-- > 0) {
        auto name = take();
        auto value = name ? take() : std::nullopt;
        if (!value) return {};
        headers[std::move(*name)] = std::move(*value);
    }
    return headers;
}
}  // namespace

void append_u32(std::string& out, uint32_t number) {
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(number >> shift));
}

std::string control_frame(uint16_t type, uint8_t flags, std::string_view payload) {
    std::string out;
    append_u32(out, uint32_t{0x80000000} | uint32_t{kVersion} << 16 | type);
    append_u32(out, uint32_t{flags} << 24 | static_cast<uint32_t>(payload.size()));
    return out.append(payload);
}

struct Decoder::Inflater {
    z_stream stream{};
    Inflater() { KIN_ASSERT(inflateInit(&stream) == Z_OK); }
    ~Inflater() { inflateEnd(&stream); }

    std::optional<std::string> inflate_block(std::string_view compressed) {
        std::string out;
        char buffer[4096];
        stream.next_in = zlib_bytes(compressed.data());
        stream.avail_in = static_cast<uInt>(compressed.size());
        while (true) {
            stream.next_out = zlib_bytes(buffer);
            stream.avail_out = sizeof buffer;
            int result = inflate(&stream, Z_SYNC_FLUSH);
            if (result == Z_NEED_DICT) {
                const std::string& words = dictionary();
                result = inflateSetDictionary(&stream, zlib_bytes(words.data()),
                                              static_cast<uInt>(words.size()));
                if (result != Z_OK) return {};
                continue;
            }
            out.append(buffer, sizeof buffer - stream.avail_out);
            if (out.size() > kMaxHeaders) return {};
            // Nothing left to read, or nothing more to write: the block is whole.
            if (result == Z_BUF_ERROR || (result == Z_OK && stream.avail_out > 0)) return out;
            if (result != Z_OK) return {};
        }
    }
};

Decoder::Decoder() : inflater_(std::make_unique<Inflater>()) {}
Decoder::~Decoder() = default;

std::optional<Headers> Decoder::read_headers(std::string_view compressed) {
    const auto block = inflater_->inflate_block(compressed);
    return block ? parse_headers(*block) : std::nullopt;
}

std::optional<Frame> Decoder::next() {
    while (!broken_ && received_.size() >= kFrameHead) {
        const uint32_t first = u32_at(received_, 0);
        const uint32_t second = u32_at(received_, 4);
        const auto flags = static_cast<uint8_t>(second >> 24);
        const size_t size = second & 0xffffff;
        const bool control = first >> 31 != 0;
        if (size > kMaxFrame || (control && (first >> 16 & 0x7fff) != kVersion)) {
            broken_ = true;
            return {};
        }
        if (received_.size() < kFrameHead + size) return {};
        const std::string whole = received_.substr(0, kFrameHead + size);
        received_.erase(0, whole.size());
        const std::string_view payload = std::string_view(whole).substr(kFrameHead);
        if (!control) return Data{first & kStreamBits, std::string(payload), (flags & kFin) != 0};
        auto frame = read_control(static_cast<uint16_t>(first & 0xffff), flags, payload, whole);
        if (frame) return frame;
    }
    return {};
}

std::optional<Frame> Decoder::read_control(uint16_t type, uint8_t flags, std::string_view payload,
                                           std::string_view frame) {
    if (type == kPing) return Ping{std::string(frame)};
    if (type == kGoAway) return GoAway{};
    if (type == kRstStream && payload.size() >= 8) return Reset{u32_at(payload, 0) & kStreamBits};
    if (type != kSynStream) return {};  // SETTINGS, HEADERS, WINDOW_UPDATE say nothing here.
    auto headers = payload.size() < 10 ? std::nullopt : read_headers(payload.substr(10));
    if (!headers) {
        broken_ = true;
        return {};
    }
    return Opened{u32_at(payload, 0) & kStreamBits, std::move(*headers), (flags & kFin) != 0};
}

struct HeaderPacker::Deflater {
    z_stream stream{};
    Deflater() {
        KIN_ASSERT(deflateInit(&stream, Z_BEST_COMPRESSION) == Z_OK);
        const std::string& words = dictionary();
        deflateSetDictionary(&stream, zlib_bytes(words.data()), static_cast<uInt>(words.size()));
    }
    ~Deflater() { deflateEnd(&stream); }
};

HeaderPacker::HeaderPacker() : deflater_(std::make_unique<Deflater>()) {}
HeaderPacker::~HeaderPacker() = default;

std::string HeaderPacker::pack(const Headers& headers) {
    std::string block;
    append_u32(block, static_cast<uint32_t>(headers.size()));
    for (const auto& [name, value] : headers) {
        for (const std::string* text : {&name, &value}) {
            append_u32(block, static_cast<uint32_t>(text->size()));
            block += *text;
        }
    }
    z_stream& stream = deflater_->stream;
    stream.next_in = zlib_bytes(block.data());
    stream.avail_in = static_cast<uInt>(block.size());
    std::string out;
    char buffer[4096];
    do {
        stream.next_out = zlib_bytes(buffer);
        stream.avail_out = sizeof buffer;
        deflate(&stream, Z_SYNC_FLUSH);
        out.append(buffer, sizeof buffer - stream.avail_out);
    } while (stream.avail_out == 0);
    return out;
}

std::string Encoder::reply(StreamId stream) {
    std::string payload;
    append_u32(payload, stream);
    payload += packer_.pack({});
    return control_frame(kSynReply, 0, payload);
}

std::string Encoder::data(StreamId stream, std::string_view bytes, bool ends) const {
    std::string out;
    do {
        const std::string_view piece = bytes.substr(0, kMaxDataPiece);
        bytes.remove_prefix(piece.size());
        const bool last = ends && bytes.empty();
        append_u32(out, stream);
        append_u32(out, (last ? uint32_t{kFin} << 24 : 0) | static_cast<uint32_t>(piece.size()));
        out += piece;
    } while (!bytes.empty());
    return out;
}

std::string Encoder::reset(StreamId stream) const {
    std::string payload;
    append_u32(payload, stream);
    append_u32(payload, kInternalError);
    return control_frame(kRstStream, 0, payload);
}

}  // namespace kin::apiserver::spdy
