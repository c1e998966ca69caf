#include "netns/network/address_pool.h"

#include "core/base/strings.h"

namespace kin::netns {

bool AddressPool::usable(Ipv4 address) const {
    if (!block_.contains(address)) return false;
    const uint32_t offset = address.value - block_.address.value;
    return offset >= 2 && offset + 1 < block_.size() && !used_.contains(address);
}

Result<Ipv4> AddressPool::take(Ipv4 wished) {
    if (usable(wished)) {
        used_.insert(wished);
        return wished;
    }
    for (uint64_t tried = 0; tried < block_.size(); ++tried) {
        const Ipv4 address = block_.address.plus(next_);
        next_ = static_cast<uint32_t>((next_ + 1) % block_.size());
        if (!usable(address)) continue;
        used_.insert(address);
        return address;
    }
    return Error(Errc::kConflict, cat("all addresses of ", block_, " are in use"));
}

}  // namespace kin::netns
