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
/// An endpoint that cannot be reached is replaced by another, as long as the request can still be
/// sent whole: nothing of it has been taken, or doing it twice does no harm and no body has gone.
class Exchange {
public:
    static constexpr size_t kHighWater = 64u << 10;

    /// The client's side of it. All outlive the exchange.
    struct Client {
        Stream& stream;
        std::string& received;  ///< Read from the stream and not yet used.
        const ProxyRequest& request;
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
    /// The endpoint is gone before it said anything.
    void lost();
    void next_endpoint(int status);
    void fail(int status);
    /// Notes what this endpoint gave.
    void end_try();

    bool send_request();
    bool send_body();
    bool receive_response();
    void received(std::string_view bytes);
    void received_head(std::string& held, std::string_view& bytes);
    void use_head(const ResponseHead& head);
    void upstream_ended(bool in_order);
    void finish();
    Body::Step forward(Body& body, std::string_view& bytes, Stream& to);
    void touch();
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
    bool body_begun_ = false;     // Bytes of the body have left for an endpoint.
    bool request_cut_ = false;    // The endpoint takes no more of the request.
    bool half_closed_ = false;    // The tunnel's client has ended its half.
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
