#pragma once

#include <string>
#include <string_view>

namespace kin::netns {

/// The full name of an image as container runtimes show it: "nginx" is
/// "docker.io/library/nginx:latest".
std::string image_reference(std::string_view image);

}  // namespace kin::netns
