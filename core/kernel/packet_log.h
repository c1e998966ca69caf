#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/kernel/netlink.h"
#include "core/kernel/netns.h"

namespace kin {

/// A packet that met a `log` statement.
struct LoggedPacket {
    std::string_view prefix;   ///< the statement's
    std::string_view payload;  ///< the packet from its IP header on, its first 128 bytes
};

/// Reads one message of nfnetlink_log (its netlink header included) of at most that size; nothing
/// if it is no packet or cut short. The views point into it.
bool read_logged_packet(std::string_view message, LoggedPacket& out);

/// Hears of packets that rules of one namespace log to a group (nfnetlink_log). Owned by the
/// control thread. When more come than are read, the kernel drops them from this log.
class PacketLog {
public:
    /// Fails with kConflict if somebody else listens to the group there.
    static Result<PacketLog> open(const Netns& ns, uint16_t group);

    /// Readable when packets wait.
    int fd() const { return netlink_.fd(); }
    /// Gives those that wait to `visit`, up to about `most` in one go.
    void read(size_t most, const std::function<void(const LoggedPacket&)>& visit);

private:
    explicit PacketLog(Netlink netlink) : netlink_(std::move(netlink)) {}
    Netlink netlink_;
};

}  // namespace kin
