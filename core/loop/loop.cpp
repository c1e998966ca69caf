#include "core/loop/loop.h"

#include <pthread.h>
#include <signal.h>

#include <future>

#include "core/base/assert.h"

namespace kin {

struct Timer::State {
    Loop* loop = nullptr;
    uv_timer_t handle{};
    std::function<void()> task;
    std::shared_ptr<State> self;  // Keeps the handle alive until libuv has let go of it.

    void close() {
        if (!self) return;
        uv_close(reinterpret_cast<uv_handle_t*>(&handle), [](uv_handle_t* closed) {
            auto* state = static_cast<State*>(closed->data);
            const auto last = std::move(state->self);
        });
        task = nullptr;
    }
    bool closing() const {
        return uv_is_closing(reinterpret_cast<const uv_handle_t*>(&handle)) != 0;
    }
};

Timer& Timer::operator=(Timer&& other) noexcept {
    if (this != &other) {
        cancel();
        state_ = std::move(other.state_);
    }
    return *this;
}

void Timer::cancel() {
    if (!state_) return;
    // Taken away on the loop's thread, where the task may be using this very object.
    state_->loop->run_on_thread([this] {
        const auto state = std::move(state_);
        if (state && !state->closing()) state->close();
    });
}

bool Timer::active() const { return state_ && !state_->closing(); }

struct Watch::State {
    Loop* loop = nullptr;
    uv_poll_t handle{};
    std::function<void(int)> ready;
    std::shared_ptr<State> self;

    static void on_events(uv_poll_t* handle, int status, int events) {
        const auto state = static_cast<State*>(handle->data)->self;  // `ready` may end the Watch.
        state->ready(status < 0 ? Readiness::kReadable | Readiness::kWritable : events);
    }
};

Watch& Watch::operator=(Watch&& other) noexcept {
    if (this != &other) {
        cancel();
        state_ = std::move(other.state_);
    }
    return *this;
}

void Watch::set(int events) {
    KIN_ASSERT(state_ && state_->loop->on_thread());
    if (events == 0) {
        uv_poll_stop(&state_->handle);
        return;
    }
    KIN_ASSERT(uv_poll_start(&state_->handle, events, State::on_events) == 0);
}

void Watch::cancel() {
    if (!state_) return;
    state_->loop->run_on_thread([this] {
        const auto state = std::move(state_);
        if (!state) return;
        // This stops it too; to stop it first would ask the kernel twice.
        uv_close(reinterpret_cast<uv_handle_t*>(&state->handle), [](uv_handle_t* closed) {
            auto* ended = static_cast<State*>(closed->data);
            const auto last = std::move(ended->self);
        });
    });
}

Loop::Loop(std::string name) : name_(std::move(name)) {
    KIN_ASSERT(uv_loop_init(&loop_) == 0);
    loop_.data = this;
    wake_.data = this;
    KIN_ASSERT(uv_async_init(&loop_, &wake_, [](uv_async_t* wake) {
                   static_cast<Loop*>(wake->data)->run_posted();
               }) == 0);
    // on_thread() reads thread_, so the thread may only start once thread_ is assigned.
    std::promise<void> assigned;
    thread_ = std::thread([this, ready = assigned.get_future()]() mutable {
        ready.wait();
        run();
    });
    assigned.set_value();
}

Loop::~Loop() {
    KIN_ASSERT(!on_thread());
    inbox_.with([this](Inbox& inbox) {
        inbox.tasks.push_back([this] { stopping_ = true; });
        inbox.closed = true;
        uv_async_send(&wake_);
    });
    thread_.join();
    uv_loop_close(&loop_);
}

void Loop::run() {
    pthread_setname_np(pthread_self(), name_.substr(0, 15).c_str());
    // OpenSSL writes without MSG_NOSIGNAL: a broken pipe shall be an error, not a death.
    sigset_t pipe_only;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_only, nullptr);
    while (!stopping_) uv_run(&loop_, UV_RUN_ONCE);
    uv_close(reinterpret_cast<uv_handle_t*>(&wake_), nullptr);
    // Closes what tasks captured and dropped on the way; a handle that its owner still holds
    // would keep the loop alive for ever, so it is not waited for.
    uv_run(&loop_, UV_RUN_NOWAIT);
}

void Loop::run_posted() {
    auto tasks = inbox_.with([](Inbox& inbox) { return std::exchange(inbox.tasks, {}); });
    for (auto& task : tasks) {
        task();
        task = nullptr;  // What it captured ends in order, not after the whole batch.
    }
}

void Loop::post(std::function<void()> task) {
    inbox_.with([&](Inbox& inbox) {
        // Only the loop's own last tasks can still get here when it is closed; what they post ends
        // unrun, with `task` and not under the lock.
        if (inbox.closed) return;
        inbox.tasks.push_back(std::move(task));
        if (inbox.tasks.size() == 1) uv_async_send(&wake_);
    });
}

void Loop::call(std::function<void()> task) {
    KIN_ASSERT(!on_thread());
    std::promise<void> done;
    post([&] {
        task();
        done.set_value();
    });
    done.get_future().wait();
}

void Loop::run_on_thread(const std::function<void()>& task) {
    if (on_thread()) {
        task();
    } else {
        call(task);
    }
}

Timer Loop::after(std::chrono::milliseconds delay, std::function<void()> task) {
    KIN_ASSERT(on_thread());
    auto state = std::make_shared<Timer::State>();
    state->loop = this;
    state->task = std::move(task);
    state->self = state;
    uv_timer_init(&loop_, &state->handle);
    state->handle.data = state.get();
    uv_update_time(&loop_);  // The loop's clock stands still during a turn: it would fire early.
    const auto fire = [](uv_timer_t* handle) {
        auto* fired = static_cast<Timer::State*>(handle->data);
        const auto run = std::move(fired->task);
        fired->close();
        run();
    };
    // The loop's clock counts whole milliseconds, so without one more it could fire early.
    const uint64_t timeout = delay.count() > 0 ? static_cast<uint64_t>(delay.count()) + 1 : 0;
    uv_timer_start(&state->handle, fire, timeout, 0);
    return Timer(std::move(state));
}

Watch Loop::watch(int fd, int events, std::function<void(int events)> ready) {
    KIN_ASSERT(on_thread());
    auto state = std::make_shared<Watch::State>();
    state->loop = this;
    state->ready = std::move(ready);
    KIN_ASSERT(uv_poll_init(&loop_, &state->handle, fd) == 0);
    state->handle.data = state.get();
    state->self = state;
    Watch watch(std::move(state));
    watch.set(events);
    return watch;
}

}  // namespace kin
