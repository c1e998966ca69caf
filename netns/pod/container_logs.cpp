#include "netns/pod/container_logs.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>

#include "core/base/log.h"
#include "netns/pod/log_file.h"
#include "netns/pod/log_lines.h"
#include "netns/pod/tap.h"

namespace kin::netns {

struct ContainerLogs::Container {
    Options options;
    std::optional<LogFile> file;
    LogLines stdout_lines{"stdout"}, stderr_lines{"stderr"};
    UniqueFd stdin_write, stdout_read, stderr_read, terminal;
    Watch stdout_watch, stderr_watch, terminal_watch;
    std::vector<std::unique_ptr<internal::Tap>> taps;
    std::vector<std::function<void()>> on_end;
    std::string replay_stdout, replay_stderr;  // Until the first one attaches.
    bool replaying = false;
    bool ended = false;
    bool waiting = false;  // For one who is attached and has not read yet.
    std::function<void()> drained;
};

struct ContainerLogs::Internals : std::enable_shared_from_this<ContainerLogs::Internals> {
    struct Follower {
        std::string path;
        std::function<void(bool)> changed;
    };

    explicit Internals(Loop& loop_) : loop(loop_) {}
    void open(Id id, Options options, ContainerStreams streams, std::function<void()> drained);
    void watch(Id id, Container& container);
    void read(Id id, UniqueFd& from, Watch& watch, bool is_stderr);
    void take(Container& container, std::string_view bytes, bool is_stderr);
    void append(Container& container, const std::string& lines);
    void rest(Container& container);
    void look_at_taps(Id id);
    void end(Id id);
    void attach(Id id, const PodAccess::ExecRequest& request, const PodAccess::Started& started,
                std::function<void()> ended);
    static Result<> join_stdin(Container& container, const PodAccess::ExecRequest& request,
                               PodAccess::ExecStreams& streams);
    void tell_followers(const Container& container);
    Container* find(Id id) {
        const auto found = containers.find(id);
        return found == containers.end() ? nullptr : found->second.get();
    }
    bool running(const std::string& path) const;

