#pragma once

#include <uv.h>

#include <chrono>
#include <concepts>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/base/guarded.h"

namespace kin {

/// A task that a Loop runs once, later. Ends with this object: afterwards the task is neither
/// running nor will it run. Move-only. May be ended inside its own task, and on other threads
/// (which then wait for the loop); the Loop must still exist.
class Timer {
public:
    Timer() = default;
    ~Timer() { cancel(); }
    Timer(Timer&& other) noexcept = default;
    Timer& operator=(Timer&& other) noexcept;

    /// The task will not run any more. Nothing happens if it already ran.
    void cancel();
    /// Still to run.
    bool active() const;

private:
    friend class Loop;
    struct State;
    explicit Timer(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::shared_ptr<State> state_;
};

/// What to wait for on a descriptor; values can be combined with |.
struct Readiness {
    static constexpr int kReadable = UV_READABLE;
    static constexpr int kWritable = UV_WRITABLE;
    static constexpr int kHangup = UV_DISCONNECT;
};

/// A descriptor that a Loop watches. Ends with this object, after which the descriptor may be
/// closed. Same rules as for Timer.
class Watch {
public:
    Watch() = default;
    ~Watch() { cancel(); }
    Watch(Watch&& other) noexcept = default;
    Watch& operator=(Watch&& other) noexcept;

    /// Waits for other `events` from now on; 0 rests. On the loop's thread.
    void set(int events);
    void cancel();
    bool active() const { return state_ != nullptr; }

private:
    friend class Loop;
    struct State;
    explicit Watch(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::shared_ptr<State> state_;
};

/// One thread running one libuv loop. Whatever a Loop owns is touched on its thread only; other
/// threads reach it with post().
class Loop {
public:
    /// Starts the thread; `name` (up to 15 characters) is what `ps -L` shows.
    explicit Loop(std::string name);
    ~Loop();  ///< Runs the tasks already posted, then joins the thread.
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    /// Runs `task` on the loop's thread, in posting order. Thread-safe; never blocks.
    void post(std::function<void()> task);
    /// The same for a task that cannot be copied, because it owns something.
    template <class Task>
    requires(!std::copy_constructible<Task>) void post(Task task) {
        post(std::function<void()>(
            [shared = std::make_shared<Task>(std::move(task))] { (*shared)(); }));
    }
    /// post(), then waits until `task` has run. Not from this loop's own thread. A component's
    /// destructor calls it to unsubscribe, so that no task can meet a dead object.
    void call(std::function<void()> task);

    /// Runs `task` once, `delay` from now, never earlier; 0 means on the next turn of the loop.
    /// On the loop's thread.
    [[nodiscard]] Timer after(std::chrono::milliseconds delay, std::function<void()> task);
    /// Calls `ready` with what `fd` is ready for, as long as it is (level-triggered). An error on
    /// the descriptor counts as readable and writable, so that the next read or write meets it.
    /// `fd` must be something that epoll takes, and watched once only. On the loop's thread.
    [[nodiscard]] Watch watch(int fd, int events, std::function<void(int events)> ready);

    bool on_thread() const { return std::this_thread::get_id() == thread_.get_id(); }
    const std::string& name() const { return name_; }

private:
    friend class Timer;
    friend class Watch;
    struct Inbox {
        std::vector<std::function<void()>> tasks;
        bool closed = false;
    };
    void run();
    void run_posted();
    /// Runs `task` here if this is the loop's thread, through call() if it is not.
    void run_on_thread(const std::function<void()>& task);

    const std::string name_;
    uv_loop_t loop_{};
    uv_async_t wake_{};
    Guarded<Inbox> inbox_;
    bool stopping_ = false;  // Touched on the loop's thread only.
    std::thread thread_;     // Last: it runs on everything above.
};

}  // namespace kin
