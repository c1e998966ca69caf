#include "apiserver/watch_stream.h"

#include <chrono>
#include <random>

#include "core/base/strings.h"
#include "core/registry/registry.h"

namespace kin::apiserver {

namespace {
constexpr std::chrono::seconds kBookmarkInterval(60);
constexpr std::chrono::seconds kBeforeTheEnd(2);
constexpr size_t kEventsAtOnce = 500;

std::string_view type_name(StoreEvent::Type type) {
    switch (type) {
        case StoreEvent::Type::kAdded:
            return "ADDED";
        case StoreEvent::Type::kModified:
            return "MODIFIED";
        case StoreEvent::Type::kDeleted:
            return "DELETED";
    }
    return "MODIFIED";
}

std::string frame(std::string_view type, std::string_view object) {
    return cat("{\"type\":\"", type, "\",\"object\":", object, "}\n");
}

int random_timeout_seconds() {
    static thread_local std::mt19937 random(std::random_device{}());
    return std::uniform_int_distribution(1800, 3600)(random);
}

/// The old content with the revision of the change that made it leave the selection.
std::string at_revision(const StoredObject& object, Revision revision) {
    Json json = *json_of(object);
    json["metadata"]["resourceVersion"] = cat(revision);
    return to_text(json);
}

Answer<Ok> parse_versions(const Store& store, const http::Query& query, WatchRequest& watch) {
    const std::string_view revision = query.get("resourceVersion");
    const std::string_view match = query.get("resourceVersionMatch");
    const auto refuse = [](Cause cause) {
        return invalid_of("meta.k8s.io", "ListOptions", "", {std::move(cause)});
    };
    const bool wants_list = query.flag("sendInitialEvents");
    if (query.has("sendInitialEvents") && match.empty()) {
        return refuse(field_forbidden("resourceVersionMatch",
                                      "sendInitialEvents requires setting resourceVersionMatch to "
                                      "NotOlderThan"));
    }
    if (!match.empty() && !query.has("sendInitialEvents")) {
        return refuse(field_forbidden("resourceVersionMatch",
                                      "resourceVersionMatch is forbidden for watch unless "
                                      "sendInitialEvents is provided"));
    }
    if (!match.empty() && match != "NotOlderThan") {
        return refuse(
            field_not_supported("resourceVersionMatch", std::string(match), {"NotOlderThan"}));
    }
    const auto number =
        revision.empty() ? std::optional<Revision>(0) : parse_number<Revision>(revision);
    if (!number) {
        return bad_request(cat("Invalid value: \"", revision, "\": strconv.ParseUint: parsing \"",
                               revision, "\": invalid syntax"));
    }
    // A list cannot be of the future; a plain watch waits for it.
    if (const Revision current = store.revision(); wants_list && *number > current) {
        Status status;
        status.code = 504;
        status.reason = "Timeout";
        status.message =
            cat("Timeout: Too large resource version: ", *number, ", current: ", current);
        status.causes.push_back({"ResourceVersionTooLarge", "Too large resource version", ""});
        status.retry_after_seconds = 1;
        return status;
    }
    watch.after = *number;
    watch.initial_bookmark = wants_list;
    watch.initial_events = wants_list || (*number == 0 && !query.has("sendInitialEvents"));
    return Ok{};
}
}  // namespace

Answer<WatchRequest> parse_watch(const Store& store, const ApiPath& path, const http::Query& query,
                                 Form form) {
    WatchRequest watch;
    watch.kind = path.kind;
    watch.ns = path.ns;
    watch.name = path.name;
    watch.form = form;
    TRY_ASSIGN(watch.selection, parse_selection(*path.kind, query));
    TRY_ASSIGN(watch.include, parse_include_object(query.get("includeObject")));
    TRY(parse_versions(store, query, watch));
    watch.bookmarks = query.flag("allowWatchBookmarks");
    TRY_ASSIGN(watch.timeout_seconds, parse_timeout(query));
    if (watch.timeout_seconds == 0) watch.timeout_seconds = random_timeout_seconds();
    return watch;
}

/// One open watch.
class Watches::Watch {
public:
    Watch(Watches& all, WatchRequest request, std::unique_ptr<http::StreamWriter> stream)
        : all_(all), request_(std::move(request)), stream_(std::move(stream)) {}

    void start() {
        stream_->start(all_.loop_, {}, [this](const std::string&) {
            ended_ = true;
            forget_later();
        });
        timeout_ = all_.loop_.after(std::chrono::seconds(request_.timeout_seconds),
                                    [this] { time_out(); });
        if (request_.bookmarks) arm_bookmark();
        if (request_.initial_events) {
            send_initial();
        } else {
            // From a version in the future: nothing until then.
            cursor_ = std::min(request_.after, all_.store_.revision());
        }
        told_ = cursor_;
        advance();
    }

    /// Sends what happened since the last call. The watch may be gone afterwards.
    void advance() {
        while (!ended_) {
            Revision reached = cursor_;
            const auto events = all_.store_.events_after(cursor_, request_.kind->resource(),
                                                         kEventsAtOnce, reached);
            if (!events) {
                send_expired();
                return;
            }
            for (const StoreEvent& event : *events)
                if (event.revision > request_.after) send(event);
            const bool done = reached == cursor_ || events->size() < kEventsAtOnce;
            cursor_ = reached;
            if (done) return;
        }
    }

    /// The stream's last bytes; the watch is forgotten afterwards.
    void finish() {
        if (ended_) return;
        ended_ = true;
        stream_->finish();
    }

private:
    void send_initial() {
        const StoreList list = all_.store_.list(request_.kind->resource(), request_.ns);
        for (const StoredPtr& object : list.objects) {
            if (is_about(object->key) && request_.selection.matches(*object))
                write("ADDED", *object, object->body);
        }
        cursor_ = list.revision;
        if (request_.initial_bookmark) bookmark(true);
    }

