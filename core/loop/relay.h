#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/base/unique_fd.h"
#include "core/loop/loop.h"

namespace kin {

/// Joins two stream sockets: what one says the other hears, both ways, until both have finished or
/// one breaks. Each way holds at most 64 KiB; a reader who is slow slows the writer down. Either
/// socket may still be connecting; if that fails, the other is reset. On the loop's thread.
class Relay {
public:
    /// `ended` is called once, from the loop, when nothing more will pass; it may destroy this.
    Relay(Loop& loop, UniqueFd left, UniqueFd right, std::function<void()> ended);
    Relay(const Relay&) = delete;
    Relay& operator=(const Relay&) = delete;

private:
    /// What flows out of one socket.
    struct Flow {
        std::string waiting;     ///< Read and not yet written to the other.
        bool read_end = false;   ///< It has said all...
        bool passed_on = false;  ///< ...and the other has been told so.
    };
    struct Side {
        UniqueFd fd;
        Flow flow;
        bool connected = false;
        Watch watch;
    };

    void on_ready(Side& side, Side& other, int events);
    bool check_connected(Side& side);
    bool read(Side& side);
    bool write(Side& from, Side& to);
    void rearm(Side& side, const Side& other);
    void end(bool broken);

    std::function<void()> ended_;
    Side left_, right_;
};

}  // namespace kin
