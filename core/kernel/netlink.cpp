#include "core/kernel/netlink.h"

#include <arpa/inet.h>
#include <endian.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "core/base/assert.h"
#include "core/base/log.h"
#include "core/base/strings.h"

namespace kin {

namespace {

constexpr size_t kBatchBytes = 100 * 1024;
constexpr size_t kReceiveBytes = 64 * 1024;  // One datagram at a time; a dump's fill 32 KB.

size_t aligned(size_t size) { return (size + 3) & ~size_t{3}; }

/// The kernel's verdict in an NLMSG_ERROR; success when its number is 0.
Result<> verdict_of(const nlmsghdr& message) {
    nlmsgerr report{};
    std::memcpy(&report, NLMSG_DATA(&message), sizeof report);
    if (report.error == 0) return Ok{};
    std::string text;
    if (message.nlmsg_flags & NLM_F_ACK_TLVS) {
        // With NETLINK_CAP_ACK the answer repeats only the failed request's header.
        size_t skip = sizeof(nlmsgerr);
        if (!(message.nlmsg_flags & NLM_F_CAPPED)) skip += report.msg.nlmsg_len - sizeof(nlmsghdr);
        const Attributes attributes(message, aligned(skip));
        text = attributes.text(NLMSGERR_ATTR_MSG);
    }
    if (text.empty()) return Error::from_errno("kernel", -report.error);
    return Error::from_errno(cat("kernel: ", text), -report.error);
}

}  // namespace

Request::Request(uint16_t type, uint16_t flags, std::string what) : what_(std::move(what)) {
    nlmsghdr fresh{};
    fresh.nlmsg_type = type;
    fresh.nlmsg_flags = static_cast<uint16_t>(flags | NLM_F_REQUEST);
    data_.reserve(256);
    data_.assign(reinterpret_cast<const char*>(&fresh), sizeof fresh);
    header().nlmsg_len = sizeof fresh;
}

void Request::append(const void* data, size_t size) {
    data_.append(static_cast<const char*>(data), size);
    data_.resize(aligned(data_.size()), '\0');
    header().nlmsg_len = static_cast<uint32_t>(data_.size());
}

Request& Request::put_bytes(uint16_t type, const void* data, size_t size) {
    const nlattr attribute{static_cast<uint16_t>(sizeof(nlattr) + size), type};
    append(&attribute, sizeof attribute);
    append(data, size);
    return *this;
}

Request& Request::put(uint16_t type, std::string_view text) {
    const std::string terminated(text);
    return put_bytes(type, terminated.c_str(), terminated.size() + 1);
}

Request& Request::put_be16(uint16_t type, uint16_t value) { return put_u16(type, htons(value)); }
Request& Request::put_be32(uint16_t type, uint32_t value) { return put_u32(type, htonl(value)); }
Request& Request::put(uint16_t type, Ipv4 address) {
    return put_u32(type, address.network_order());
}

Request::Nest Request::nest(uint16_t type) {
    const size_t start = data_.size();
    const nlattr attribute{sizeof(nlattr), static_cast<uint16_t>(type | NLA_F_NESTED)};
    append(&attribute, sizeof attribute);
    return Nest(*this, start);
}

void Request::close(size_t start) {
    const size_t length = data_.size() - start;
    KIN_ASSERT(length <= UINT16_MAX);
    const auto field = static_cast<uint16_t>(length);
    std::memcpy(data_.data() + start + offsetof(nlattr, nla_len), &field, sizeof field);
}

Request& Request::put_raw(const void* data, size_t size) {
    append(data, size);
    return *this;
}

Request& Request::tolerate(int error_number) {
    tolerated_.push_back(error_number);
    return *this;
}

bool Request::tolerates(int error_number) const {
    return std::ranges::find(tolerated_, error_number) != tolerated_.end();
}

Attributes::Attributes(const nlmsghdr& message, size_t header_size) {
    const size_t skip = NLMSG_HDRLEN + aligned(header_size);
    if (message.nlmsg_len > skip)
        payload_ = {reinterpret_cast<const char*>(&message) + skip, message.nlmsg_len - skip};
}

Attributes::Attributes(std::string_view payload) : payload_(payload) {}

void Attributes::each(
    const std::function<void(uint16_t type, std::string_view payload)>& visit) const {
    std::string_view rest = payload_;
    while (rest.size() >= sizeof(nlattr)) {
        nlattr attribute{};
        std::memcpy(&attribute, rest.data(), sizeof attribute);
        if (attribute.nla_len < sizeof(nlattr) || attribute.nla_len > rest.size()) return;
        visit(attribute.nla_type & NLA_TYPE_MASK,
              rest.substr(sizeof(nlattr), attribute.nla_len - sizeof(nlattr)));
        rest.remove_prefix(std::min(rest.size(), aligned(attribute.nla_len)));
    }
}

std::string_view Attributes::find(uint16_t type) const {
    std::string_view found;
    each([&](uint16_t each_type, std::string_view payload) {
        if (each_type == type && found.data() == nullptr) found = payload;
    });
    return found;
}

std::string Attributes::text(uint16_t type) const {
    const std::string_view payload = find(type);
    return std::string(payload.substr(0, payload.find('\0')));
}

uint32_t Attributes::u32(uint16_t type, uint32_t otherwise) const {
    const std::string_view payload = find(type);
    uint32_t value = otherwise;
    if (payload.size() >= sizeof value) std::memcpy(&value, payload.data(), sizeof value);
    return value;
}

uint32_t Attributes::be32(uint16_t type, uint32_t otherwise) const {
    return has(type) ? ntohl(u32(type, htonl(otherwise))) : otherwise;
}

uint64_t Attributes::be64(uint16_t type, uint64_t otherwise) const {
    const std::string_view payload = find(type);
    if (payload.size() < sizeof(uint64_t)) return otherwise;
    uint64_t value = 0;
    std::memcpy(&value, payload.data(), sizeof value);
    return be64toh(value);
}

Result<Netlink> Netlink::open(const Netns& ns, int protocol) {
    return ns.enter([&] { return open_here(protocol); });
}

Result<Netlink> Netlink::open_here(int protocol) {
    UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
    if (!socket.valid()) return Error::from_errno("open a netlink socket");
    Netlink netlink(std::move(socket));
    TRY(netlink.prepare());
    return netlink;
}

Result<> Netlink::prepare() {
    const int on = 1;
    const int wish = 8 * 1024 * 1024;  // The kernel gives what net.core.wmem_max allows.
    ::setsockopt(socket_.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
    ::setsockopt(socket_.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDBUF, &wish, sizeof wish);
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVBUF, &wish, sizeof wish);
    int granted = 0;
    socklen_t size = sizeof granted;
    if (::getsockopt(socket_.get(), SOL_SOCKET, SO_SNDBUF, &granted, &size) < 0)
        return Error::from_errno("ask a netlink socket for its send buffer");
    send_limit_bytes_ = static_cast<size_t>(granted) - 64;  // The kernel keeps 32 for itself.
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    if (::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) < 0)
        return Error::from_errno("bind a netlink socket");
    return Ok{};
}

