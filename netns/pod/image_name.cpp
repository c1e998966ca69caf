#include "netns/pod/image_name.h"

#include "core/base/strings.h"

namespace kin::netns {

std::string image_reference(std::string_view image) {
    const size_t slash = image.find('/');
    const std::string_view first = image.substr(0, slash);
    // A first part without dot, port or "localhost" is a user of Docker Hub, not a registry.
    const bool has_registry =
        slash != std::string_view::npos &&
        (first.find_first_of(".:") != std::string_view::npos || first == "localhost");
    std::string out = has_registry                      ? std::string(image)
                      : slash == std::string_view::npos ? cat("docker.io/library/", image)
                                                        : cat("docker.io/", image);
    const std::string_view last = std::string_view(out).substr(out.rfind('/'));
    if (last.find_first_of(":@") == std::string_view::npos) out += ":latest";
    return out;
}

}  // namespace kin::netns
