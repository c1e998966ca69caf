#include "tests/bench/raw_network.h"

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
#include <string>
#include <vector>

#include "tests/bench/stopwatch.h"

namespace kin::bench {
namespace {

int checked(int result, const char* what) {
    if (result < 0) {
        std::perror(what);
        std::exit(1);
    }
    return result;
}

/// Several messages, one sendmsg, one acknowledgement.
class Batch {
public:
    nlmsghdr* add(uint16_t type, uint16_t flags) {
        close();
        message_ = mnl_nlmsg_put_header(bytes_ + size_);
        message_->nlmsg_type = type;
        message_->nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
        message_->nlmsg_seq = 1;
        return message_;
    }

    void send(int socket) {
        message_->nlmsg_flags |= NLM_F_ACK;
        close();
        checked(static_cast<int>(::send(socket, bytes_, size_, 0)), "send");
        char answer[4096];
        const auto got =
            checked(static_cast<int>(::recv(socket, answer, sizeof answer, 0)), "recv");
        const auto* error =
            static_cast<nlmsgerr*>(mnl_nlmsg_get_payload(reinterpret_cast<nlmsghdr*>(answer)));
        if (got < static_cast<int>(sizeof(nlmsghdr)) || error->error != 0) {
            errno = -error->error;
            checked(-1, "rtnetlink");
        }
        size_ = 0;
        message_ = nullptr;
    }

private:
    void close() {
        if (message_) size_ += MNL_ALIGN(message_->nlmsg_len);
        message_ = nullptr;
    }

    alignas(nlmsghdr) char bytes_[16384] = {};
    size_t size_ = 0;
    nlmsghdr* message_ = nullptr;
};

ifinfomsg* put_link(nlmsghdr* message, int index, unsigned flags) {
    auto* header = static_cast<ifinfomsg*>(mnl_nlmsg_put_extra_header(message, sizeof(ifinfomsg)));
    header->ifi_index = index;
    header->ifi_flags = flags;
    header->ifi_change = flags;
    return header;
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

void set_up(Batch& batch, int index, int bridge = 0) {
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

/// A namespace, as a file and as a socket in it.
struct Host {
    int ns, socket;
};

/// Leaves the calling thread inside.
Host make_host() {
    checked(::unshare(CLONE_NEWNET), "unshare");
    const int ns = checked(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC), "open ns");
    const int socket =
        checked(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), "socket");
    write_to("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1");
    return {ns, socket};
}

constexpr uint32_t kPods = 0x0AF40000;   // 10.244.0.0
constexpr uint32_t kNodes = 0xAC1E0000;  // 172.30.0.0

std::vector<Host> make_nodes(int nodes) {
    std::vector<Host> out;
    for (int number = 1; number <= nodes; ++number) {
        out.push_back(make_host());
        write_to("/proc/sys/net/ipv4/ip_forward", "1");
    }
    return out;
}

}  // namespace

Cost lay_raw_links(int nodes) {
    const Stopwatch watch;
    const Host fabric = make_host();
    const Host router = make_host();
    const std::vector<Host> outside{make_host(), make_host()};
    const std::vector<Host> hosts = make_nodes(nodes);
    Batch batch;
    add_bridge(batch, "fabric", 100);
    set_up(batch, 100);
    batch.send(fabric.socket);
    const auto connect = [&batch](const Host& host, const Host& there, int bridge, int port,
                                  uint32_t address, uint32_t via) {
        add_veth(batch, "eth0", "port" + std::to_string(port), port, there.ns);
        set_up(batch, 1);
        add_address(batch, 2, address, 24);
        set_up(batch, 2);
        if (via != 0) add_route(batch, 2, 0, 0, via);
        batch.send(host.socket);
        set_up(batch, port, bridge);
        batch.send(there.socket);
    };
    connect(router, fabric, 100, 10, kNodes + 1, 0);
    add_bridge(batch, "outside", 100);
    set_up(batch, 100);
    add_address(batch, 100, 0xCB007101, 24);
    batch.send(router.socket);
    for (int i = 0; i < 2; ++i) {
        connect(outside[static_cast<size_t>(i)], router, 100, 11 + i,
                0xCB007102 + static_cast<uint32_t>(i), 0xCB007101);
    }
    for (int number = 1; number <= nodes; ++number) {
        const Host& node = hosts[static_cast<size_t>(number) - 1];
        connect(node, fabric, 100, 10 + number, kNodes + 1 + static_cast<uint32_t>(number),
                kNodes + 1);
        for (int other = 1; other <= nodes; ++other) {
            if (other == number) continue;
            add_route(batch, 2, kPods + (static_cast<uint32_t>(other) << 8), 24,
                      kNodes + 1 + static_cast<uint32_t>(other));
        }
        if (nodes > 1) batch.send(node.socket);
    }
    return watch.read();
}

Cost attach_raw_pods(int nodes, int pods) {
    const std::vector<Host> hosts = make_nodes(nodes);
    std::vector<int> held;
    const Stopwatch watch;
    Batch batch;
    for (int number = 0; number < pods; ++number) {
        const Host& node = hosts[static_cast<size_t>(number % nodes)];
        const uint32_t address = kPods + (static_cast<uint32_t>(number % nodes + 1) << 8) + 2 +
                                 static_cast<uint32_t>(number / nodes);
        const int link = 10 + number;
        const Host pod = make_host();
        held.push_back(pod.ns);
        add_veth(batch, "eth0", "veth" + std::to_string(number), link, node.ns);
        set_up(batch, 1);
        add_address(batch, 2, address, 32);
        set_up(batch, 2);
        add_route(batch, 2, 0, 0, kPods + 1);
        batch.send(pod.socket);
        ::close(pod.socket);
        set_up(batch, link);
        add_route(batch, link, address, 32, 0);
        batch.send(node.socket);
    }
    return watch.read();
}

}  // namespace kin::bench
