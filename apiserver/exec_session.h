#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "apiserver/exec_wire.h"
#include "apiserver/pipes.h"
#include "core/contracts/pod_access.h"
#include "core/loop/loop.h"

namespace kin::apiserver {

/// One exec or attach: joins a client's wire with a process's streams. Owned by the loop's thread;
/// may be destroyed at any time there, which ends what was exec'ed and leaves what one was attached
/// to.
class ExecSession : public std::enable_shared_from_this<ExecSession> {
public:
    enum class Mode { kExec, kAttach };

    /// `ended` is called once, when the session is over; it may destroy the session.
    ExecSession(Loop& loop, std::unique_ptr<ExecWire> wire, std::function<void()> ended);

    /// Asks `pods` for the process once the client's streams are open.
    void start(PodAccess& pods, PodAccess::ExecRequest request, Mode mode);

private:
    void open(PodAccess& pods, Mode mode);
    void join(Answer<PodAccess::ExecStreams> streams);
    void add_reader(Channel channel, UniqueFd fd, std::chrono::milliseconds rest = {});
    void join_terminal(PodAccess::ExecStreams streams);
    void add_stdin(UniqueFd fd);
    void to_client(Channel channel, std::string_view bytes);
    void to_process(std::string_view bytes);
    void on_stdin_end();
    void on_resize(uint16_t columns, uint16_t rows);
    void on_drained();
    void on_exit(PodAccess::ExitStatus exit);
    void wait_for_the_rest();
    void finish_if_done();
    void finish(const Json& status);

    Loop& loop_;
    const std::unique_ptr<ExecWire> wire_;
    const std::function<void()> ended_;
    PodAccess::ExecRequest request_;
    Mode mode_ = Mode::kExec;
    std::shared_ptr<void> lease_;  // Keeps an exec'ed process alive.
    UniqueFd terminal_;            // For its size.
    std::vector<std::unique_ptr<PipeReader>> readers_;
    std::unique_ptr<PipeWriter> stdin_;
    std::string early_stdin_;  // Came before the process's streams.
    std::optional<std::pair<uint16_t, uint16_t>> size_;
    bool stdin_ended_ = false;
    bool joined_ = false;
    bool finished_ = false;
    std::optional<PodAccess::ExitStatus> exit_;
    Timer patience_;
};

}  // namespace kin::apiserver