uint32_t Netlink::reserve_sequence(uint32_t count) {
    if (sequence_ > UINT32_MAX - count) sequence_ = 1;  // 0 would mean "nobody asked".
    return std::exchange(sequence_, sequence_ + count);
}

Result<> Netlink::send(std::string_view bytes) {
    sockaddr_nl kernel{};
    kernel.nl_family = AF_NETLINK;
    const ssize_t sent = ::sendto(socket_.get(), bytes.data(), bytes.size(), 0,
                                  reinterpret_cast<sockaddr*>(&kernel), sizeof kernel);
    if (sent < 0) return Error::from_errno(cat("send ", bytes.size(), " bytes to the kernel"));
    return Ok{};
}

Result<std::string_view> Netlink::receive(std::span<char> buffer) {
    for (;;) {
        const ssize_t size = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
        if (size >= 0) return std::string_view(buffer.data(), static_cast<size_t>(size));
        if (errno != EINTR) return Error::from_errno("receive from the kernel");
    }
}

Result<> Netlink::receive_until(const std::function<Waiting(const nlmsghdr&)>& visit) {
    // On the stack: most answers are short, so few of its pages are ever touched, and a socket of
    // its own for every pod costs no buffer.
    alignas(nlmsghdr) char buffer[kReceiveBytes];
    for (;;) {
        TRY_ASSIGN(const std::string_view answer, receive(buffer));
        auto left = static_cast<int>(answer.size());
        for (auto* message = reinterpret_cast<const nlmsghdr*>(answer.data());
             NLMSG_OK(message, left); message = NLMSG_NEXT(message, left))
            if (visit(*message) == Waiting::kDone) return Ok{};
    }
}

