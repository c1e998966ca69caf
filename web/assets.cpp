#include "web/assets.h"

#include <zlib.h>

#include "core/base/assert.h"

namespace kin::web {

std::string inflate(const Asset& asset) {
    std::string out(asset.size, '\0');
    z_stream stream{};
    constexpr int kGzip = 16 + MAX_WBITS;
    KIN_ASSERT(::inflateInit2(&stream, kGzip) == Z_OK);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(asset.gzip.data()));
    stream.avail_in = static_cast<uInt>(asset.gzip.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int ended = ::inflate(&stream, Z_FINISH);
    ::inflateEnd(&stream);
    // It was compressed by the build of this very binary.
    KIN_ASSERT(ended == Z_STREAM_END);
    return out;
}

}  // namespace kin::web
