#include "tests/bench/raw_services.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "core/base/strings.h"
#include "core/kernel/nft_netlink.h"
#include "proxy/compile.h"
#include "proxy/names.h"
#include "tests/bench/raw_links.h"
#include "tests/bench/requests.h"
#include "tests/bench/stopwatch.h"

namespace kin::bench {
namespace {

constexpr size_t kMessageBytes = 60'000;  // An attribute's length has 16 bits.
constexpr size_t kElementBytes = 512;     // More than any has.

/// Sends elements of the sets of table kube-proxy, as many at once as the socket takes.
class Loader {
public:
    Loader() : socket_(checked(::socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER), "socket")) {
        const int wish = 8 << 20;  // The kernel gives what it gives to everybody.
        ::setsockopt(socket_, SOL_SOCKET, SO_SNDBUF, &wish, sizeof wish);
        int granted = 0;
        socklen_t size = sizeof granted;
        checked(::getsockopt(socket_, SOL_SOCKET, SO_SNDBUF, &granted, &size), "SO_SNDBUF");
        bytes_.resize(static_cast<size_t>(granted) - 64);
        begin();
    }

    /// `put` adds the element's attributes.
    template <class Put>
    void add(const char* set, Put&& put) {
        if (message_ && (set != set_ || message_->nlmsg_len > kMessageBytes)) close_message();
        if (bytes_.size() - used() < kMessageBytes + 4 * kElementBytes && !message_) flush();
        if (!message_) open_message(set);
        nlattr* const element = mnl_attr_nest_start(message_, NFTA_LIST_ELEM);
        put(message_);
        mnl_attr_nest_end(message_, element);
    }

    void flush() {
        close_message();
        last_->nlmsg_flags |= NLM_F_ACK;
        end();
        checked(static_cast<int>(::send(socket_, bytes_.data(), size_, 0)), "send");
        char answer[4096];
        checked(static_cast<int>(::recv(socket_, answer, sizeof answer, 0)), "recv");
        const auto* error =
            static_cast<nlmsgerr*>(mnl_nlmsg_get_payload(reinterpret_cast<nlmsghdr*>(answer)));
        errno = -error->error;
        checked(error->error, "load elements");
        begin();
    }

private:
    nlmsghdr* header(uint16_t type, uint16_t flags, uint8_t family, uint16_t resource) {
        nlmsghdr* const message = mnl_nlmsg_put_header(bytes_.data() + size_);
        message->nlmsg_type = type;
        message->nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | flags);
        auto* const extra =
            static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(nfgenmsg)));
        *extra = {family, NFNETLINK_V0, htons(resource)};
        return message;
    }
    void begin() {
        size_ = 0;
        size_ += header(NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES)->nlmsg_len;
    }
    void end() {
        size_ += header(NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES)->nlmsg_len;
    }
    void open_message(const char* set) {
        message_ = header(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL,
                          NFPROTO_IPV4, 0);
        set_ = set;
        mnl_attr_put_strz(message_, NFTA_SET_ELEM_LIST_TABLE, proxy::kTableName);
        mnl_attr_put_strz(message_, NFTA_SET_ELEM_LIST_SET, set);
        elements_ = mnl_attr_nest_start(message_, NFTA_SET_ELEM_LIST_ELEMENTS);
    }
    void close_message() {
        if (!message_) return;
        mnl_attr_nest_end(message_, elements_);
        size_ += message_->nlmsg_len;
        last_ = message_;
        message_ = nullptr;
    }
    size_t used() const { return size_ + (message_ ? message_->nlmsg_len : 0); }

    int socket_;
    std::vector<char> bytes_;
    size_t size_ = 0;
    const char* set_ = nullptr;
    nlmsghdr* message_ = nullptr;  // Open.
    nlmsghdr* last_ = nullptr;     // Closed, in this batch.
    nlattr* elements_ = nullptr;
};

template <size_t Words>
void put_value(nlmsghdr* message, uint16_t type, const std::array<uint32_t, Words>& words) {
    nlattr* const nest = mnl_attr_nest_start(message, type);
    mnl_attr_put(message, NFTA_DATA_VALUE, sizeof words, words.data());
    mnl_attr_nest_end(message, nest);
}