Result<> Netlink::ask(Request& request, const std::function<void(const nlmsghdr&)>& visit) {
    const uint32_t sequence = reserve_sequence();
    request.header().nlmsg_seq = sequence;
    TRY(send(request.data_));
    Result<> verdict = Ok{};
    TRY(receive_until([&](const nlmsghdr& message) {
        if (message.nlmsg_seq != sequence) return Waiting::kGoOn;
        if (message.nlmsg_type == NLMSG_ERROR)
            verdict = verdict_of(message).context(request.what_);
        else
            visit(message);
        return Waiting::kDone;
    }));
    return verdict;
}

Result<> Netlink::exchange(std::string_view messages, uint32_t first, uint32_t last,
                           uint32_t* failed) {
    TRY(send(messages));
    Result<> outcome = Ok{};
    TRY(receive_until([&](const nlmsghdr& message) {
        // Answers to an earlier transaction that failed may still lie in the queue.
        const bool ours = message.nlmsg_seq - first <= last - first;
        if (message.nlmsg_type != NLMSG_ERROR || !ours) return Waiting::kGoOn;
        auto verdict = verdict_of(message);
        const bool ends = message.nlmsg_seq == last || (!verdict && message.nlmsg_seq == first);
        if (!verdict && outcome) {
            *failed = message.nlmsg_seq;
            outcome = std::move(verdict);
        }
        return ends ? Waiting::kDone : Waiting::kGoOn;
    }));
    return outcome;
}

Result<> Netlink::talk(Request& request) { return talk(std::span<Request>(&request, 1)); }

Result<> Netlink::talk(std::span<Request> requests) {
    Result<> first = Ok{};
    while (!requests.empty()) {
        size_t count = 0;
        size_t bytes = 0;
        while (count < requests.size() && (count == 0 || bytes < kBatchBytes))
            bytes += requests[count++].data_.size();
        auto done = talk_once(requests.first(count));
        if (!done && first) first = std::move(done);
        requests = requests.subspan(count);
    }
    return first;
}

Result<> Netlink::talk_once(std::span<Request> requests) {
    const uint32_t start = reserve_sequence(static_cast<uint32_t>(requests.size()));
    const auto last = static_cast<uint32_t>(start + requests.size() - 1);
    std::string all;
    for (size_t index = 0; index < requests.size(); ++index) {
        Request& request = requests[index];
        request.header().nlmsg_seq = static_cast<uint32_t>(start + index);
        if (index + 1 == requests.size()) request.header().nlmsg_flags |= NLM_F_ACK;
        all += request.data_;
        log_debug("netlink", request.what_);
    }
    TRY(send(all));
    // Every failed request is answered, the others only if they asked: the last one always is.
    Result<> first = Ok{};
    TRY(receive_until([&](const nlmsghdr& message) {
        const uint32_t index = message.nlmsg_seq - start;
        if (message.nlmsg_type != NLMSG_ERROR || index >= requests.size()) return Waiting::kGoOn;
        auto verdict = verdict_of(message);
        const Request& request = requests[index];
        if (!verdict && first && !request.tolerates(verdict.error().error_number()))
            first = std::move(verdict).context(request.what_);
        return message.nlmsg_seq == last ? Waiting::kDone : Waiting::kGoOn;
    }));
    return first;
}

Result<> Netlink::dump(Request request, const std::function<void(const nlmsghdr&)>& visit) {
    const uint32_t sequence = reserve_sequence();
    request.header().nlmsg_seq = sequence;
    request.header().nlmsg_flags |= NLM_F_DUMP;
    TRY(send(request.data_));
    Result<> verdict = Ok{};
    TRY(receive_until([&](const nlmsghdr& message) {
        if (message.nlmsg_seq != sequence) return Waiting::kGoOn;
        if (message.nlmsg_type == NLMSG_DONE) return Waiting::kDone;
        if (message.nlmsg_type == NLMSG_ERROR) {
            verdict = verdict_of(message).context(request.what_);
            return Waiting::kDone;
        }
        visit(message);
        return Waiting::kGoOn;
    }));
    return verdict;
}

}  // namespace kin
