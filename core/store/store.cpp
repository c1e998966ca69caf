#include "core/store/store.h"

#include <pthread.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <future>
#include <shared_mutex>
#include <thread>

#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/store/batch.h"
#include "core/store/log_file.h"
#include "core/store/ring.h"
#include "core/store/rw_lock.h"

namespace kin {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMaxBatch = 512;
/// The size of write-ahead log worth a checkpoint when there is nothing else to do, and even when
/// there is.
constexpr uint64_t kWalIdleBytes = 256 << 10;
constexpr uint64_t kWalBusyBytes = 16 << 20;

// When the writer tidies up: after so long without work, or so often if work never ends; then for
// so long at a time, and the rest after a pause.
constexpr auto kIdle = std::chrono::milliseconds(200);
constexpr auto kTidyEvery = std::chrono::seconds(10);
constexpr auto kTidyBudget = std::chrono::milliseconds(5);
constexpr auto kTidyAgain = std::chrono::milliseconds(50);
constexpr auto kRetry = std::chrono::seconds(1);

int64_t unix_seconds() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

class SqliteStore : public Store {
public:
    SqliteStore(const Options& options, std::unique_ptr<LogFile> file, Objects objects)
        : options_(options),
          file_(std::move(file)),
          objects_(std::move(objects)),
          revision_(file_->last()),
          ring_(options.ring_events, revision_),
          writer_([this] { write(); }) {}
    ~SqliteStore() override;

    void submit(Work work, Done done) override;
    StoredPtr find(std::string_view resource, const ObjectKey& key) const override;
    StoreList list(std::string_view resource, std::string_view ns) const override;
    Revision revision() const override;
    Result<StoreList> list_at(std::string_view resource, std::string_view ns,
                              Revision revision) const override;
    Result<std::vector<StoreEvent>> events_after(Revision after, std::string_view resource,
                                                 size_t limit, Revision& reached) const override;
    Revision oldest() const override;
    Result<> compact(Revision revision) override;
    int on_commit(std::function<void(Revision)> wake) override;
    void stop_wake(int number) override;

private:
    /// What waits for the writer's thread: work for a commit, or something to do between commits.
    struct Job {
        Work work;
        std::function<Result<>()> chore;
        Done done;
    };
    struct Queue {
        std::deque<Job> jobs;
        bool closed = false;
    };

    void enqueue(Job job);

    // On the writer's thread.
    void write();
    std::vector<Job> take();
    void wait_for_work(std::unique_lock<std::mutex>& lock);
    void commit(std::vector<Job>& jobs);
    void publish(std::span<const StoreEvent> events);
    void tidy(uint64_t wal_bytes);
    Result<> forget_old(Clock::time_point until);
    Result<> forget_to(Revision revision);

    const Options options_;
    const std::unique_ptr<LogFile> file_;

    // Changed by the writer under the lock; the writer itself reads without.
    mutable RwLock state_lock_;
    Objects objects_;
    Revision revision_;
    Ring ring_;

    std::mutex queue_mutex_;
    std::condition_variable queue_filled_;
    Queue queue_;

    std::mutex wakes_mutex_;  // Held while they run, so that stop_wake() waits for them.
    std::map<int, std::function<void(Revision)>> wakes_;
    int next_wake_ = 1;

    // The writer's own.
    bool untidy_ = true;
    Clock::time_point next_tidy_ = Clock::now() + kTidyEvery;
    Clock::time_point next_checkpoint_{};

