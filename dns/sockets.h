#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>

#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "core/loop/loop.h"
#include "dns/counters.h"

namespace kin::dns {

/// What the sockets of one pod answer from: the zone of the moment; and what they count. Owned by
/// the data loop.
struct Source {
    std::shared_ptr<const Zone> zone;
    uint32_t turn = 0;
    Counters counters;
};

/// Two sockets of one address and port: of such, the one bound last gets what comes. Answers leave
/// by the other one, because for each datagram that leaves the kernel goes through those who watch
/// its socket, as our loop does: 0.2 us.
struct UdpPair {
    UniqueFd sender, receiver;

    /// `open` gives a socket bound to the address with SO_REUSEADDR.
    template <class F>
    static Result<UdpPair> open(F&& open) {
        UdpPair pair;
        TRY_ASSIGN(pair.sender, open());
        TRY_ASSIGN(pair.receiver, open());
        return pair;
    }
};

/// Answers the datagrams of one address, up to 64 at a time. Owned by the data loop.
class UdpSocket {
public:
    UdpSocket(Loop& loop, Source& source, UdpPair sockets);
    ~UdpSocket();

private:
    struct Batch;
    void serve();
    /// How many datagrams there were.
    size_t serve_batch();

    Source& source_;
    UdpPair sockets_;
    std::unique_ptr<Batch> batch_;
    Watch watch_;
};

/// Takes whole questions off the front of `input`, appends the answers to `out`, gives the bytes
/// taken.
using AnswerStream = size_t (*)(Source& source, std::string_view input, std::string& out);
/// Messages of DNS, each behind its length.
size_t answer_dns_stream(Source& source, std::string_view input, std::string& out);
/// HTTP requests for the counters.
size_t answer_metrics_stream(Source& source, std::string_view input, std::string& out);

/// Accepts on one socket and answers what its connections ask: several questions at once, in
/// order. A connection that asks nothing for a while is closed, and when there are too many the one
/// that has been silent for longest. Owned by the data loop.
class TcpSocket {
public:
    struct Limits {
        std::chrono::milliseconds idle{5000};
        size_t connections = 128;
    };
    TcpSocket(Loop& loop, Source& source, UniqueFd listener,
              AnswerStream answer = answer_dns_stream)
        : TcpSocket(loop, source, std::move(listener), Limits{}, answer) {}
    TcpSocket(Loop& loop, Source& source, UniqueFd listener, Limits limits,
              AnswerStream answer = answer_dns_stream);
    ~TcpSocket();

private:
    class Connection;
    void accept_all();

    Loop& loop_;
    Source& source_;
    UniqueFd listener_;
    const Limits limits_;
    const AnswerStream answer_;
    std::list<std::unique_ptr<Connection>> connections_;  // The longest silent first.
    Watch watch_;
    Timer later_;
};

}  // namespace kin::dns
