#include "apiserver/spdy_frames.h"
#include "core/base/strings.h"

namespace kin::apiserver::spdy {

namespace {
// In this order, each with its length before it.
constexpr std::string_view kWords =
    "options head post put delete trace accept accept-charset accept-encoding accept-language "
    "accept-ranges age allow authorization cache-control connection content-base content-encoding "
    "content-language content-length content-location content-md5 content-range content-type date "
    "etag expect expires from host if-match if-modified-since if-none-match if-range "
    "if-unmodified-since last-modified location max-forwards pragma proxy-authenticate "
    "proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade "
    "user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url "
    "public set-cookie keep-alive origin";

// And then these bytes as they are.
constexpr std::string_view kTail =
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request"
    "401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented"
    "503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 "
    "Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,"
    "application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,"
    "deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.";
}  // namespace

const std::string& dictionary() {
    static const std::string whole = [] {
        std::string out;
        for (const auto& word : split(kWords, ' ')) {
            std::string text(word);
            std::replace(text.begin(), text.end(), '_', ' ');
            append_u32(out, static_cast<uint32_t>(text.size()));
            out += text;
        }
        return out.append(kTail);
    }();
    return whole;
}

}  // namespace kin::apiserver::spdy
