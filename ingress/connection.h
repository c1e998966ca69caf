#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "ingress/exchange.h"

namespace kin::ingress {

/// A client's connection: its requests one behind the other, pipelined ones answered in order.
/// Owned by the data loop.
class Connection {
public:
    using List = std::list<std::unique_ptr<Connection>>;

    Connection(Site& site, Door door, UniqueFd fd, http::SslPtr ssl, std::string address);

    /// Begins; `self` is where `list` keeps this connection, and what it leaves when it is over.
    void start(List& list, List::iterator self);
    /// Does all that can be done now. May end this object.
    void turn();
    /// Looks at the clock. May end this object.
    void check(std::chrono::steady_clock::time_point now);
    /// Ends when it is idle, else after the present request. May end this object.
    void drain();
    /// Neither serving a request nor receiving one.
    bool idle() const { return phase_ == Phase::kRequest && received_.empty(); }

private:
    enum class Phase { kHandshake, kRequest, kExchange, kClosing, kLingering, kOver };
    /// kAgain: look at the phase again. kWait: nothing to do until something happens.
    enum class Step { kAgain, kWait };

    Step step();
    Step shake_hands();
    Step take_request();
    Step read_more();
    void serve();
    void answer(int status, const std::string& redirect, bool keep_alive);
    void answer_status();
    Step exchange();
    void request_over(bool keep_alive);
    void linger();
    bool said_all() const;
    void enter(Phase phase, std::chrono::milliseconds patience);
    void remember_request();
    void rearm();

    Site& site_;
    const Door door_;
    const std::string address_;
    List* list_ = nullptr;
    List::iterator self_;

    Phase phase_ = Phase::kRequest;
    bool turning_ = false;
    bool spoken_ = false;  // TLS: the client has said something.
    bool silent_ = false;  // The client said that its last request was its last, and it has ended.
    std::chrono::steady_clock::time_point deadline_;
    std::string received_;
    Stream stream_;

    // The request that is being served.
    std::string head_text_;
    std::optional<ProxyRequest> request_;  // Points into head_text_.
    std::shared_ptr<const RouteTable> routes_;
    std::string request_id_;
    AccessRecord record_;
    std::unique_ptr<Exchange> exchange_;
};

}  // namespace kin::ingress
