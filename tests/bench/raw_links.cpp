#include "tests/bench/raw_links.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "core/base/strings.h"

namespace kin::bench {
namespace {

void write_map(const char* path, const std::string& text) {
    const int file = ::open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0 || ::write(file, text.data(), text.size()) < 0) {
        std::perror(path);
        std::exit(1);
    }
    ::close(file);
}

ifinfomsg* put_link(nlmsghdr* message, int index, unsigned flags) {
    auto* header = static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ifinfomsg)));
    header->ifi_index = index;
    header->ifi_flags = flags;
    header->ifi_change = flags;
    return header;
}

}  // namespace

int checked(int result, const char* what) {
    if (result < 0) {
        std::perror(what);
        std::exit(1);
    }
    return result;
}

void leave_host() {
    const auto uid = ::geteuid();
    const auto gid = ::getegid();
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
        std::perror("unshare");
        std::exit(1);
    }
    write_map("/proc/self/setgroups", "deny");
    write_map("/proc/self/uid_map", cat("0 ", uid, " 1"));
    write_map("/proc/self/gid_map", cat("0 ", gid, " 1"));
}

nlmsghdr* Batch::add(uint16_t type, uint16_t flags) {
    close();
    message_ = mnl_nlmsg_put_header(bytes_ + size_);
    message_->nlmsg_type = type;
    message_->nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
    message_->nlmsg_seq = 1;
    return message_;
}

void Batch::send(int socket) {
    message_->nlmsg_flags |= NLM_F_ACK;
    close();
    checked(static_cast<int>(::send(socket, bytes_, size_, 0)), "send");
    char answer[4096];
    const auto got = checked(static_cast<int>(::recv(socket, answer, sizeof answer, 0)), "recv");
    const auto* error =
        static_cast<nlmsgerr*>(mnl_nlmsg_get_payload(reinterpret_cast<nlmsghdr*>(answer)));
    if (got < static_cast<int>(sizeof(nlmsghdr)) || error->error != 0) {
        errno = -error->error;
        checked(-1, "rtnetlink");
    }
    size_ = 0;
    message_ = nullptr;
}

void Batch::close() {
    if (message_) size_ += MNL_ALIGN(message_->nlmsg_len);
    message_ = nullptr;
}

void add_veth(Batch& batch, const char* name, const std::string& peer, int peer_index,
              int peer_ns) {
    nlmsghdr* message = batch.add(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
    put_link(message, 2, 0);
    mnl_attr_put_strz(message, IFLA_IFNAME, name);
    nlattr* info = mnl_attr_nest_start(message, IFLA_LINKINFO);
    mnl_attr_put_strz(message, IFLA_INFO_KIND, "veth");
    nlattr* data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
    nlattr* other = mnl_attr_nest_start(message, VETH_INFO_PEER);
    put_link(message, peer_index, 0);
    mnl_attr_put_strz(message, IFLA_IFNAME, peer.c_str());
    mnl_attr_put_u32(message, IFLA_NET_NS_FD, static_cast<uint32_t>(peer_ns));
    mnl_attr_nest_end(message, other);
    mnl_attr_nest_end(message, data);
    mnl_attr_nest_end(message, info);
}

void add_bridge(Batch& batch, const char* name, int index) {
    nlmsghdr* message = batch.add(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
    put_link(message, index, 0);
    mnl_attr_put_strz(message, IFLA_IFNAME, name);
    nlattr* info = mnl_attr_nest_start(message, IFLA_LINKINFO);
    mnl_attr_put_strz(message, IFLA_INFO_KIND, "bridge");
    mnl_attr_nest_end(message, info);
}

void set_up(Batch& batch, int index, int bridge) {
    nlmsghdr* message = batch.add(RTM_NEWLINK, 0);
    put_link(message, index, IFF_UP);
    if (bridge != 0) mnl_attr_put_u32(message, IFLA_MASTER, static_cast<uint32_t>(bridge));
}

void add_address(Batch& batch, int index, uint32_t address, uint8_t bits) {
    nlmsghdr* message = batch.add(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);
    auto* header = static_cast<ifaddrmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ifaddrmsg)));
    header->ifa_family = AF_INET;
    header->ifa_prefixlen = bits;
    header->ifa_index = static_cast<uint32_t>(index);
    mnl_attr_put_u32(message, IFA_LOCAL, htonl(address));
    mnl_attr_put_u32(message, IFA_ADDRESS, htonl(address));
}

void add_route(Batch& batch, int index, uint32_t to, uint8_t bits, uint32_t via) {
    nlmsghdr* message = batch.add(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE);
    auto* header = static_cast<rtmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(rtmsg)));
    header->rtm_family = AF_INET;
    header->rtm_dst_len = bits;
    header->rtm_table = RT_TABLE_MAIN;
    header->rtm_protocol = RTPROT_STATIC;
    header->rtm_type = RTN_UNICAST;
    header->rtm_scope = via ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
    header->rtm_flags = via ? RTNH_F_ONLINK : 0;
    if (bits != 0) mnl_attr_put_u32(message, RTA_DST, htonl(to));
    if (via != 0) mnl_attr_put_u32(message, RTA_GATEWAY, htonl(via));
    mnl_attr_put_u32(message, RTA_OIF, static_cast<uint32_t>(index));
}

void write_to(const char* path, const char* value) {
    const int file = ::open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return;  // This kernel may lack it.
    checked(static_cast<int>(::write(file, value, 1)), path);
    ::close(file);
}

Host make_host() {
    checked(::unshare(CLONE_NEWNET), "unshare");
    const int ns = checked(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), "open ns");
    const int socket =
        checked(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), "socket");
    write_to("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
    return {ns, socket};
}

}  // namespace kin::bench
