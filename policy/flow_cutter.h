#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "core/base/lifetime.h"
#include "core/kernel/conntrack.h"
#include "core/kernel/netns.h"
#include "core/loop/loop.h"

namespace kin::policy {

/// Ends connections that are forbidden now. Conntrack forgets them, so their next packet is judged
/// as a new one's. Those of UDP it keeps, with kCutMark, and each of their packets is judged: were
/// they forgotten, an answer on its way would begin a connection of the server's, in which whatever
/// the client sends is a reply. They are forgotten when they are allowed again.
///
/// To list a node's connections takes the kernel 9 ms, however few they are, so it happens on a
/// thread of its own, which is there once it was needed. Lives on the control thread.
class FlowCutter {
public:
    /// `forbidden` is asked on the control thread.
    using Forbidden = std::function<bool(const Flow&)>;
    FlowCutter(Loop& control, Forbidden forbidden)
        : control_(control), forbidden_(std::move(forbidden)) {}

    /// Looks through the node's connections soon, once more if a look is under way.
    Result<> look(const std::string& node, const Netns& netns);
    /// The node goes.
    void drop(const std::string& node) { nodes_.erase(node); }
    bool busy() const;
    /// A forbidden connection was kept: also a change that only allows is a reason to look.
    bool keeps_any(const std::string& node) const;

private:
    struct Node {
        std::shared_ptr<Conntrack> conntrack;  ///< used on the thread
        bool looking = false, again = false;
        bool keeps_any = false;
    };
    void start(const std::string& name, Node& node);
    void judge(const std::string& name, Result<std::vector<Flow>> flows);
    void finish(const std::string& name, const Result<>& done, size_t cut);
    void on_thread(std::function<void()> task);

    Loop& control_;
    const Forbidden forbidden_;
    std::map<std::string, Node> nodes_;
    std::unique_ptr<Loop> thread_;
    Lifetime lifetime_;  // Last: answers end before what they touch.
};

}  // namespace kin::policy
