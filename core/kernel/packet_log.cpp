#include "core/kernel/packet_log.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

namespace kin {

namespace {
constexpr uint16_t kConfig = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG;
constexpr uint16_t kPacket = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET;
/// Headers are enough to say which packet it was.
constexpr uint32_t kCopiedBytes = 128;

Request config(uint16_t group, const char* what) {
    Request request(kConfig, 0, what);
    request.put_header(nfgenmsg{AF_INET, NFNETLINK_V0, htons(group)});
    return request;
}
}  // namespace

bool read_logged_packet(std::string_view message, LoggedPacket& out) {
    if (message.size() < sizeof(nlmsghdr) + sizeof(nfgenmsg)) return false;
    nlmsghdr header;
    std::memcpy(&header, message.data(), sizeof header);
    if (header.nlmsg_type != kPacket || header.nlmsg_len > message.size() ||
        header.nlmsg_len < sizeof(nlmsghdr) + sizeof(nfgenmsg)) {
        return false;
    }
    const size_t begin = NLMSG_ALIGN(sizeof(nlmsghdr)) + NLMSG_ALIGN(sizeof(nfgenmsg));
    const Attributes attributes(message.substr(begin, header.nlmsg_len - begin));
    out.prefix = attributes.find(NFULA_PREFIX);
    while (!out.prefix.empty() && out.prefix.back() == '\0') out.prefix.remove_suffix(1);
    out.payload = attributes.find(NFULA_PAYLOAD);
    return out.payload.data() != nullptr;
}

Result<PacketLog> PacketLog::open(const Netns& ns, uint16_t group) {
    TRY_ASSIGN(Netlink netlink, Netlink::open(ns, NETLINK_NETFILTER));
    Request bind = config(group, "listen to logged packets");
    const nfulnl_msg_config_cmd command{NFULNL_CFG_CMD_BIND};
    bind.put_bytes(NFULA_CFG_CMD, &command, sizeof command);
    TRY(netlink.talk(bind));
    Request mode = config(group, "ask for their headers");
    nfulnl_msg_config_mode copy{};
    copy.copy_range = htonl(kCopiedBytes);
    copy.copy_mode = NFULNL_COPY_PACKET;
    mode.put_bytes(NFULA_CFG_MODE, &copy, sizeof copy);
    // At once, not when a buffer has filled: somebody waits for the reason.
    mode.put_be32(NFULA_CFG_QTHRESH, 1);
    TRY(netlink.talk(mode));
    return PacketLog(std::move(netlink));
}

void PacketLog::read(size_t most, const std::function<void(const LoggedPacket&)>& visit) {
    alignas(nlmsghdr) std::array<char, 8192> buffer;
    for (size_t reads = 0; reads < most; ++reads) {
        const ssize_t length = ::recv(fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (length < 0 && errno == ENOBUFS) continue;  // Some were lost; others wait.
        if (length <= 0) return;
        std::string_view rest(buffer.data(), static_cast<size_t>(length));
        while (rest.size() >= sizeof(nlmsghdr)) {
            nlmsghdr header;
            std::memcpy(&header, rest.data(), sizeof header);
            if (header.nlmsg_len < sizeof header) return;
            LoggedPacket packet;
            if (read_logged_packet(rest, packet)) visit(packet);
            rest.remove_prefix(std::min<size_t>(rest.size(), NLMSG_ALIGN(header.nlmsg_len)));
        }
    }
}

}  // namespace kin