    std::atomic<Revision> oldest_{file_->compacted()};
    std::thread writer_;  // Last: it runs on everything above.
};

SqliteStore::~SqliteStore() {
    {
        const std::lock_guard lock(queue_mutex_);
        queue_.closed = true;
        queue_filled_.notify_one();
    }
    writer_.join();
}

// --- Readers ---

StoredPtr SqliteStore::find(std::string_view resource, const ObjectKey& key) const {
    const std::shared_lock lock(state_lock_);
    return objects_.find(resource, key);
}

StoreList SqliteStore::list(std::string_view resource, std::string_view ns) const {
    const std::shared_lock lock(state_lock_);
    return {objects_.list(resource, ns), revision_};
}

Revision SqliteStore::revision() const {
    const std::shared_lock lock(state_lock_);
    return revision_;
}

Revision SqliteStore::oldest() const { return oldest_; }

Result<std::vector<StoreEvent>> SqliteStore::events_after(Revision after, std::string_view resource,
                                                          size_t limit, Revision& reached) const {
    std::vector<StoreEvent> out;
    Revision head = 0;
    {
        const std::shared_lock lock(state_lock_);
        head = revision_;
        reached = std::max(after, head);
        if (after >= head) return out;
        if (after >= ring_.floor()) {
            if (!ring_.copy_after(after, resource, limit, out)) reached = out.back().revision;
            return out;
        }
    }
    TRY(file_->events(after, head, resource, [&](StoreEvent event) {
        if (out.size() == limit) {
            reached = out.back().revision;
            return false;
        }
        out.push_back(std::move(event));
        return true;
    }));
    return out;
}

Result<StoreList> SqliteStore::list_at(std::string_view resource, std::string_view ns,
                                       Revision revision) const {
    const StoreList now = list(resource, ns);
    if (revision > now.revision) {
        return Error(Errc::kNotFound, cat("revision ", revision, " is not reached yet"));
    }
    std::map<ObjectKey, StoredPtr> state;
    for (const StoredPtr& object : now.objects)
        state.emplace_hint(state.end(), object->key, object);
    // What was replaced first after `revision` is what was there at `revision`.
    std::map<ObjectKey, StoredPtr> then;
    TRY(file_->events(revision, now.revision, resource, [&](const StoreEvent& event) {
        const ObjectKey& key = event.object->key;
        if (ns.empty() || key.ns == ns) then.try_emplace(key, event.previous);
        return true;
    }));
    for (auto& [key, object] : then) state[key] = std::move(object);
    StoreList out{{}, revision};
    for (auto& [key, object] : state) {
        if (object) out.objects.push_back(std::move(object));
    }
    return out;
}

int SqliteStore::on_commit(std::function<void(Revision)> wake) {
    const std::lock_guard lock(wakes_mutex_);
    wakes_.emplace(next_wake_, std::move(wake));
    return next_wake_++;
}

void SqliteStore::stop_wake(int number) {
    const std::lock_guard lock(wakes_mutex_);
    wakes_.erase(number);
}

// --- The queue ---

void SqliteStore::submit(Work work, Done done) { enqueue({std::move(work), {}, std::move(done)}); }

Result<> SqliteStore::compact(Revision revision) {
    std::promise<Result<>> answer;
    enqueue({{},
             [this, revision] {
                 if (revision > revision_) {
                     return Result<>(
                         Error(Errc::kNotFound, cat("revision ", revision, " is not reached yet")));
                 }
                 return forget_to(revision);
             },
             [&](Result<> result) { answer.set_value(std::move(result)); }});
    return answer.get_future().get();
}

void SqliteStore::enqueue(Job job) {
    const std::lock_guard lock(queue_mutex_);
    KIN_ASSERT(!queue_.closed || std::this_thread::get_id() == writer_.get_id());
    queue_.jobs.push_back(std::move(job));
    if (queue_.jobs.size() == 1) queue_filled_.notify_one();
}

std::vector<SqliteStore::Job> SqliteStore::take() {
    std::unique_lock lock(queue_mutex_);
    std::vector<Job> jobs;
    wait_for_work(lock);
    const size_t count = std::min(queue_.jobs.size(), kMaxBatch);
    jobs.reserve(count);
    for (size_t i = 0; i < count; ++i) {
        jobs.push_back(std::move(queue_.jobs.front()));
        queue_.jobs.pop_front();
    }
    return jobs;
}

/// Returns with nothing to do after a while if there is something to tidy, and when closed.
void SqliteStore::wait_for_work(std::unique_lock<std::mutex>& lock) {
    const auto ready = [this] { return !queue_.jobs.empty() || queue_.closed; };
    if (untidy_) {
        queue_filled_.wait_for(lock, kIdle, ready);
    } else {
        queue_filled_.wait(lock, ready);
    }
}

// --- The writer ---

void SqliteStore::write() {
    pthread_setname_np(pthread_self(), "kin-store");
    for (;;) {
        std::vector<Job> jobs = take();
        if (!jobs.empty()) {
            commit(jobs);
            untidy_ = true;
            const bool big =
                file_->wal_bytes() >= kWalBusyBytes && Clock::now() >= next_checkpoint_;
            if (big || Clock::now() >= next_tidy_) tidy(kWalBusyBytes);
        } else if (untidy_) {
            untidy_ = false;  // Set again if something is left to do.
            tidy(kWalIdleBytes);
        } else {
            return;  // Closed, and nothing is left.
        }
    }
}

void SqliteStore::commit(std::vector<Job>& jobs) {
    std::vector<Result<>> results(jobs.size(), Ok{});
    Batch batch(objects_, revision_);
    for (size_t i = 0; i < jobs.size(); ++i) {
        if (jobs[i].chore) {
            results[i] = jobs[i].chore();
            continue;
        }
        batch.begin_work();
        jobs[i].work(batch);
    }
    Result<> stored = Ok{};
    if (!batch.events().empty()) {
        stored = file_->append(batch.events(), unix_seconds()).context("store");
        if (stored) publish(batch.events());
    }
    for (size_t i = 0; i < jobs.size(); ++i) {
        if (jobs[i].done) jobs[i].done(jobs[i].chore ? results[i] : stored);
        jobs[i] = {};  // What it captured ends in order.
    }
}

void SqliteStore::publish(std::span<const StoreEvent> events) {
    {
        const std::unique_lock lock(state_lock_);
        for (const StoreEvent& event : events) {
            objects_.apply(event);
            ring_.push(event);
        }
        revision_ = events.back().revision;
    }
    const std::lock_guard lock(wakes_mutex_);
    for (const auto& [number, wake] : wakes_) wake(events.back().revision);
}

/// Forgets what is old and copies the write-ahead log if it holds `wal_bytes`. What fails here
/// (a full disk, say) costs nobody an answer and is tried again later.
void SqliteStore::tidy(uint64_t wal_bytes) {
    const auto start = Clock::now();
    if (auto forgotten = forget_old(start + kTidyBudget); !forgotten) {
        log_warn("store", forgotten.error().text());
    }
    if (file_->wal_bytes() < wal_bytes || start < next_checkpoint_) return;
    next_checkpoint_ = start + kRetry;
    if (auto copied = file_->checkpoint(); !copied) log_warn("store", copied.error().text());
}

Result<> SqliteStore::forget_old(Clock::time_point until) {
    next_tidy_ = Clock::now() + kTidyEvery;
    if (revision_ <= options_.keep_revisions) return Ok{};
    const Revision limit = revision_ - options_.keep_revisions;
    for (;;) {
        TRY_ASSIGN(const Revision old,
                   file_->forgettable(limit, unix_seconds() - options_.keep_seconds));
        if (old <= oldest_) return Ok{};
        TRY(forget_to(old));
        if (Clock::now() >= until) break;
    }
    next_tidy_ = Clock::now() + kTidyAgain;  // More is left; others first.
    untidy_ = true;
    return Ok{};
}

Result<> SqliteStore::forget_to(Revision revision) {
    TRY(file_->compact(revision).context("forget history"));
    const std::unique_lock lock(state_lock_);
    ring_.forget(revision);
    oldest_ = std::max<Revision>(oldest_, revision);
    return Ok{};
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(const Options& options) {
    TRY_ASSIGN(auto file, LogFile::open(options.path, options.max_bytes));
    Objects objects;
    TRY(file->load([&](StoredPtr object) { objects.put(std::move(object)); })
            .context(cat("database ", options.path)));
    return std::unique_ptr<Store>(
        std::make_unique<SqliteStore>(options, std::move(file), std::move(objects)));
}

std::shared_ptr<const Json> json_of(const StoredObject& object) {
    if (auto known = object.parsed.get()) return known;
    auto json = parse_json(object.body);
    KIN_ASSERT(json);  // It was JSON when it was stored.
    auto parsed = std::make_shared<const Json>(std::move(*json));
    object.parsed.set(parsed);
    return parsed;
}

Result<> Store::run(Work work) {
    std::promise<Result<>> answer;
    submit(std::move(work), [&](Result<> result) { answer.set_value(std::move(result)); });
    return answer.get_future().get();
}

}  // namespace kin
