#pragma once

#include <memory>
#include <unordered_map>

#include "apiserver/list.h"
#include "apiserver/table.h"
#include "core/http/stream_writer.h"
#include "core/loop/loop.h"
#include "core/store/store.h"

namespace kin::apiserver {

/// What one watch asked for.
struct WatchRequest {
    const Kind* kind = nullptr;
    std::string ns;
    std::string name;  ///< only this object; "": all
    Selection selection;
    Form form = Form::kJson;
    IncludeObject include = IncludeObject::kMetadata;
    Revision after = 0;             ///< events after this revision
    bool initial_events = false;    ///< synthetic ADDED for what is there first
    bool initial_bookmark = false;  ///< WatchList: a bookmark ends the initial events
    bool bookmarks = false;
    int timeout_seconds = 0;  ///< 0: a random 30 to 60 minutes
};

/// Reads a watch's query; a Status where it must be refused before it begins.
Answer<WatchRequest> parse_watch(const Store& store, const ApiPath& path, const http::Query& query,
                                 Form form);

/// All open watches. Each holds a cursor into the store's events; nothing is kept per watcher.
/// Owned by its loop (kin-streams); open() is thread-safe.
class Watches {
public:
    Watches(Store& store, Loop& loop);
    ~Watches();  ///< Ends every watch in order.

    void open(WatchRequest request, std::unique_ptr<http::StreamWriter> stream);

private:
    class Watch;
    void wake();
    void advance_all();
    void end(Watch* watch);

    Store& store_;
    Loop& loop_;
    int wake_number_ = 0;
    std::atomic<bool> woken_{false};
    std::unordered_map<Watch*, std::unique_ptr<Watch>> watches_;
};

}  // namespace kin::apiserver