    bool is_about(const ObjectKey& key) const {
        return (request_.ns.empty() || key.ns == request_.ns) &&
               (request_.name.empty() || key.name == request_.name);
    }

    void send(const StoreEvent& event) {
        const StoredObject& object = *event.object;
        if (!is_about(object.key)) return;
        const bool deleted = event.type == StoreEvent::Type::kDeleted;
        const bool is = request_.selection.empty() || request_.selection.matches(object);
        if (request_.selection.empty()) {
            write(type_name(event.type), object, object.body);
            return;
        }
        const bool was = event.previous && request_.selection.matches(*event.previous);
        if (deleted) {
            if (was || is) write("DELETED", object, object.body);
        } else if (is) {
            write(was ? "MODIFIED" : "ADDED", object, object.body);
        } else if (was) {
            write("DELETED", *event.previous, at_revision(*event.previous, event.revision));
        }
    }

    void write(std::string_view type, const StoredObject& stored, std::string_view body) {
        (void)stored;
        if (ended_) return;
        if (request_.form != Form::kTable && request_.form != Form::kPartialMetadata) {
            stream_->write(frame(type, body));
            return;
        }
        const auto json = parse_json(body);
        if (!json) return;
        if (request_.form == Form::kPartialMetadata) {
            stream_->write(frame(type, to_text(partial_metadata(*json))));
            return;
        }
        Json table = {
            {"kind", "Table"},
            {"apiVersion", "meta.k8s.io/v1"},
            {"metadata", {{"resourceVersion", string_at(*json, {"metadata", "resourceVersion"})}}},
            {"columnDefinitions", nullptr},
            {"rows", Json::array()}};
        if (!columns_sent_) table["columnDefinitions"] = table_columns(*request_.kind);
        columns_sent_ = true;
        table["rows"].push_back(
            table_row(*request_.kind, *json, request_.include, std::chrono::system_clock::now()));
        stream_->write(frame(type, to_text(table)));
    }

    void bookmark(bool ends_initial_events) {
        if (ended_ || request_.form == Form::kTable) return;
        told_ = cursor_;
        Json meta = {{"resourceVersion", cat(cursor_)}, {"creationTimestamp", nullptr}};
        if (ends_initial_events) meta["annotations"] = {{"k8s.io/initial-events-end", "true"}};
        // Whoever asked for metadata only may know no other kind.
        const bool partial = request_.form == Form::kPartialMetadata;
        const std::string_view kind = partial ? "PartialObjectMetadata" : request_.kind->kind;
        const std::string version =
            partial ? std::string("meta.k8s.io/v1") : std::string(request_.kind->api_version());
        stream_->write(frame(
            "BOOKMARK", to_text({{"kind", kind}, {"apiVersion", version}, {"metadata", meta}})));
    }

    // Once a minute, and once shortly before the end, so that whoever watches on can resume there.
    void arm_bookmark() {
        const auto left = std::chrono::seconds(request_.timeout_seconds) -
                          (std::chrono::steady_clock::now() - start_) - kBeforeTheEnd;
        if (left <= std::chrono::seconds(0)) return;
        const auto wait = std::min<std::chrono::steady_clock::duration>(left, kBookmarkInterval);
        bookmark_ =
            all_.loop_.after(std::chrono::duration_cast<std::chrono::milliseconds>(wait), [this] {
                if (cursor_ != told_) bookmark(false);
                arm_bookmark();
            });
    }

    void send_expired() {
        const Status status =
            gone(cat("too old resource version: ", cursor_, " (", all_.store_.oldest(), ")"));
        stream_->write(frame("ERROR", to_text(status.to_json())));
        end_later();
    }

    void time_out() { end_later(); }

    void end_later() {
        finish();
        forget_later();
    }

    // The caller may stand in a call of this object: forget it in a turn of its own.
    void forget_later() {
        Watches& all = all_;
        Watch* self = this;
        all_.loop_.post([&all, self] { all.end(self); });
    }

    Watches& all_;
    WatchRequest request_;
    std::unique_ptr<http::StreamWriter> stream_;
    const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    Revision cursor_ = 0;
    Revision told_ = 0;  ///< the revision that the client knows it has reached
    bool ended_ = false;
    bool columns_sent_ = false;
    Timer timeout_;
    Timer bookmark_;
};

Watches::Watches(Store& store, Loop& loop) : store_(store), loop_(loop) {
    wake_number_ = store_.on_commit([this](Revision) { wake(); });
}

Watches::~Watches() {
    store_.stop_wake(wake_number_);
    loop_.call([this] {
        for (auto& [watch, owned] : watches_) watch->finish();
        watches_.clear();
    });
}

void Watches::open(WatchRequest request, std::unique_ptr<http::StreamWriter> stream) {
    auto watch = std::make_shared<std::unique_ptr<Watch>>(
        std::make_unique<Watch>(*this, std::move(request), std::move(stream)));
    loop_.post([this, watch] {
        Watch* started = watch->get();
        watches_.emplace(started, std::move(*watch));
        started->start();
    });
}

void Watches::wake() {
    if (woken_.exchange(true)) return;
    loop_.post([this] { advance_all(); });
}

void Watches::advance_all() {
    woken_ = false;
    // A watch never leaves the map while it advances (forget_later), so iterating is safe.
    for (auto& [watch, owned] : watches_) watch->advance();
}

void Watches::end(Watch* watch) {
    const auto found = watches_.find(watch);
    if (found == watches_.end()) return;
    watches_.erase(found);
}

}  // namespace kin::apiserver
