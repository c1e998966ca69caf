#pragma once

#include <deque>
#include <span>
#include <string>
#include <vector>

#include "web/assets.h"

namespace kin::test {

/// Files in place of the real page's, which only kin holds.
class PageFiles {
public:
    PageFiles();
    std::span<const web::Asset> list() const { return assets_; }

private:
    void add(std::string path, std::string type, const std::string& content);
    std::deque<std::string> texts_;  // What the assets point into.
    std::vector<web::Asset> assets_;
};

}  // namespace kin::test
