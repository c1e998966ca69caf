#include "core/http/stream_writer.h"

#include "core/base/assert.h"
#include "core/http/chunked.h"
#include "core/loop/loop.h"

namespace kin::http {

/// Outlives its StreamWriter while a finished response is still being sent.
struct StreamWriter::State : std::enable_shared_from_this<StreamWriter::State> {
    std::unique_ptr<Upgraded> connection;
    Framing framing = Framing::kChunked;
    Limits limits;
    std::function<void(const std::string&)> on_closed;
    std::function<void()> drained;
    std::vector<Bytes> turn;  // Written in this turn of the loop, not yet framed.
    size_t turn_bytes = 0;
    Loop* loop = nullptr;
    Timer flush_timer;
    std::shared_ptr<State> self;  // Set while finishing.

    void flush_turn() {
        if (turn_bytes == 0) return;
        if (connection->queued_bytes() + turn_bytes > limits.max_queued_bytes)
            return end("the client reads too slowly");
        if (framing == Framing::kChunked) connection->write(chunk_head(turn_bytes));
        for (Bytes& bytes : turn) connection->write(std::move(bytes));
        if (framing == Framing::kChunked) connection->write("\r\n");
        turn.clear();
        turn_bytes = 0;
    }

    void end(const std::string& why) {
        const auto keep = shared_from_this();
        connection->close();
        self.reset();
        if (const auto closed = std::exchange(on_closed, nullptr)) closed(why);
    }
};

StreamWriter::StreamWriter(std::unique_ptr<Upgraded> connection, Framing framing)
    : state_(std::make_shared<State>()) {
    state_->connection = std::move(connection);
    state_->framing = framing;
}

StreamWriter::~StreamWriter() {
    if (state_->self) return;  // Finishing: the rest is sent without us.
    state_->on_closed = nullptr;
    state_->flush_timer = Timer();
    state_->connection->close();
}

void StreamWriter::start(Loop& loop, Limits limits,
                         std::function<void(const std::string& why)> on_closed) {
    State* const state = state_.get();
    state->loop = &loop;
    state->limits = limits;
    state->on_closed = std::move(on_closed);
    state->connection->start(
        loop, {.on_data = [](std::string_view) {},  // Pipelined requests are not answered any more.
               .on_drained =
                   [state] {
                       const auto drained = state->drained;
                       if (drained && state->turn_bytes == 0) drained();
                   },
               .on_closed = [state](const std::string& why) { state->end(why); }});
    state->flush_turn();
}

bool StreamWriter::write(Bytes bytes) {
    State& state = *state_;
    if (!state.connection->open()) return false;
    if (bytes.size() == 0 || state.framing == Framing::kNoBody) return true;
    state.turn_bytes += bytes.size();
    state.turn.push_back(std::move(bytes));
    if (!state.loop || state.flush_timer.active()) return true;
    state.flush_timer =
        state.loop->after(std::chrono::milliseconds(0), [&state] { state.flush_turn(); });
    return true;
}

size_t StreamWriter::queued_bytes() const {
    return state_->connection->queued_bytes() + state_->turn_bytes;
}

void StreamWriter::on_drained(std::function<void()> drained) {
    state_->drained = std::move(drained);
}

void StreamWriter::finish() {
    State& state = *state_;
    if (!state.connection->open() || state.self) return;
    KIN_ASSERT(state.loop);
    state.flush_timer = Timer();
    state.flush_turn();
    if (state.framing == Framing::kChunked) state.connection->write("0\r\n\r\n");
    state.on_closed = nullptr;
    state.drained = nullptr;
    state.self = state_;
    state.connection->close_after_writing();
}

}  // namespace kin::http
