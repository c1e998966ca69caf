#pragma once

#include <memory>
#include <string>

#include "core/loop/loop.h"
#include "web/door.h"
#include "web/sessions.h"
#include "web/stream.h"

namespace kin::web {

/// The page's server on 127.0.0.1: its files, its stream, and behind the door the lab's API.
class Page {
public:
    struct Options {
        uint16_t port = 7070;  ///< the first one tried; 0: any
        std::string secret;    ///< of the lab
        Door::Options door;
        Stream::Options stream;
        Door::Inside api;  ///< serves all but the stream, with the lab's authority
    };
    /// Its threads are born in the caller's network namespace. `feed` lives on `control`; all of
    /// them outlive the page.
    static Result<std::unique_ptr<Page>> start(Loop& streams, Loop& control, TopologyFeed& feed,
                                               Options options);
    ~Page();

    uint16_t port() const;
    /// A link that opens the page, once.
    std::string new_link();

private:
    struct Parts;
    explicit Page(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

}  // namespace kin::web
