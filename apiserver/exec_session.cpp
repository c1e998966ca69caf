#include "apiserver/exec_session.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include "core/base/strings.h"

namespace kin::apiserver {

namespace {
// Beyond the first the process waits until the client has read, below it goes on.
constexpr size_t kClientBytes = 1u << 20;
constexpr size_t kStdinBytes = 256u << 10;
// A process that left children behind may keep its pipes open; what they still write is not
// waited for.
constexpr std::chrono::milliseconds kAfterExit{1000};
// A terminal gives what is written by drops of a hundred bytes, which cost a browser more than their
// bytes do: thousands of them would be between Ctrl-C and its answer.
constexpr std::chrono::milliseconds kTerminalRest{2};
}  // namespace

ExecSession::ExecSession(Loop& loop, std::unique_ptr<ExecWire> wire, std::function<void()> ended)
    : loop_(loop), wire_(std::move(wire)), ended_(std::move(ended)) {}

void ExecSession::start(PodAccess& pods, PodAccess::ExecRequest request, Mode mode) {
    request_ = std::move(request);
    mode_ = mode;
    wire_->start(
        loop_,
        {.on_stdin = [this](std::string_view bytes) { to_process(bytes); },
         .on_stdin_end = [this] { on_stdin_end(); },
         .on_resize = [this](uint16_t columns, uint16_t rows) { on_resize(columns, rows); },
         .on_drained = [this] { on_drained(); },
         .on_closed = [this] { ended_(); }},
        [this, &pods, mode] { open(pods, mode); });
}

void ExecSession::open(PodAccess& pods, Mode mode) {
    // The agent answers on its own thread, perhaps after this session's end.
    Loop& loop = loop_;
    const std::weak_ptr<ExecSession> weak = weak_from_this();
    const auto started = [&loop, weak](Answer<PodAccess::ExecStreams> streams) {
        loop.post([weak, moved = std::move(streams)]() mutable {
            if (const auto self = weak.lock()) self->join(std::move(moved));
        });
    };
    const auto exited = [&loop, weak](PodAccess::ExitStatus exit) {
        loop.post([weak, exit] {
            if (const auto self = weak.lock()) self->on_exit(exit);
        });
    };
    if (mode == Mode::kExec) {
        pods.exec(request_, started, exited);
    } else {
        pods.attach(request_, started, exited);
    }
}

void ExecSession::join(Answer<PodAccess::ExecStreams> streams) {
    if (!streams) return finish(exec_failure(streams.error()));
    joined_ = true;
    lease_ = std::move(streams->lease);
    if (streams->terminal.valid()) {
        join_terminal(std::move(*streams));
    } else {
        if (request_.want_stdout) add_reader(Channel::kStdout, std::move(streams->stdout_read));
        if (request_.want_stderr) add_reader(Channel::kStderr, std::move(streams->stderr_read));
        add_stdin(std::move(streams->stdin_write));
    }
    if (!early_stdin_.empty()) {
        to_process(std::exchange(early_stdin_, {}));
        // A process that reads at once leaves nothing waiting whose end would be heard of.
        if (!stdin_ || stdin_->waiting_bytes() == 0) wire_->resume_reading();
    }
    if (stdin_ended_) on_stdin_end();
    finish_if_done();
}

void ExecSession::join_terminal(PodAccess::ExecStreams streams) {
    terminal_ = std::move(streams.terminal);
    if (size_) on_resize(size_->first, size_->second);
    // One descriptor each: a loop watches a descriptor only once.
    const auto copy = [this] { return UniqueFd(::fcntl(terminal_.get(), F_DUPFD_CLOEXEC, 0)); };
    add_reader(Channel::kStdout,
               streams.stdout_read.valid() ? std::move(streams.stdout_read) : copy(),
               kTerminalRest);
    add_stdin(streams.stdin_write.valid() ? std::move(streams.stdin_write) : copy());
}

void ExecSession::add_stdin(UniqueFd fd) {
    if (!request_.want_stdin || !fd.valid()) return;
    stdin_ =
        std::make_unique<PipeWriter>(loop_, std::move(fd), [this] { wire_->resume_reading(); });
}

void ExecSession::add_reader(Channel channel, UniqueFd fd, std::chrono::milliseconds rest) {
    if (!fd.valid()) return;
    readers_.push_back(std::make_unique<PipeReader>(
        loop_, std::move(fd),
        [this, channel](std::string_view bytes) { to_client(channel, bytes); }, rest));
}

void ExecSession::to_client(Channel channel, std::string_view bytes) {
    if (bytes.empty()) return finish_if_done();
    if (finished_) return;
    wire_->send(channel, bytes);
    if (wire_->queued_bytes() < kClientBytes) return;
    for (const auto& reader : readers_) reader->pause();
}

void ExecSession::on_drained() {
    for (const auto& reader : readers_) reader->resume();
}

void ExecSession::to_process(std::string_view bytes) {
    if (!joined_) {
        early_stdin_.append(bytes);
        if (early_stdin_.size() > kStdinBytes) wire_->pause_reading();
        return;
    }
    if (!stdin_) return;
    stdin_->write(bytes);
    if (stdin_->waiting_bytes() > kStdinBytes) wire_->pause_reading();
}

void ExecSession::on_stdin_end() {
    stdin_ended_ = true;
    if (!stdin_) return;
    // A terminal has no end of its own: the character that means it to a cooked reader.
    if (terminal_.valid()) return stdin_->write("\x04");
    stdin_->end();
}

void ExecSession::on_resize(uint16_t columns, uint16_t rows) {
    size_ = {columns, rows};
    if (!terminal_.valid()) return;
    winsize size{};
    size.ws_col = columns;
    size.ws_row = rows;
    ::ioctl(terminal_.get(), TIOCSWINSZ, &size);
}

void ExecSession::on_exit(PodAccess::ExitStatus exit) {
    exit_ = std::move(exit);
    finish_if_done();
    if (!finished_) wait_for_the_rest();
}

/// What the process has written is delivered however long the client takes.
void ExecSession::wait_for_the_rest() {
    patience_ = loop_.after(kAfterExit, [this] {
        std::erase_if(readers_, [](const auto& reader) { return !reader->has_more(); });
        finish_if_done();
        if (!finished_) wait_for_the_rest();
    });
}

void ExecSession::finish_if_done() {
    const bool attached = mode_ == Mode::kAttach;
    if (exit_ && !exit_->started) return finish(exec_status(*exit_));
    if (!joined_) return;
    for (const auto& reader : readers_)
        if (!reader->ended()) return;
    // To one who attached, the container's end is no failure of the session, and nothing more to
    // read is the end of it.
    if (attached && (exit_ || !readers_.empty())) return finish(exec_status({}));
    if (exit_) finish(exec_status(*exit_));
}

void ExecSession::finish(const Json& status) {
    if (std::exchange(finished_, true)) return;
    patience_ = Timer();
    wire_->finish(status);
}

}  // namespace kin::apiserver
