#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "core/base/strings.h"
#include "core/base/unique_fd.h"
#include "netns/images/programs.h"

namespace kin::images {
namespace {

constexpr size_t kMaxFile = 64 << 20;

std::string_view type_of(std::string_view path) {
    static constexpr std::array<std::pair<std::string_view, std::string_view>, 19> kTypes{{
        {".html", "text/html"},
        {".htm", "text/html"},
        {".css", "text/css"},
        {".js", "application/javascript"},
        {".mjs", "application/javascript"},
        {".json", "application/json"},
        {".xml", "text/xml"},
        {".txt", "text/plain"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".jpeg", "image/jpeg"},
        {".gif", "image/gif"},
        {".webp", "image/webp"},
        {".ico", "image/x-icon"},
        {".wasm", "application/wasm"},
        {".pdf", "application/pdf"},
        {".woff", "font/woff"},
        {".woff2", "font/woff2"},
    }};
    for (const auto& [ending, type] : kTypes) {
        if (path.ends_with(ending)) return type;
    }
    return "application/octet-stream";
}

/// "/a/../b/./c" -> "/b/c"; nothing if it climbs above the root.
std::optional<std::string> normalize(std::string_view path) {
    std::vector<std::string_view> parts;
    for (const std::string_view part : split(path, '/')) {
        if (part.empty() || part == ".") continue;
        if (part == "..") {
            if (parts.empty()) return {};
            parts.pop_back();
        } else {
            parts.push_back(part);
        }
    }
    std::string out;
    for (const std::string_view part : parts) out += cat("/", part);
    if (path.ends_with('/') || out.empty()) out += '/';
    return out;
}

HttpResponse status_only(int status) {
    HttpResponse response;
    response.status = status;
    return response;
}

std::string to_hex(uint64_t number) {
    char text[17];
    const auto end = std::to_chars(text, text + sizeof text, number, 16).ptr;
    return {text, end};
}

bool not_modified(const HttpRequest& request, const std::string& etag, const std::string& date) {
    const std::string_view match = request.header("If-None-Match");
    if (!match.empty()) return match == "*" || match.find(etag) != std::string_view::npos;
    return request.header("If-Modified-Since") == date;
}

HttpResponse read_response(const UniqueFd& fd, const struct stat& status,
                           const HttpRequest& request, std::string_view path) {
    const std::string date = http_date(status.st_mtime);
    const std::string etag = cat('"', to_hex(static_cast<uint64_t>(status.st_mtime)), "-",
                                 to_hex(static_cast<uint64_t>(status.st_size)), '"');
    HttpResponse response;
    if (not_modified(request, etag, date)) {
        response.status = 304;
    } else {
        response.headers.emplace_back("Content-Type", type_of(path));
        response.body.resize(static_cast<size_t>(status.st_size));
        size_t done = 0;
        while (done < response.body.size()) {
            const ssize_t length =
                ::read(fd.get(), response.body.data() + done, response.body.size() - done);
            if (length <= 0) break;
            done += static_cast<size_t>(length);
        }
        response.body.resize(done);
    }
    response.headers.emplace_back("Last-Modified", date);
    response.headers.emplace_back("ETag", etag);
    return response;
}

}  // namespace

HttpResponse file_response(const std::string& root, const HttpRequest& request,
                           const Strings& index) {
    if (request.method != "GET" && request.method != "HEAD") return status_only(405);
    const auto normal = normalize(request.path);
    if (!normal) return status_only(400);
    std::string path = root + *normal;
    const bool directory = path.ends_with('/');
    if (directory) {
        const auto found = std::find_if(index.begin(), index.end(), [&](const std::string& name) {
            return ::access(cat(path, name).c_str(), F_OK) == 0;
        });
        path += found == index.end() ? "index.html" : *found;
    }
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat status {};
    if (!fd.valid() || ::fstat(fd.get(), &status) < 0) {
        if (errno == EACCES) return status_only(403);
        // A directory that is there but has no index may not be listed.
        const bool bare = directory && ::access(cat(root, *normal).c_str(), F_OK) == 0;
        return status_only(bare ? 403 : 404);
    }
    if (S_ISDIR(status.st_mode)) {
        HttpResponse response = status_only(301);
        const std::string_view query = request.query;
        // Slashes are merged, so that "//host" cannot become another site's address.
        response.headers.emplace_back("Location",
                                      cat(*normal, "/", query.empty() ? "" : "?", query));
        return response;
    }
    if (!S_ISREG(status.st_mode)) return status_only(403);
    if (static_cast<size_t>(status.st_size) > kMaxFile) return status_only(413);
    return read_response(fd, status, request, path);
}

}  // namespace kin::images
