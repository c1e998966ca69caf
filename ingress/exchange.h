#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "core/base/lifetime.h"
#include "ingress/body.h"
#include "ingress/decision.h"
#include "ingress/response_head.h"
#include "ingress/site.h"
#include "ingress/stream.h"

namespace kin::ingress {

/// One request on its way to an endpoint, and the response on its way back: both stream, and
/// whoever is slow slows the other down. What waits for either side is at most kHighWater and one
/// read.
///
/// An endpoint that cannot be reached, or is lost before it says anything, is replaced by another,
/// as long as what has gone of the body is still here (kKeptBody) and the request either cannot
/// have been read or does no harm when it is done twice (RFC 9110 section 9.2.2). It cannot have
/// been read if no byte of it has been sent, or none acknowledged: a kernel acknowledges the first
/// data of a connection before anybody can read it, and the end of a connection, which comes with
/// an acknowledgement of all that was there before. A reset tells neither on a connection that has
/// carried requests before, because there the kernel takes its time to acknowledge.
///
/// A client that ends its half gets its answer only if some of it comes within kPatienceWithEnded;
/// it cannot be told from one that has gone.
class Exchange {
public:
    static constexpr size_t kHighWater = 64u << 10;
    static constexpr size_t kKeptBody = 16u << 10;
    static constexpr std::chrono::milliseconds kPatienceWithEnded{1'000};

    /// The client's side of it. All outlive the exchange.
    struct Client {
        Stream& stream;
        std::string& received;  ///< Read from the stream and not yet used.
        const ProxyRequest& request;
        Door door;
        AccessRecord& record;
    };
    /// `wake`: call pump(), from the loop. It must not end this object before it returns to it.
    Exchange(Site& site, Client client, const Decision& decision, std::string head,
             std::function<void()> wake);
    ~Exchange();

    enum class State {
        kRunning,
        kDone,    ///< The response has been sent or waits in the client's stream.
        kAnswer,  ///< It failed before the client was told anything: answer with status().
        kBroken   ///< It failed half-way: only closing tells the client.
    };
    /// Moves what can be moved now.
    State pump();
    State state() const { return state_; }
    int status() const { return status_; }
    /// After kDone or kAnswer: the client may send its next request.
    bool client_stays() const { return client_stays_; }
    /// All of the request has been taken from the client.
    bool request_ended() const { return request_body_.done(); }
    bool wants_client_input() const;

    std::chrono::steady_clock::time_point deadline() const { return deadline_; }
    void on_deadline();
    /// Last in a turn.
    void rearm();
    bool is_tunnel() const { return tunnel_; }

private:
    using Try = AccessRecord::Try;

    void begin_try();
    void attach(std::unique_ptr<UpstreamConnection> connection);
    /// The endpoint is gone before it said anything; `in_order`: it has closed.
    void lost(bool in_order);
    /// Nobody at the other end can have read any of the request.
    bool unread(bool in_order) const;
    void next_endpoint(int status);
    void fail(int status);
    /// Notes what this endpoint gave.
    void end_try();

    bool send_request();
    bool send_body();
    bool watch_client();
    bool watches_client() const;
    void keep(std::string_view sent);
    bool receive_response();
    void received(std::string_view bytes);
    void received_head(std::string& held, std::string_view& bytes);
    void use_head(const ResponseHead& head);
    void upstream_ended(bool in_order);
    void finish();
    Body::Step forward(Body& body, std::string_view& bytes, Stream& to);
    void allow(std::chrono::milliseconds time);
    void touch() { allow(location_.options.read_timeout); }
    Try& this_try() { return client_.record.tries.back(); }

    Site& site_;
    Client client_;
    const Location& location_;
    const std::string head_;  // As it goes to the endpoint.
    const std::function<void()> wake_;

    std::unique_ptr<UpstreamConnection> upstream_;
    size_t turn_ = 0, tries_ = 0;
    bool fresh_ = false;          // A warm connection was dead: no more of those.
    bool owes_continue_ = false;  // The client waits for a word before it sends its body.
    bool head_queued_ = false;    // On this connection.
    std::string sent_body_;       // What of the body has left for an endpoint, as long as...
    bool body_kept_ = true;       // ...all of it is here.
    bool request_cut_ = false;    // The endpoint takes no more of the request.
    bool half_closed_ = false;    // The tunnel's client has ended its half.
    bool client_ended_ = false;   // The client of a request has.
    Body request_body_;

    std::string response_text_;  // A head that is not complete.
    bool response_begun_ = false;
    bool endpoint_stays_ = false;
    bool tunnel_ = false;
    Body response_body_;

    State state_ = State::kRunning;
    int status_ = 0;
    bool client_stays_ = false;
    std::chrono::steady_clock::time_point deadline_;
    Timer again_;
    Lifetime lifetime_;
};

}  // namespace kin::ingress
