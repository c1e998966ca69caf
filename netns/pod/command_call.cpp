#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "core/base/strings.h"
#include "core/base/unique_fd.h"
#include "core/loop/loop.h"
#include "netns/pod/calls.h"

namespace kin::netns {
namespace {

constexpr size_t kMaxOutput = 10 << 10;

class CommandCall final : public Call {
public:
    CommandCall(Loop& loop, Containers& containers, CallDone done)
        : loop_(loop), containers_(containers), done_(std::move(done)) {}
    ~CommandCall() override { kill(); }

    Result<> start(ProcessId container, ProcessSpec process, std::chrono::milliseconds timeout) {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) < 0) return Error::from_errno("pipe");
        output_.reset(ends[0]);
        const UniqueFd write_end(ends[1]);
        if (::fcntl(output_.get(), F_SETFL, O_NONBLOCK) < 0) return Error::from_errno("fcntl");
        process.stdout_fd = process.stderr_fd = write_end.get();
        command_ = join(process.argv, " ");
        auto started =
            containers_.exec(container, process,
                             [this, alive = std::weak_ptr<const int>(alive_)](ProcessEvent event) {
                                 if (!alive.expired()) on_event(event);
                             });
        TRY_ASSIGN(process_, std::move(started));
        // Drained while it runs: a full pipe would stop the command.
        watch_ = loop_.watch(output_.get(), Readiness::kReadable, [this](int) { read_output(); });
        if (timeout.count() > 0) {
            timer_ = loop_.after(timeout, [this, timeout] { time_out(timeout); });
        }
        return Ok{};
    }

private:
    void read_output() {
        char buffer[4096];
        while (true) {
            const ssize_t size = ::read(output_.get(), buffer, sizeof buffer);
            if (size < 0 && errno == EINTR) continue;
            if (size < 0 && errno == EAGAIN) return;
            if (size <= 0) return watch_.cancel();
            const size_t room = kMaxOutput - text_.size();
            text_.append(buffer, std::min(room, static_cast<size_t>(size)));
        }
    }

    void on_event(const ProcessEvent& event) {
        if (event.kind == ProcessEvent::Kind::kStarted) return;
        process_ = 0;
        if (event.kind == ProcessEvent::Kind::kFailed) return finish({false, event.error, 0, ""});
        read_output();
        finish({false, "", event.exit_code, std::move(text_)});
    }

    void time_out(std::chrono::milliseconds timeout) {
        kill();
        const std::string seconds = cat(timeout.count() / 1000, 's');
        finish(
            {true, cat("command timed out: \"", command_, "\" timed out after ", seconds), 0, ""});
    }

    void kill() {
        if (process_ != 0) (void)containers_.signal(std::exchange(process_, 0), SIGKILL);
    }

    void finish(CallResult result) {
        watch_.cancel();
        timer_.cancel();
        alive_.reset();
        // May destroy this object.
        std::exchange(done_, {})(std::move(result));
    }

    Loop& loop_;
    Containers& containers_;
    CallDone done_;
    UniqueFd output_;
    std::string command_, text_;
    ProcessId process_ = 0;
    Watch watch_;
    Timer timer_;
    std::shared_ptr<const int> alive_ = std::make_shared<const int>(0);
};

class WaitCall final : public Call {
public:
    WaitCall(Loop& loop, std::chrono::milliseconds time, CallDone done)
        : done_(std::move(done)),
          timer_(loop.after(time, [this] { std::exchange(done_, {})({}); })) {}

private:
    CallDone done_;
    Timer timer_;
};

/// Tells a failure on the loop's next turn: who asks does not have the Call yet.
std::unique_ptr<Call> fail_later(Loop& loop, const Error& error, const CallDone& done) {
    return wait(loop, std::chrono::milliseconds(0), [done, text = error.text()](CallResult result) {
        result.error = text;
        done(std::move(result));
    });
}

}  // namespace

std::unique_ptr<Call> run_command(Loop& loop, Containers& containers, ProcessId container,
                                  ProcessSpec process, std::chrono::milliseconds timeout,
                                  CallDone done) {
    auto call = std::make_unique<CommandCall>(loop, containers, done);
    if (auto started = call->start(container, std::move(process), timeout); !started) {
        return fail_later(loop, started.error(), done);
    }
    return call;
}

std::unique_ptr<Call> wait(Loop& loop, std::chrono::milliseconds time, CallDone done) {
    return std::make_unique<WaitCall>(loop, time, std::move(done));
}

}  // namespace kin::netns
