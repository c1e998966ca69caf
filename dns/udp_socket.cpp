#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <utility>

#include "dns/sockets.h"

namespace kin::dns {

namespace {
constexpr size_t kBatch = 64;
constexpr int kMaxRounds = 8;
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
    std::array<std::string_view, kBatch> queries;
    std::array<mmsghdr, kBatch> incoming{};
    std::array<mmsghdr, kBatch> outgoing{};

    Batch() {
        for (size_t i = 0; i < kBatch; ++i) {
            Slot& slot = slots[i];
            slot.in = {slot.query.data(), slot.query.size()};
            msghdr& in = incoming[i].msg_hdr;
            in.msg_name = &slot.from;
            in.msg_namelen = sizeof slot.from;
            in.msg_iov = &slot.in;
            in.msg_iovlen = 1;
            outgoing[i].msg_hdr.msg_iovlen = 1;
        }
    }
};

UdpSocket::UdpSocket(Loop& loop, Source& source, UdpPair sockets)
    : source_(source),
      sockets_(std::move(sockets)),
      batch_(std::make_unique<Batch>()),
      watch_(loop.watch(sockets_.receiver.get(), Readiness::kReadable, [this](int) { serve(); })) {}

UdpSocket::~UdpSocket() = default;

void UdpSocket::serve() {
    // More may have come meanwhile, and asking for it at once spares the loop a turn; but others
    // wait on this loop, too.
    for (int round = 0; round < kMaxRounds && serve_batch() > 1; ++round) {
    }
}

size_t UdpSocket::serve_batch() {
    Batch& batch = *batch_;
    const int received =
        ::recvmmsg(sockets_.receiver.get(), batch.incoming.data(), kBatch, MSG_DONTWAIT, nullptr);
    // An error (such as an answer refused by a closed port) is read by this very call; go on.
    if (received <= 0) return 0;
    const auto count = static_cast<size_t>(received);
    for (size_t i = 0; i < count; ++i) {
        batch.queries[i] = {batch.slots[i].query.data(), batch.incoming[i].msg_len};
    }
    if (count > 1) expect(*source_.zone, std::span(batch.queries).first(count));
    unsigned answers = 0;
    for (size_t i = 0; i < count; ++i) {
        Batch::Slot& slot = batch.slots[i];
        msghdr& in = batch.incoming[i].msg_hdr;
        const std::string_view query = batch.queries[i];
        const socklen_t from_length = std::exchange(in.msg_namelen, sizeof slot.from);
        if ((in.msg_flags & MSG_TRUNC) != 0) continue;
        if (!reply(*source_.zone, query, Transport::kUdp, source_.turn++, slot.reply)) continue;
        source_.counters.note(query, slot.reply, Transport::kUdp);
        slot.out = {slot.reply.data(), slot.reply.size()};
        msghdr& out = batch.outgoing[answers++].msg_hdr;
        out.msg_name = &slot.from;
        out.msg_namelen = from_length;
        out.msg_iov = &slot.out;
    }
    unsigned sent = 0;
    while (sent < answers) {
        const int taken = ::sendmmsg(sockets_.sender.get(), batch.outgoing.data() + sent,
                                     answers - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        // One that cannot be sent is lost, as datagrams are; the asker repeats the question.
        sent += taken > 0 ? static_cast<unsigned>(taken) : 1;
    }
    return count;
}

}  // namespace kin::dns
