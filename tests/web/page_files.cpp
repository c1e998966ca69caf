#include "page_files.h"

#include <zlib.h>

#include "core/base/assert.h"

namespace kin::test {

namespace {
std::string gzipped(const std::string& text) {
    z_stream stream{};
    KIN_ASSERT(deflateInit2(&stream, 9, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    std::string out(text.size() + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    KIN_ASSERT(deflate(&stream, Z_FINISH) == Z_STREAM_END);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    return out;
}
}  // namespace

PageFiles::PageFiles() {
    add("/index.html", "text/html; charset=utf-8", "<p>the page</p>");
    add("/login.html", "text/html; charset=utf-8", "<meta content=\"{{key}}\">");
    add("/closed.html", "text/html; charset=utf-8", "run <b>{{command}}</b>");
    add("/assets/main-ABC.js", "text/javascript; charset=utf-8", "start();");
}

void PageFiles::add(std::string path, std::string type, const std::string& content) {
    const std::string& kept_path = texts_.emplace_back(std::move(path));
    const std::string& kept_type = texts_.emplace_back(std::move(type));
    const std::string& gzip = texts_.emplace_back(gzipped(content));
    assets_.push_back({kept_path, kept_type, "hash", "as brotli", gzip, content.size()});
}

}  // namespace kin::test
