#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/ip.h"
#include "core/base/result.h"
#include "core/base/unique_fd.h"
#include "core/loop/loop.h"

namespace kin::netns {

/// Carries datagrams between the clients of one socket and a server that only sockets of another
/// namespace reach: every client has a socket of its own there, so that answers find back and the
/// server tells clients apart. What comes while that socket is made waits, up to 16 datagrams; a
/// client that is quiet for a minute is forgotten. On the loop's thread.
class DatagramRelay {
public:
    /// Makes a socket connected to the server, on whatever thread, and answers on the loop.
    using Answer = std::function<void(Result<UniqueFd>)>;
    using Connect = std::function<void(Answer)>;
    /// `door` is bound to where clients send.
    DatagramRelay(Loop& loop, UniqueFd door, Connect connect);
    DatagramRelay(const DatagramRelay&) = delete;
    DatagramRelay& operator=(const DatagramRelay&) = delete;

    /// The server has moved: every client gets a new socket with its next datagram.
    void forget_clients() { flows_.clear(); }

private:
    using Client = std::pair<Ipv4, uint16_t>;
    struct Flow {
        UniqueFd server;                   ///< Invalid while it is made.
        std::vector<std::string> waiting;  ///< For that time.
        std::chrono::steady_clock::time_point last;
        Watch watch;
    };

    void on_datagram();
    void begin(const Client& client, std::string first);
    void join(const Client& client, Flow& flow, UniqueFd server);
    void answer(const Client& client, Flow& flow);
    void forget_quiet();

    Loop& loop_;
    const UniqueFd door_;
    const Connect connect_;
    std::map<Client, std::shared_ptr<Flow>> flows_;
    Timer quiet_;
    Watch watch_;  // Last: it uses the door.
};

}  // namespace kin::netns