void put_goto(nlmsghdr* message, const char* chain) {
    nlattr* const data = mnl_attr_nest_start(message, NFTA_SET_ELEM_DATA);
    nlattr* const verdict = mnl_attr_nest_start(message, NFTA_DATA_VERDICT);
    mnl_attr_put_u32(message, NFTA_VERDICT_CODE, htonl(static_cast<uint32_t>(NFT_GOTO)));
    mnl_attr_put_strz(message, NFTA_VERDICT_CHAIN, chain);
    mnl_attr_nest_end(message, verdict);
    mnl_attr_nest_end(message, data);
}

/// As nft keeps it: type 0, length, text with its zero.
void put_comment(nlmsghdr* message, const char* format, int service) {
    char text[64];
    const int length = std::snprintf(text + 2, sizeof text - 2, format, service) + 1;
    text[0] = 0;
    text[1] = static_cast<char>(length);
    mnl_attr_put(message, NFTA_SET_ELEM_USERDATA, static_cast<size_t>(length) + 2, text);
}

uint32_t address_of(int service) { return htonl(0x0A600100u + static_cast<uint32_t>(service)); }
uint32_t endpoint_of(int service, int index) {
    const auto number = static_cast<uint32_t>(service);
    return htonl((0x0AF5u + static_cast<uint32_t>(index)) << 16 | number / 250 << 8 |
                 (1 + number % 250));
}
/// A protocol or a port, each padded to a register of its own.
uint32_t protocol() { return htonl(uint32_t{IPPROTO_TCP} << 24); }
uint32_t port(uint32_t number) { return htonl(number << 16); }

void load(Loader& loader, int services) {
    const auto each = [services](auto&& visit) {
        for (int service = 0; service < services; ++service) visit(service);
    };
    each([&](int service) {
        loader.add(proxy::kClusterIps, [&](nlmsghdr* message) {
            put_value(message, NFTA_SET_ELEM_KEY, std::array{address_of(service)});
            put_comment(message, "default/s%d", service);
        });
    });
    each([&](int service) {
        loader.add(proxy::kServiceIps, [&](nlmsghdr* message) {
            put_value(message, NFTA_SET_ELEM_KEY,
                      std::array{address_of(service), protocol(), port(80)});
            put_goto(message, "lb-2");
            put_comment(message, "default/s%d:http", service);
        });
    });
    for (int index = 0; index < 2; ++index) {
        each([&](int service) {
            const uint32_t endpoint = endpoint_of(service, index);
            loader.add(proxy::kEndpoints, [&](nlmsghdr* message) {
                put_value(message, NFTA_SET_ELEM_KEY,
                          std::array{address_of(service), protocol(), port(80),
                                     static_cast<uint32_t>(index)});
                put_value(message, NFTA_SET_ELEM_DATA, std::array{endpoint, port(8080)});
                put_comment(message, "default/s%d", service);
            });
        });
        each([&](int service) {
            const uint32_t endpoint = endpoint_of(service, index);
            loader.add(proxy::kHairpin, [&](nlmsghdr* message) {
                put_value(message, NFTA_SET_ELEM_KEY, std::array{endpoint, endpoint});
                put_comment(message, "default/s%d", service);
            });
        });
    }
    loader.flush();
}

template <class T>
T value_of(Result<T> result) {
    if (!result) give_up(result.error().text());
    return std::move(result).value();
}

}  // namespace

Cost load_raw_services(int services) {
    nft::Table table = proxy::skeleton({});
    table.chains.push_back(proxy::Balance{proxy::Balance::Kind::kCluster, 2}.chain());
    nft::Nft kernel = value_of(nft::Nft::open(value_of(Netns::current())));
    if (const auto made = kernel.replace(table); !made) give_up(made.error().text());
    Loader loader;
    const Stopwatch watch;
    load(loader, services);
    const Cost cost = watch.read();
    size_t held = 0;
    for (const nft::Set& set : table.sets)
        held += value_of(kernel.counts(table.name, set.shape)).size();
    std::printf("%zu ", held);
    return cost;
}

}  // namespace kin::bench
