#include <netinet/in.h>
#include <sys/socket.h>

#include <array>

#include "dns/sockets.h"

namespace kin::dns {

namespace {
constexpr size_t kBatch = 64;
// Longer questions do not exist: one name, one OPT with options.
constexpr size_t kMaxQuery = 1232;
}  // namespace

struct UdpSocket::Batch {
    struct Slot {
        std::array<char, kMaxQuery> query;
        sockaddr_storage from;
        iovec in, out;
        std::string reply;
    };
    std::array<Slot, kBatch> slots;
    std::array<mmsghdr, kBatch> incoming;
    std::array<mmsghdr, kBatch> outgoing;

    void reset() {
        for (size_t i = 0; i < kBatch; ++i) {
            Slot& slot = slots[i];
            slot.in = {slot.query.data(), slot.query.size()};
            incoming[i] = {};
            incoming[i].msg_hdr.msg_name = &slot.from;
            incoming[i].msg_hdr.msg_namelen = sizeof slot.from;
            incoming[i].msg_hdr.msg_iov = &slot.in;
            incoming[i].msg_hdr.msg_iovlen = 1;
        }
    }
};

UdpSocket::UdpSocket(Loop& loop, Source& source, UniqueFd fd)
    : source_(source),
      fd_(std::move(fd)),
      batch_(std::make_unique<Batch>()),
      watch_(loop.watch(fd_.get(), Readiness::kReadable, [this](int) { serve(); })) {}

UdpSocket::~UdpSocket() = default;

void UdpSocket::serve() {
    batch_->reset();
    const int received =
        ::recvmmsg(fd_.get(), batch_->incoming.data(), kBatch, MSG_DONTWAIT, nullptr);
    // An error (such as an answer refused by a closed port) is read by this very call; go on.
    if (received <= 0) return;
    unsigned answers = 0;
    for (size_t i = 0; i < static_cast<size_t>(received); ++i) {
        Batch::Slot& slot = batch_->slots[i];
        const mmsghdr& in = batch_->incoming[i];
        if ((in.msg_hdr.msg_flags & MSG_TRUNC) != 0) continue;
        if (!reply(*source_.zone, {slot.query.data(), in.msg_len}, Transport::kUdp, source_.turn++,
                   slot.reply)) {
            continue;
        }
        source_.counters.note({slot.query.data(), in.msg_len}, slot.reply, Transport::kUdp);
        slot.out = {slot.reply.data(), slot.reply.size()};
        mmsghdr& out = batch_->outgoing[answers++] = {};
        out.msg_hdr.msg_name = &slot.from;
        out.msg_hdr.msg_namelen = in.msg_hdr.msg_namelen;
        out.msg_hdr.msg_iov = &slot.out;
        out.msg_hdr.msg_iovlen = 1;
    }
    unsigned sent = 0;
    while (sent < answers) {
        const int count = ::sendmmsg(fd_.get(), batch_->outgoing.data() + sent, answers - sent,
                                     MSG_DONTWAIT | MSG_NOSIGNAL);
        // One that cannot be sent is lost, as datagrams are; the asker repeats the question.
        sent += count > 0 ? static_cast<unsigned>(count) : 1;
    }
}

}  // namespace kin::dns