    Loop& loop;
    std::map<Id, std::unique_ptr<Container>> containers;
    std::map<uint64_t, Follower> followers;
    uint64_t last_follower = 0;
};

ContainerLogs::ContainerLogs(Loop& loop)
    : loop_(loop), internals_(std::make_shared<Internals>(loop)) {}

ContainerLogs::~ContainerLogs() {
    loop_.call([this] {
        internals_->containers.clear();
        internals_->followers.clear();
    });
}

ContainerLogs::Id ContainerLogs::open(Options options, ContainerStreams streams,
                                      std::function<void()> drained) {
    const Id id = ++last_id_;
    // std::function wants to be copied, descriptors do not.
    auto held = std::make_shared<ContainerStreams>(std::move(streams));
    loop_.post([internals = internals_, id, options = std::move(options), held,
                drained = std::move(drained)] {
        internals->open(id, options, std::move(*held), drained);
    });
    return id;
}

void ContainerLogs::add_line(Id id, std::string line) {
    loop_.post([internals = internals_, id, line = std::move(line) + '\n'] {
        if (Container* container = internals->find(id)) internals->take(*container, line, false);
    });
}

void ContainerLogs::end(Id id) {
    loop_.post([internals = internals_, id] { internals->end(id); });
}

void ContainerLogs::forget(Id id) {
    loop_.post([internals = internals_, id] {
        internals->end(id);
        internals->containers.erase(id);
    });
}

void ContainerLogs::attach(Id id, const PodAccess::ExecRequest& request, PodAccess::Started started,
                           std::function<void()> ended) {
    loop_.post([internals = internals_, id, request, started = std::move(started),
                ended = std::move(ended)] { internals->attach(id, request, started, ended); });
}

std::shared_ptr<void> ContainerLogs::follow(const std::string& path,
                                            std::function<void(bool running)> changed) {
    auto number = std::make_shared<uint64_t>(0);
    loop_.post([internals = internals_, number, path, changed = std::move(changed)] {
        *number = ++internals->last_follower;
        internals->followers[*number] = {path, changed};
        changed(internals->running(path));
    });
    const auto stop = [internals = internals_, number](void*) {
        const auto erase = [internals, number] { internals->followers.erase(*number); };
        if (internals->loop.on_thread()) return erase();
        internals->loop.post(erase);
    };
    return {this, stop};
}

void ContainerLogs::Internals::open(Id id, Options options, ContainerStreams streams,
                                    std::function<void()> drained) {
    auto container = std::make_unique<Container>();
    container->options = std::move(options);
    container->replaying = container->options.replay;
    container->drained = std::move(drained);
    container->stdin_write = std::move(streams.stdin_write);
    container->stdout_read = std::move(streams.stdout_read);
    container->stderr_read = std::move(streams.stderr_read);
    container->terminal = std::move(streams.terminal);
    if (auto file = LogFile::open(container->options.path)) {
        container->file = std::move(file).value();
    } else {
        log_warn("kubelet", file.error().text());
    }
    watch(id, *container);
    containers[id] = std::move(container);
}

void ContainerLogs::Internals::watch(Id id, Container& container) {
    const auto follow = [&](UniqueFd& from, Watch& watch, bool is_stderr) {
        if (!from.valid()) return;
        watch = loop.watch(
            from.get(), Readiness::kReadable,
            [this, id, &from, &watch, is_stderr](int) { read(id, from, watch, is_stderr); });
    };
    follow(container.stdout_read, container.stdout_watch, false);
    follow(container.stderr_read, container.stderr_watch, true);
    follow(container.terminal, container.terminal_watch, false);
}

void ContainerLogs::Internals::read(Id id, UniqueFd& from, Watch& watch, bool is_stderr) {
    char buffer[64 << 10];
    const ssize_t size = ::read(from.get(), buffer, sizeof buffer);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    Container* container = find(id);
    if (size > 0) {
        take(*container, {buffer, static_cast<size_t>(size)}, is_stderr);
        return;
    }
    // The end; a terminal says EIO when its other side is closed.
    watch.cancel();
    from.reset();
    if (!container->stdout_read.valid() && !container->stderr_read.valid() &&
        !container->terminal.valid()) {
        end(id);
    }
}

void ContainerLogs::Internals::take(Container& container, std::string_view bytes, bool is_stderr) {
    std::string lines;
    LogLines& splitter = is_stderr ? container.stderr_lines : container.stdout_lines;
    splitter.add(bytes, std::chrono::system_clock::now(), lines);
    append(container, lines);
    for (const auto& tap : container.taps) {
        tap->write(bytes, is_stderr);
        if (tap->full()) rest(container);
    }
    if (!container.replaying) return;
    std::string& replay = is_stderr ? container.replay_stderr : container.replay_stdout;
    constexpr size_t kMaxReplay = 64 << 10;
    if (replay.size() < kMaxReplay) replay += bytes.substr(0, kMaxReplay - replay.size());
}

/// A full tap holds the container up: all of its output is read by the same hand.
void ContainerLogs::Internals::rest(Container& container) {
    if (std::exchange(container.waiting, true)) return;
    for (Watch* watch :
         {&container.stdout_watch, &container.stderr_watch, &container.terminal_watch}) {
        if (watch->active()) watch->set(0);
    }
}

void ContainerLogs::Internals::look_at_taps(Id id) {
    Container* const container = find(id);
    if (!container) return;
    std::erase_if(container->taps, [](const auto& tap) { return tap->gone(); });
    const auto full = [](const auto& tap) { return tap->full(); };
    if (!container->waiting || std::any_of(container->taps.begin(), container->taps.end(), full))
        return;
    container->waiting = false;
    for (Watch* watch :
         {&container->stdout_watch, &container->stderr_watch, &container->terminal_watch}) {
        if (watch->active()) watch->set(Readiness::kReadable);
    }
}

void ContainerLogs::Internals::append(Container& container, const std::string& lines) {
    if (lines.empty()) return;
    if (container.file) {
        if (auto written = container.file->append(lines); !written) {
            log_warn("kubelet", written.error().text());
            container.file.reset();  // A full disk must not stop the container.
        }
    }
    tell_followers(container);
}

void ContainerLogs::Internals::end(Id id) {
    Container* container = find(id);
    if (!container || container->ended) return;
    container->ended = true;
    for (Watch* watch :
         {&container->stdout_watch, &container->stderr_watch, &container->terminal_watch}) {
        watch->cancel();
    }
    for (UniqueFd* fd : {&container->stdin_write, &container->stdout_read, &container->stderr_read,
                         &container->terminal}) {
        fd->reset();
    }
    std::string lines;
    const WallTime now = std::chrono::system_clock::now();
    container->stdout_lines.finish(now, lines);
    container->stderr_lines.finish(now, lines);
    append(*container, lines);
    container->file.reset();
    for (const auto& tap : container->taps) tap->finish();
    for (const auto& ended : container->on_end) ended();
    container->on_end.clear();
    tell_followers(*container);
    if (container->drained) container->drained();
}

Result<> ContainerLogs::Internals::join_stdin(Container& container,
                                              const PodAccess::ExecRequest& request,
                                              PodAccess::ExecStreams& streams) {
    const auto copy = [](const UniqueFd& from, UniqueFd& to) -> Result<> {
        to.reset(::fcntl(from.get(), F_DUPFD_CLOEXEC, 3));
        if (!to.valid()) return Error::from_errno("dup");
        return Ok{};
    };
    if (container.terminal.valid()) {
        TRY(copy(container.terminal, streams.terminal));
        if (request.want_stdin) TRY(copy(container.terminal, streams.stdin_write));
        return Ok{};
    }
    if (!request.want_stdin || !container.stdin_write.valid()) return Ok{};
    if (!container.options.stdin_once) return copy(container.stdin_write, streams.stdin_write);
    // The container's stdin ends when this one's does: no other end is left.
    streams.stdin_write = std::move(container.stdin_write);
    return Ok{};
}

void ContainerLogs::Internals::attach(Id id, const PodAccess::ExecRequest& request,
                                      const PodAccess::Started& started,
                                      std::function<void()> ended) {
    Container* container = find(id);
    if (!container) return started(bad_request("the container is not running any more"));
    PodAccess::ExecStreams streams;
    const auto changed = [weak = weak_from_this(), id] {
        const auto self = weak.lock();
        if (!self) return;
        self->loop.post([weak, id] {
            if (const auto later = weak.lock()) later->look_at_taps(id);
        });
    };
    auto tap = internal::Tap::create(loop, request, container->terminal.valid(), changed, streams);
    if (!tap) return started(internal_error(tap.error()));
    if (const auto joined = join_stdin(*container, request, streams); !joined)
        return started(internal_error(joined.error()));
    if (std::exchange(container->replaying, false)) {
        (*tap)->write(std::exchange(container->replay_stdout, {}), false);
        (*tap)->write(std::exchange(container->replay_stderr, {}), true);
    }
    if (container->ended) {
        (*tap)->finish();
    } else {
        container->on_end.push_back(ended);
    }
    const bool over = container->ended;
    container->taps.push_back(std::move(tap).value());
    started(std::move(streams));
    if (over) ended();
}

void ContainerLogs::Internals::tell_followers(const Container& container) {
    const auto all = followers;  // One that hears of the end may leave meanwhile.
    for (const auto& [number, follower] : all) {
        if (follower.path == container.options.path && followers.contains(number)) {
            follower.changed(!container.ended);
        }
    }
}

bool ContainerLogs::Internals::running(const std::string& path) const {
    for (const auto& [id, container] : containers) {
        if (container->options.path == path && !container->ended) return true;
    }
    return false;
}

}  // namespace kin::netns
