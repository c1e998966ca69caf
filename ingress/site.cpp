#include "ingress/site.h"

namespace kin::ingress {

std::string Site::make_request_id() {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string id(32, '0');
    for (size_t i = 0; i < id.size(); i += 16) {
        uint64_t bits = random_();
        for (size_t digit = 0; digit < 16; ++digit, bits >>= 4) id[i + digit] = kDigits[bits & 15];
    }
    return id;
}

}  // namespace kin::ingress
