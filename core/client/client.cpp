#include "core/client/client.h"

#include <future>

#include "core/base/log.h"
#include "core/client/client_state.h"

namespace kin {
namespace {

constexpr auto kSettleCheck = std::chrono::milliseconds(1);
constexpr std::string_view kFieldManager = "kin";

/// Events let other writes pass, so that statuses come first when many pods start at once: they
/// wait while so many others are under way, but not for longer than this. So many are written at a
/// time, that a status never queues behind more.
constexpr size_t kBusyWrites = 3, kEventWrites = 16;
constexpr auto kLongestEventDelay = std::chrono::milliseconds(1000);

/// What the next event resolves by itself, if nobody asked for the answer.
bool expected(const Status& status) { return status.code == 404 || status.code == 409; }

void log_event_failure(const Status& status) {
    if (!expected(status)) log_warn("client", "write event", {{"answer", status.message}});
}

}  // namespace

Client::Client(Registry& registry, Loop& loop)
    : registry_(registry), loop_(loop), state_(std::make_shared<State>(registry.store(), loop)) {
    state_->send_events = [this] { send_events(kEventWrites); };
}

Client::~Client() {
    loop_.call([this] { send_events(SIZE_MAX); });  // What has happened is told.
    state_->outbox.with([](Loop*& loop) { loop = nullptr; });
    loop_.call([this] { state_->close(); });
    state_->informer.reset();
}

Result<> Client::start() {
    add_metadata_sinks();  // Now, so that they hear after the caches.
    return state_->informer->start().context("start the client");
}

Revision Client::seen() const { return state_->informer->seen(); }

size_t Client::pending_writes() const { return state_->pending; }

std::shared_ptr<const Json> Client::get(std::string_view resource, const ObjectKey& key) const {
    const auto stored = registry_.store().find(resource, key);
    return stored ? json_of(*stored) : nullptr;
}

// --- Writes ---

void Client::write(std::string_view what, std::string_view resource, const ObjectKey& key,
                   Done done, const std::function<void(const Target&, WriteDone)>& start) {
    const Kind* kind = find_resource(resource);
    KIN_ASSERT(kind && loop_.on_thread());
    if (!done) {
        done = [text = cat(what, ' ', resource, ' ', key)](const Answer<Written>& answer) {
            if (answer || expected(answer.error())) return;
            log_warn("client", text, {{"answer", answer.error().message}});
        };
    }
    ++state_->pending;
    // The answer comes on another thread, or here before this returns, or when the client is gone.
    start(
        {kind, key, ""}, [state = state_, done = std::move(done)](Answer<Written> answer) mutable {
            state->outbox.with([&](Loop* loop) {
                if (!loop) return;
                auto task = [state, done = std::move(done), answer = std::move(answer)]() mutable {
                    --state->pending;
                    if (state->closed) return;
                    done(std::move(answer));
                    if (state->send_events) state->send_events();
                };
                loop->post(std::move(task));
            });
        });
}

void Client::create(std::string_view resource, Json object, Done done) {
    const ObjectKey key{string_at(object, {"metadata", "namespace"}),
                        string_at(object, {"metadata", "name"})};
    write("create", resource, key, std::move(done), [&](const Target& target, WriteDone answered) {
        WriteOptions options;
        options.field_manager = kFieldManager;
        registry_.create(target, std::move(object), options, std::move(answered));
    });
}

void Client::update(std::string_view resource, Json object, Done done) {
    const ObjectKey key{string_at(object, {"metadata", "namespace"}),
                        string_at(object, {"metadata", "name"})};
    write("update", resource, key, std::move(done), [&](const Target& target, WriteDone answered) {
        WriteOptions options;
        options.field_manager = kFieldManager;
        registry_.update(target, std::move(object), options, std::move(answered));
    });
}

void Client::patch(std::string_view resource, const ObjectKey& key, Json merge_patch, Done done,
                   std::string_view subresource) {
    write("patch", resource, key, std::move(done), [&](Target target, WriteDone answered) {
        WriteOptions options;
        options.field_manager = kFieldManager;
        target.subresource = subresource;
        registry_.patch(target, PatchType::kMerge, std::move(merge_patch), options,
                        std::move(answered));
    });
}

void Client::remove(std::string_view resource, const ObjectKey& key, DeleteOptions options,
                    Done done) {
    write("delete", resource, key, std::move(done), [&](const Target& target, WriteDone answered) {
        registry_.remove(target, options, std::move(answered));
    });
}

void Client::create_subresource(std::string_view resource, const ObjectKey& key,
                                std::string_view subresource, Json body, Done done) {
    write("create", resource, key, std::move(done), [&](Target target, WriteDone answered) {
        WriteOptions options;
        options.field_manager = kFieldManager;
        target.subresource = subresource;
        registry_.create(target, std::move(body), options, std::move(answered));
    });
}

void Client::record(EventNote note) {
    auto write = state_->events.correlate(std::move(note), std::chrono::system_clock::now());
    if (!write) return;
    state_->queued_events.push_back({std::move(*write), std::chrono::steady_clock::now()});
    send_events(kEventWrites);
}

void Client::send_events(size_t at_once) {
    auto& queue = state_->queued_events;
    while (!queue.empty() && state_->event_writes < at_once) {
        const auto waited = std::chrono::steady_clock::now() - queue.front().since;
        const bool busy = state_->pending - state_->event_writes >= kBusyWrites;
        if (busy && at_once != SIZE_MAX && waited < kLongestEventDelay) break;
        EventCorrelator::Write write = std::move(queue.front().write);
        queue.pop_front();
        send_event(std::move(write));
    }
    if (!queue.empty() && !state_->events_due.active()) {
        state_->events_due = loop_.after(kLongestEventDelay, [this] { send_events(kEventWrites); });
    }
}

void Client::send_event(EventCorrelator::Write write) {
    ++state_->event_writes;
    if (write.patch.is_null()) {
        return create("events", std::move(write.event), [this](const Answer<Written>& answer) {
            --state_->event_writes;
            if (!answer) log_event_failure(answer.error());
        });
    }
    patch("events", write.key, std::move(write.patch),
          [this, event = std::move(write.event)](const Answer<Written>& answer) {
              --state_->event_writes;
              if (answer) return;
              // Events are deleted when they are old: then this one begins anew.
              if (answer.error().code == 404) return send_event({{}, event, nullptr});
              log_event_failure(answer.error());
          });
}

// --- Settling ---

void Client::add_busy_check(std::string name, std::function<bool()> busy) {
    state_->busy_checks.emplace_back(std::move(name), std::move(busy));
}

std::string Client::State::busy_with(const Store& store, Settled wanted) const {
    if (pending != event_writes) return cat(pending, " writes");
    // Without other writes of ours the caches show all but Events: wakes come before answers.
    const Revision head = store.revision();
    const bool only_events = event_writes != 0 && wanted == Settled::kButEvents;
    if (informer->seen() < head && !only_events)
        return cat("caches at revision ", informer->seen(), " of ", head);
    if (wanted == Settled::kAll && (event_writes != 0 || !queued_events.empty())) return "events";
    for (const auto& [name, busy] : busy_checks) {
        if (busy()) return name;
    }
    return "";
}

bool Client::settle(int timeout_ms, std::string* why, Settled wanted) {
    KIN_ASSERT(!loop_.on_thread());
    using Clock = std::chrono::steady_clock;
    const auto deadline = Clock::now() + std::chrono::milliseconds(timeout_ms);
    std::promise<std::string> answer;
    Timer timer;
    int calm_turns = 0;
    std::function<void()> check = [&] {
        std::string busy = state_->busy_with(registry_.store(), wanted);
        // What was posted in the same turn as the last check must have had its turn, too.
        calm_turns = busy.empty() ? calm_turns + 1 : 0;
        if (calm_turns == 2 || (calm_turns == 0 && Clock::now() >= deadline)) {
            return answer.set_value(std::move(busy));
        }
        // Who is busy does not tell when it ends, so that is looked at while somebody waits.
        timer = loop_.after(calm_turns ? std::chrono::milliseconds(0) : kSettleCheck, check);
    };
    loop_.post(check);
    const std::string busy = answer.get_future().get();
    loop_.call([&] { timer.cancel(); });  // The last check has ended when this has run.
    if (why) *why = busy;
    return busy.empty();
}

}  // namespace kin
