#include "policy/flow_cutter.h"

#include <sys/resource.h>

#include <algorithm>

#include "core/base/log.h"
#include "policy/compile.h"

namespace kin::policy {

bool FlowCutter::busy() const {
    return std::any_of(nodes_.begin(), nodes_.end(),
                       [](const auto& entry) { return entry.second.looking; });
}

bool FlowCutter::keeps_any(const std::string& name) const {
    const auto node = nodes_.find(name);
    return node != nodes_.end() && node->second.keeps_any;
}

Result<> FlowCutter::look(const std::string& name, const Netns& netns) {
    if (Conntrack::none_in(netns)) return Ok{};
    Node& node = nodes_[name];
    if (!node.conntrack) {
        TRY_ASSIGN(Conntrack conntrack, Conntrack::open(netns));
        node.conntrack = std::make_shared<Conntrack>(std::move(conntrack));
    }
    if (node.looking) {
        node.again = true;
    } else {
        start(name, node);
    }
    return Ok{};
}

void FlowCutter::on_thread(std::function<void()> task) {
    if (!thread_) {
        thread_ = std::make_unique<Loop>("kin-flows");
        // Whoever waits for a rule comes first. Of a thread, on Linux.
        constexpr int kNice = 10;
        thread_->post([] { ::setpriority(PRIO_PROCESS, 0, kNice); });
    }
    thread_->post(std::move(task));
}

void FlowCutter::start(const std::string& name, Node& node) {
    node.looking = true;
    node.again = false;
    auto told = lifetime_.bind(
        [this, name](Result<std::vector<Flow>> flows) { judge(name, std::move(flows)); });
    on_thread([&control = control_, conntrack = node.conntrack, told] {
        auto flows = std::make_shared<Result<std::vector<Flow>>>(conntrack->flows());
        control.post([flows, told] { told(std::move(*flows)); });
    });
}

void FlowCutter::judge(const std::string& name, Result<std::vector<Flow>> flows) {
    const auto node = nodes_.find(name);
    if (node == nodes_.end()) return;
    if (!flows) return finish(name, std::move(flows).error(), 0);
    std::vector<Flow> forget, mark;
    size_t cut = 0;
    node->second.keeps_any = false;
    for (const Flow& flow : *flows) {
        const bool forbidden = forbidden_(flow), marked = flow.mark == kCutMark;
        if (forbidden && flow.l4 == nft::L4::kUdp) node->second.keeps_any = true;
        if (forbidden == marked) continue;
        if (forbidden) ++cut;
        (forbidden && flow.l4 == nft::L4::kUdp ? mark : forget).push_back(flow);
    }
    if (forget.empty() && mark.empty()) return finish(name, Ok{}, 0);
    auto told =
        lifetime_.bind([this, name, cut](const Result<>& done) { finish(name, done, cut); });
    on_thread([&control = control_, conntrack = node->second.conntrack, forget = std::move(forget),
               mark = std::move(mark), told] {
        auto done = std::make_shared<Result<>>(Ok{});
        const auto note = [&](Result<> result) {
            if (!result && *done) *done = std::move(result);
        };
        for (const Flow& flow : forget) note(conntrack->forget(flow));
        for (const Flow& flow : mark) note(conntrack->mark(flow, kCutMark));
        control.post([done, told] { told(*done); });
    });
}

void FlowCutter::finish(const std::string& name, const Result<>& done, size_t cut) {
    if (!done) log_warn("policy", done.error().text(), {{"node", name}});
    if (cut != 0) {
        log_info("policy", "cut connections that are forbidden now",
                 {{"node", name}, {"connections", cut}});
    }
    const auto node = nodes_.find(name);
    if (node == nodes_.end()) return;
    node->second.looking = false;
    // What failed is tried again with the next change; the rules themselves are in force.
    if (node->second.again) start(name, node->second);
}

}  // namespace kin::policy
