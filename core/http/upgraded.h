#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/http/message.h"

namespace kin {
class Loop;
}

namespace kin::http {

class Transport;

/// A connection that has left HTTP: an owned, non-blocking stream of bytes, TLS inside.
///
/// Made by a Responder on a worker; then it belongs to the thread of the Loop given to start(),
/// where it must also be destroyed. Bytes that the client sent right behind its request are
/// delivered first. Destroying it closes the connection at once, written or not, and may happen
/// inside its own events.
class Upgraded {
public:
    struct Events {
        /// Bytes arrived; valid during the call only.
        std::function<void(std::string_view)> on_data = {};
        /// Everything written has been handed to the kernel.
        std::function<void()> on_drained = {};
        /// The peer closed, or the connection failed; nothing more happens. Called at most once,
        /// and not after close(). "" says that it ended in order.
        std::function<void(const std::string& why)> on_closed = {};
    };

    Upgraded(std::unique_ptr<Transport> transport, std::string already_read);
    ~Upgraded();
    Upgraded(const Upgraded&) = delete;
    Upgraded& operator=(const Upgraded&) = delete;

    /// Begins to read and write on `loop`, which must outlive this. On the loop's thread. Events
    /// come from the loop's next turn on.
    void start(Loop& loop, Events events);
    /// Queues bytes, before start() too. Returns false, and queues nothing, once the connection
    /// is closed. The caller bounds the queue by queued_bytes() and on_drained.
    bool write(Bytes bytes);
    /// Written but not yet taken by the kernel.
    size_t queued_bytes() const;
    /// No on_data until resume_reading(); TCP then slows the peer down. A peer that closes
    /// meanwhile has left: on_closed is called, and what it sent before is lost.
    void pause_reading();
    void resume_reading();
    /// Sends what is queued, then closes in order; gives up after `patience_ms`. What still
    /// arrives is dropped until the peer closes too, for at most 2 s more; then on_closed is
    /// called.
    void close_after_writing(int patience_ms = 5000);
    /// Closes now.
    void close();
    bool open() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace kin::http
