#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "core/base/ip.h"
#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "core/kernel/netns.h"

namespace kin {

/// One netlink message under construction: header, family header, attributes.
class Request {
public:
    /// An open attribute that holds others; its length is written when it goes out of scope.
    class Nest {
    public:
        Nest(const Nest&) = delete;
        Nest& operator=(const Nest&) = delete;
        ~Nest() { request_.close(start_); }

    private:
        friend class Request;
        Nest(Request& request, size_t start) : request_(request), start_(start) {}
        Request& request_;
        size_t start_;
    };

    /// `what` names the request in errors: "add veth kin12".
    Request(uint16_t type, uint16_t flags, std::string what = {});

    /// The family's fixed header (ifinfomsg, rtmsg, nfgenmsg...): before any attribute.
    template <class Header>
    requires std::is_trivially_copyable_v<Header> Request& put_header(const Header& header) {
        append(&header, sizeof header);
        return *this;
    }
    /// A text with its terminating zero.
    Request& put(uint16_t type, std::string_view text);
    Request& put_bytes(uint16_t type, const void* data, size_t size);
    /// Numbers in host byte order, which is what rtnetlink wants.
    Request& put_u8(uint16_t type, uint8_t value) { return put_bytes(type, &value, 1); }
    Request& put_u16(uint16_t type, uint16_t value) { return put_bytes(type, &value, 2); }
    Request& put_u32(uint16_t type, uint32_t value) { return put_bytes(type, &value, 4); }
    /// Numbers in network byte order, which is what netfilter wants.
    Request& put_be16(uint16_t type, uint16_t value);
    Request& put_be32(uint16_t type, uint32_t value);
    Request& put(uint16_t type, Ipv4 address);
    Request& put(uint16_t type, const Mac& mac) { return put_bytes(type, mac.bytes, 6); }
    /// Everything put until the Nest dies goes inside attribute `type`.
    [[nodiscard]] Nest nest(uint16_t type);
    /// A nest whose content starts with a struct (VETH_INFO_PEER, RTA_MULTIPATH's hops).
    Request& put_raw(const void* data, size_t size);

    /// This errno counts as success, so that a verb can be repeated (ENODEV for a delete).
    Request& tolerate(int error_number);
    bool tolerates(int error_number) const;

    const std::string& what() const { return what_; }
    uint16_t type() const { return header().nlmsg_type; }
    /// The finished message with its header. Valid until the request changes.
    std::string_view bytes() const { return data_; }

private:
    friend class Netlink;
    void append(const void* data, size_t size);
    void close(size_t start);
    nlmsghdr& header() { return *reinterpret_cast<nlmsghdr*>(data_.data()); }
    const nlmsghdr& header() const { return *reinterpret_cast<const nlmsghdr*>(data_.data()); }

    std::string data_;  // Padded to 4 bytes after every put.
    std::string what_;
    std::vector<int> tolerated_;
};

/// The attributes of a received message. A view: the message outlives it.
class Attributes {
public:
    /// Of a message whose family header has `header_size` bytes.
    Attributes(const nlmsghdr& message, size_t header_size);
    /// Of the inside of a nest.
    explicit Attributes(std::string_view payload);

    bool has(uint16_t type) const { return find(type).data() != nullptr; }
    /// The payload; a view with a null data() if there is no such attribute.
    std::string_view find(uint16_t type) const;
    std::string text(uint16_t type) const;
    uint32_t u32(uint16_t type, uint32_t otherwise = 0) const;
    uint32_t be32(uint16_t type, uint32_t otherwise = 0) const;
    uint64_t be64(uint16_t type, uint64_t otherwise = 0) const;
    Ipv4 address(uint16_t type) const { return {be32(type)}; }
    Attributes nest(uint16_t type) const { return Attributes(find(type)); }
    void each(const std::function<void(uint16_t type, std::string_view payload)>& visit) const;

private:
    std::string_view payload_;
};

/// A netlink socket that asks and waits for the answer.
///
/// It acts on the namespace in which it was opened, whatever thread uses it later. Errors carry the
/// kernel's errno and end in its extended ack. Owned by one thread; not thread-safe.
class Netlink {
public:
    /// `protocol` is NETLINK_ROUTE or NETLINK_NETFILTER.
    static Result<Netlink> open(const Netns& ns, int protocol);
    /// In the namespace that the calling thread is in.
    static Result<Netlink> open_here(int protocol);

    /// One request, one answer.
    Result<> talk(Request& request);
    Result<> talk(Request&& request) { return talk(request); }
    /// Many requests in one sendmsg, one acknowledgement on the last. Not a transaction: the kernel
    /// carries out every request it can. Returns the first error, which names its request. More
    /// than 100 KB go in several sendmsg.
    Result<> talk(std::span<Request> requests);
    /// Sends a dump request and gives each message of the answer to `visit`.
    Result<> dump(Request request, const std::function<void(const nlmsghdr&)>& visit);

    /// Sends one request that is answered by one message, which goes to `visit`.
    Result<> ask(Request& request, const std::function<void(const nlmsghdr&)>& visit);

    /// Sends a finished transaction as it is and waits for its end: the answer to the message
    /// numbered `last`, or an error of `first`, which ends all. Returns the first error; its
    /// sequence number goes to `failed`.
    Result<> exchange(std::string_view messages, uint32_t first, uint32_t last, uint32_t* failed);
    /// The first of `count` sequence numbers that no other request of this socket has.
    uint32_t reserve_sequence(uint32_t count = 1);
    /// For those that wait for messages nobody asked for.
    int fd() const { return socket_.get(); }
    /// The most that one sendmsg may carry.
    size_t send_limit_bytes() const { return send_limit_bytes_; }

private:
    explicit Netlink(UniqueFd socket) : socket_(std::move(socket)) {}
    Result<> prepare();
    Result<> send(std::string_view bytes);
    Result<std::string_view> receive(std::span<char> buffer);
    Result<> talk_once(std::span<Request> requests);
    /// Gives every message that arrives to `visit` until it returns kDone.
    enum class Waiting : uint8_t { kGoOn, kDone };
    Result<> receive_until(const std::function<Waiting(const nlmsghdr&)>& visit);

    UniqueFd socket_;
    uint32_t sequence_ = 1;
    size_t send_limit_bytes_ = 0;
};

}  // namespace kin
