#include "web/stream.h"

#include "core/base/strings.h"

namespace kin::web {

namespace {
/// A page that has not read so much is left behind, and gets a snapshot once it has.
constexpr size_t kMostQueued = 4u << 20;
constexpr std::chrono::milliseconds kTick{1000};
/// Of the drops, so many are told to who comes later, as many as a page keeps.
constexpr size_t kMostDrops = 200;
/// Reading counters may take this share of the control thread's time.
constexpr int kTickShare = 50;
/// How long the feed goes on for nobody: a page that is loaded again comes back at once.
constexpr std::chrono::milliseconds kRest{5000};
}  // namespace

Stream::Stream(Loop& streams, Loop& control, TopologyFeed& feed, Options options)
    : streams_(streams), control_(control), feed_(feed), options_(std::move(options)) {}

Stream::~Stream() {
    // First those who could begin it anew, then who sends here.
    streams_.call([this] {
        next_tick_ = Timer();
        rest_ = Timer();
        ++generation_;
        pages_.clear();
    });
    control_.call([this] { feed_.start({}); });
    // What the feed or a tick had sent is past now.
    streams_.call([] {});
}

std::optional<http::Response> Stream::accept(const http::Request& request,
                                             http::Responder& responder) {
    auto socket = http::accept_websocket(request, responder, {""});
    if (!socket)
        return http::Response(400, "text/plain; charset=utf-8", socket.error().text() + '\n');
    streams_.post([this, socket = std::move(*socket)]() mutable { add(std::move(socket)); });
    return {};
}

void Stream::add(std::unique_ptr<http::WebSocket> socket) {
    const uint64_t number = ++last_page_;
    Page& page = pages_[number];
    page.socket = std::move(socket);
    page.socket->start(streams_, {.on_message = {},
                                  .on_drained =
                                      [this, number] {
                                          const auto found = pages_.find(number);
                                          if (found != pages_.end()) catch_up(found->second);
                                      },
                                  .on_closed = [this, number](int) { remove(number); }});
    rest_ = Timer();
    if (!running_) begin();
    catch_up(page);
}

void Stream::remove(uint64_t number) {
    pages_.erase(number);
    if (pages_.empty()) rest_ = streams_.after(kRest, [this] { end(); });
}

void Stream::begin() {
    running_ = true;
    whole_ = false;
    topology_ = {};
    ticked_ = false;
    last_counts_ = {};
    last_drops_.clear();
    last_change_ = 0;
    const uint64_t generation = ++generation_;
    control_.post([this, generation] {
        feed_.start([this, generation](Delta delta) {
            streams_.post(
                [this, generation, delta = std::move(delta)] { take(generation, delta); });
        });
    });
    ask_for_tick(std::chrono::milliseconds(0));
}

void Stream::end() {
    if (!pages_.empty()) return;
    running_ = false;
    ++generation_;
    next_tick_ = Timer();
    control_.post([this] { feed_.start({}); });
}

void Stream::take(uint64_t generation, const Delta& delta) {
    if (generation != generation_) return;
    topology_.apply(delta);
    if (std::exchange(whole_, true)) return send_to_all(delta.text());
    for (auto& [number, page] : pages_) catch_up(page);
}

void Stream::ask_for_tick(std::chrono::milliseconds after) {
    next_tick_ = streams_.after(after, [this] {
        control_.post([this, generation = generation_, change = last_change_]() mutable {
            const auto begun = std::chrono::steady_clock::now();
            Json tick = options_.tick(change);
            tick["last"] = change;
            const auto cost = std::chrono::duration_cast<std::chrono::milliseconds>(
                std::chrono::steady_clock::now() - begun);
            streams_.post([this, generation, tick = std::move(tick), cost]() mutable {
                take_tick(generation, std::move(tick), cost);
            });
        });
    });
}

void Stream::take_tick(uint64_t generation, Json tick, std::chrono::milliseconds cost) {
    if (generation != generation_) return;
    last_change_ = static_cast<uint64_t>(int_at(tick, {"last"}));
    tick.erase("last");
    ask_for_tick(std::max(kTick, cost * kTickShare));
    const bool counted = tick.contains("counts") && tick["counts"] != last_counts_;
    if (std::exchange(ticked_, true) && !counted && tick["drops"].empty()) return;
    if (counted) last_counts_ = tick["counts"];
    keep_drops(tick["drops"]);
    tick["type"] = "tick";
    send_to_all(to_text(tick));
}

void Stream::keep_drops(const Json& drops) {
    for (const Json& drop : drops) last_drops_[static_cast<uint64_t>(int_at(drop, {"number"}))] = drop;
    while (last_drops_.size() > kMostDrops) last_drops_.erase(last_drops_.begin());
}

Json Stream::last_tick() const {
    Json tick{{"type", "tick"}, {"drops", Json::array()}};
    if (!last_counts_.is_null()) tick["counts"] = last_counts_;
    for (const auto& [number, drop] : last_drops_) tick["drops"].push_back(drop);
    return tick;
}

void Stream::send_to_all(const std::string& text) {
    for (auto& [number, page] : pages_) {
        if (page.behind) continue;
        if (page.socket->queued_bytes() > kMostQueued) {
            page.behind = true;
        } else {
            page.socket->send_text(text);
        }
    }
}

void Stream::catch_up(Page& page) {
    if (!page.behind || !whole_ || page.socket->queued_bytes() > 0) return;
    page.behind = false;
    page.socket->send_text(topology_.snapshot(options_.head));
    if (ticked_) page.socket->send_text(to_text(last_tick()));
}

}  // namespace kin::web
