#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "apiserver/forwarded_connection.h"
#include "apiserver/spdy_session.h"
#include "core/http/websocket.h"

namespace kin::apiserver {

/// `kubectl port-forward`: one SPDY session in which every forwarded connection is a pair of
/// streams, `data` and `error`, with the same request id. Owned by the loop's thread.
class PortForward {
public:
    /// `ended` is called once, when the client is gone; it may destroy this later, not at once.
    PortForward(Loop& loop, std::unique_ptr<spdy::Session> session, std::function<void()> ended);

    void start(PodAccess& pods, const ObjectKey& pod);

private:
    struct Pair {
        uint16_t port = 0;
        spdy::StreamId data = 0, error = 0;
        std::shared_ptr<ForwardedConnection> connection;
    };
    using Pairs = std::map<std::string, Pair>;

    void open(const spdy::Opened& opened);
    void connect(const std::string& id, Pair& pair);
    void from_client(spdy::StreamId stream, std::string_view bytes);
    void end_of(spdy::StreamId stream);
    void cut(spdy::StreamId stream);
    void fail(const std::string& id, const std::string& why);
    void from_pod(const Pair& pair, std::string_view bytes);
    void end_of_pod(const std::string& id);
    void forget_if_done(const std::string& id);
    Pairs::iterator find(spdy::StreamId data_stream);

    Loop& loop_;
    const std::unique_ptr<spdy::Session> session_;
    const std::function<void()> ended_;
    PodAccess* pods_ = nullptr;
    ObjectKey pod_;
    Pairs pairs_;                                // By request id.
    std::map<spdy::StreamId, std::string> ids_;  // Of the data streams.
};

/// The JavaScript client's way: one WebSocket, `?ports=80&ports=81`; port i has the channels 2i
/// (data) and 2i + 1 (errors). Owned by the loop's thread.
class ChannelPortForward {
public:
    ChannelPortForward(Loop& loop, std::unique_ptr<http::WebSocket> socket,
                       std::vector<uint16_t> ports, std::function<void()> ended);

    void start(PodAccess& pods, const ObjectKey& pod);

private:
    void from_client(std::string_view message);
    void send(size_t channel, std::string_view bytes);
    void end_of(size_t index);

    Loop& loop_;
    const std::unique_ptr<http::WebSocket> socket_;
    const std::vector<uint16_t> ports_;
    const std::function<void()> ended_;
    std::vector<std::shared_ptr<ForwardedConnection>> connections_;
    size_t ended_count_ = 0;
};

}  // namespace kin::apiserver
