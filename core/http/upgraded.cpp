#include "core/http/upgraded.h"

#include "core/base/assert.h"
#include "core/http/output_queue.h"
#include "core/http/transport.h"
#include "core/loop/loop.h"

namespace kin::http {

using Kind = Transport::Outcome::Kind;
using Wait = Transport::Outcome::Wait;

namespace {
constexpr std::chrono::milliseconds kLingerTimeout{2000};
constexpr size_t kDrainLimit = 64u << 20;
}  // namespace

/// Shared with callbacks that are running, so that an event may destroy the Upgraded.
struct Upgraded::State : std::enable_shared_from_this<Upgraded::State> {
    State(std::unique_ptr<Transport> transport_, std::string received)
        : transport(std::move(transport_)), already_read(std::move(received)) {}

    /// kClosing: what is queued is still written; kLingering: the peer has been told that it was
    /// all, and what it still sends is dropped.
    enum class Phase { kOpen, kClosing, kLingering, kClosed };

    void on_events(int ready) {
        // Not asked for anything to read: then it is a hangup, or an error, which libuv reports
        // once. Otherwise a peer that left would stay unnoticed as long as nobody reads.
        const int gone = Readiness::kHangup | (Readiness::kReadable & ~armed);
        if (phase == Phase::kOpen && paused && (ready & gone) != 0) return end("the peer left");
        on_ready();
    }

    void on_ready() {
        if (phase == Phase::kOpen && !paused) read_some();
        if (phase == Phase::kOpen || phase == Phase::kClosing) write_some();
        if (phase == Phase::kLingering) drop_some();
        if (phase != Phase::kClosed) rearm();
    }

    /// Reads a bounded amount, so that one fast peer does not hold up the loop.
    void read_some() {
        if (!already_read.empty()) {
            const std::string first = std::exchange(already_read, {});
            tell_data(first);
        }
        char buffer[32u << 10];
        read_waits_to_write = false;
        for (int turn = 0; turn < 8 && phase == Phase::kOpen && !paused; ++turn) {
            const auto outcome = transport->read(buffer, sizeof buffer);
            if (outcome.kind == Kind::kBlocked) {
                read_waits_to_write = outcome.wait == Wait::kWritable;
                more_to_read = false;
                return;
            }
            if (outcome.kind == Kind::kEnd) return end("");
            if (outcome.kind == Kind::kFailed) return end("the connection failed");
            more_to_read = true;  // TLS may hold bytes that the socket does not show any more.
            tell_data({buffer, outcome.bytes});
        }
    }

    // Each event runs on a reference of its own: it may close this, which drops `events`.
    void tell_data(std::string_view bytes) {
        const auto current = events;
        current->on_data(bytes);
    }
    void tell_drained() {
        const auto current = events;
        if (current->on_drained) current->on_drained();
    }

    void write_some() {
        if (output.empty() && phase == Phase::kOpen) return;
        const auto outcome = output.flush(*transport);
        if (outcome.kind == Kind::kFailed) return end("the connection failed");
        write_waits_to_read = outcome.kind == Kind::kBlocked && outcome.wait == Wait::kReadable;
        if (!output.empty()) return;
        if (phase == Phase::kOpen) return tell_drained();
        transport->shutdown_write();
        phase = Phase::kLingering;
        patience = loop->after(kLingerTimeout, [this] {
            const auto keep = shared_from_this();
            end("");
        });
    }

    /// Closing with unread bytes would reset the connection, and the peer might never see the last
    /// that was sent.
    void drop_some() {
        char buffer[32u << 10];
        more_to_read = false;
        for (int turn = 0; turn < 8; ++turn) {
            const auto outcome = transport->read(buffer, sizeof buffer);
            if (outcome.kind == Kind::kBlocked) return;
            dropped_bytes += outcome.bytes;
            if (outcome.kind != Kind::kDone || dropped_bytes > kDrainLimit) return end("");
        }
        more_to_read = true;
    }

    void rearm() {
        if (!loop) return;
        const bool reads = (phase == Phase::kOpen && !paused) || phase == Phase::kLingering;
        int wanted = reads ? Readiness::kReadable : 0;
        if (phase == Phase::kOpen && paused) wanted |= Readiness::kHangup;
        if (!output.empty() || read_waits_to_write) wanted |= Readiness::kWritable;
        if (write_waits_to_read) wanted |= Readiness::kReadable;
        if (wanted != armed) watch.set(armed = wanted);
        const bool unread = more_to_read || !already_read.empty();
        if (unread && reads) run_soon();
    }

    void run_soon() {
        if (soon.active()) return;
        soon = loop->after(std::chrono::milliseconds(0), [this] {
            const auto keep = shared_from_this();
            on_ready();
        });
    }

    void end(const std::string& why) {
        if (phase == Phase::kClosed) return;
        const auto current = std::move(events);
        close();
        if (current && current->on_closed) current->on_closed(why);
    }

    void close() {
        phase = Phase::kClosed;
        events.reset();
        watch = Watch();
        soon = Timer();
        patience = Timer();
        transport.reset();
    }

    std::unique_ptr<Transport> transport;
    std::string already_read;
    OutputQueue output;
    std::shared_ptr<const Events> events;
    Loop* loop = nullptr;
    Phase phase = Phase::kOpen;
    bool paused = false;
    bool more_to_read = false;
    size_t dropped_bytes = 0;
    bool read_waits_to_write = false;
    bool write_waits_to_read = false;
    int armed = 0;
    Watch watch;
    Timer soon;
    Timer patience;
};

Upgraded::Upgraded(std::unique_ptr<Transport> transport, std::string already_read)
    : state_(std::make_shared<State>(std::move(transport), std::move(already_read))) {}

Upgraded::~Upgraded() { state_->close(); }

void Upgraded::start(Loop& loop, Events events) {
    KIN_ASSERT(loop.on_thread() && !state_->loop && events.on_data);
    state_->loop = &loop;
    state_->events = std::make_shared<const Events>(std::move(events));
    State* const state = state_.get();
    state->armed = Readiness::kReadable;
    state->watch = loop.watch(state->transport->fd(), state->armed, [state](int ready) {
        const auto keep = state->shared_from_this();
        state->on_events(ready);
    });
    state->run_soon();  // For what was already read, and what was queued on the way here.
}

bool Upgraded::write(Bytes bytes) {
    if (state_->phase != State::Phase::kOpen) return false;
    const bool was_empty = state_->output.empty();
    state_->output.push(std::move(bytes));
    if (state_->loop && was_empty) state_->run_soon();
    return true;
}

size_t Upgraded::queued_bytes() const { return state_->output.size(); }

void Upgraded::pause_reading() {
    state_->paused = true;
    if (state_->phase == State::Phase::kOpen) state_->rearm();
}

void Upgraded::resume_reading() {
    state_->paused = false;
    if (state_->phase == State::Phase::kOpen) state_->rearm();
}

void Upgraded::close_after_writing(int patience_ms) {
    State& state = *state_;
    if (state.phase != State::Phase::kOpen) return;
    state.phase = State::Phase::kClosing;
    state.already_read.clear();
    KIN_ASSERT(state.loop);
    state.patience = state.loop->after(std::chrono::milliseconds(patience_ms), [&state] {
        const auto keep = state.shared_from_this();
        state.end("the peer did not take what was left");
    });
    state.run_soon();
}

void Upgraded::close() { state_->close(); }

bool Upgraded::open() const { return state_->phase == State::Phase::kOpen; }

}  // namespace kin::http
