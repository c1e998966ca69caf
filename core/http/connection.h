#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/http/chunked.h"
#include "core/http/codec.h"
#include "core/http/output_queue.h"
#include "core/http/server.h"
#include "core/http/transport.h"

namespace kin::http {

/// One connection of the server, as a machine that never waits: advance() does what can be done
/// now and says what to wait for. Used by one worker at a time.
class Connection {
public:
    enum class Next { kWaitReadable, kWaitWritable, kClose, kHandedOver };

    /// What all connections of a server share; outlives them.
    struct Surroundings {
        Server::Options options;
        Server::Handler handler;
        /// Stops the server from waiting for a descriptor, before another thread gets it.
        std::function<void(int fd)> forget;

        Response refusal(int status, std::string_view why) const;
    };

    Connection(std::unique_ptr<Transport> transport, Peer peer, const Surroundings& surroundings);

    Next advance(Codec& codec);
    /// How long to wait at most, after advance().
    std::chrono::milliseconds patience() const;
    int fd() const { return fd_; }

private:
    friend class Responder;
    enum class Phase { kHandshake, kServing, kLingering };
    enum class Step { kIncomplete, kReady, kAgain };

    std::optional<Next> shake_hands();
    Step take_request();
    std::optional<Step> take_head();
    Step take_body();
    Step refuse(const Refusal& refusal);
    void serve(Codec& codec);
    void begin_next_request();
    std::optional<Next> read();
    Next linger();
    std::unique_ptr<Upgraded> hand_over();

    const Surroundings& surroundings_;
    std::unique_ptr<Transport> transport_;  // Null once handed over.
    const int fd_;
    const Peer peer_;
    Phase phase_;
    std::string received_;
    OutputQueue output_;
    bool last_ = false;   // No further request is read.
    bool drain_ = false;  // The client may still be sending what was refused.
    size_t drained_bytes_ = 0;

    // The request being received or served.
    std::string head_text_;
    std::optional<RequestHead> head_;  // Points into head_text_.
    Request request_;
    ChunkedDecoder chunks_;
    std::chrono::steady_clock::time_point started_{};  // Of its head, then of its body.
    std::optional<Response> response_;
};

}  // namespace kin::http
