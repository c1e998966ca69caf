#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/http/server.h"
#include "core/http/websocket.h"
#include "core/loop/loop.h"
#include "web/topology_feed.h"

namespace kin::web {

/// GET /kin/v1/stream: one WebSocket per page, JSON texts from here to there.
///
///   {"type":"snapshot","lab":..., "things":[...]}      first, and again for who fell behind
///   {"type":"delta","set":[THING...],"gone":[ID...]}   at most every 50 ms
///   {"type":"tick","counts":{SERVICE:{ENDPOINT:N}}, "drops":[...]}   about once a second, if it
///                                                      says something new; the first one behind a
///                                                      snapshot has what was there before. No
///                                                      "counts": as they were
///
/// A drop that is repeated comes again, with its number and a higher count.
/// A thing is one of web/topology.h. The sockets live on the streams' loop; the feed runs on
/// kin-control, only while somebody looks.
class Stream {
public:
    struct Options {
        Json head;  ///< what a snapshot tells of the lab
        /// What the kernel has counted and dropped: {"counts":...,"drops":...}; the drops are those
        /// of after `change`, which it moves on; counts are left out where a node does not tell
        /// them. On the feed's loop.
        std::function<Json(uint64_t& change)> tick;
    };
    Stream(Loop& streams, Loop& control, TopologyFeed& feed, Options options);
    ~Stream();  ///< Cuts all of them. Not on one of the loops.

    /// Nothing if the connection was handed over.
    std::optional<http::Response> accept(const http::Request& request, http::Responder& responder);

private:
    struct Page {
        std::unique_ptr<http::WebSocket> socket;
        bool behind = true;  ///< Gets a snapshot as soon as there is one and it has read the rest.
    };
    void add(std::unique_ptr<http::WebSocket> socket);
    void remove(uint64_t number);
    void begin();
    void end();
    void take(uint64_t generation, const Delta& delta);
    void take_tick(uint64_t generation, Json tick, std::chrono::milliseconds cost);
    void ask_for_tick(std::chrono::milliseconds after);
    void keep_drops(const Json& drops);
    Json last_tick() const;
    void send_to_all(const std::string& text);
    void catch_up(Page& page);

    Loop& streams_;
    Loop& control_;
    TopologyFeed& feed_;
    const Options options_;
    // On the streams' loop.
    std::map<uint64_t, Page> pages_;
    uint64_t last_page_ = 0;
    uint64_t generation_ = 0;  ///< of the feed's run; 0 before the first
    bool running_ = false;
    bool whole_ = false;  ///< The feed has told everything once.
    Topology topology_;
    bool ticked_ = false;  ///< The kernel was asked once.
    Json last_counts_;
    std::map<uint64_t, Json> last_drops_;  ///< by number
    uint64_t last_change_ = 0;
    Timer next_tick_, rest_;
};

}  // namespace kin::web
