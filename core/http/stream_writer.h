#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/http/message.h"
#include "core/http/upgraded.h"

namespace kin::http {

/// A response whose body grows: watches, log follows. What is written within one turn of the loop
/// goes out as one chunk, at the end of that turn.
///
/// Made by Responder::stream() on a worker; start() then gives it to a Loop's thread, to which it
/// belongs from there on. Destroying it without finish() cuts the connection, by which the client
/// sees that the stream broke off.
class StreamWriter {
public:
    struct Limits {
        /// A client that reads too slowly is cut off when more than this waits for it.
        size_t max_queued_bytes = 8u << 20;
    };
    /// kUntilClose for HTTP/1.0 clients; kNoBody answers HEAD: what is written is dropped.
    enum class Framing { kChunked, kUntilClose, kNoBody };

    StreamWriter(std::unique_ptr<Upgraded> connection, Framing framing);
    ~StreamWriter();

    /// Begins to send on `loop`. `on_closed` is called once when the client is gone or too slow;
    /// not after finish(), and not after destruction. On the loop's thread.
    void start(Loop& loop, Limits limits, std::function<void(const std::string& why)> on_closed);
    /// Sends `bytes` after all before. False once the stream is closed; the caller stops then.
    bool write(Bytes bytes);
    size_t queued_bytes() const;
    /// Called each time all that was written has been taken by the kernel: for producers that
    /// wait for room (logs).
    void on_drained(std::function<void()> drained);
    /// Ends the response in order and closes the connection once everything is sent. This object
    /// may be destroyed right afterwards.
    void finish();

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace kin::http
