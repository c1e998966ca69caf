#pragma once

#include <span>
#include <string>
#include <string_view>

namespace kin::web {

/// One file of the page, as it lies in the binary: compressed, in two forms.
struct Asset {
    std::string_view path;    ///< "/assets/main-ABCDEFGH.js"
    std::string_view type;    ///< of its content, for Content-Type
    std::string_view hash;    ///< of its content
    std::string_view brotli;  ///< its bytes in these forms
    std::string_view gzip;
    size_t size = 0;  ///< of the file itself
};

/// The page that was built with this binary. Its definition is made by web/app/build.mjs; a
/// program that calls it links kin::web_assets.
std::span<const Asset> page_assets();

/// The file itself, for clients that take no compression and for pages with something to fill in.
std::string inflate(const Asset& asset);

}  // namespace kin::web
