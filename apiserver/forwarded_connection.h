#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "apiserver/pipes.h"
#include "core/contracts/pod_access.h"
#include "core/loop/loop.h"

namespace kin::apiserver {

/// One connection to a pod's port, on behalf of a client. Owned by the loop's thread; destroying
/// it closes the connection.
class ForwardedConnection : public std::enable_shared_from_this<ForwardedConnection> {
public:
    struct Events {
        std::function<void(std::string_view)> on_bytes;
        std::function<void()> on_end;  ///< The pod sends nothing more.
        /// It could not be made: "connection refused".
        std::function<void(const std::string& why)> on_failed;
        std::function<void()> on_drained;  ///< What waited for the pod has been taken.
    };
    ForwardedConnection(Loop& loop, Events events) : loop_(loop), events_(std::move(events)) {}

    void open(PodAccess& pods, const ObjectKey& pod, uint16_t port);
    /// To the pod; kept until the connection is made.
    void send(std::string_view bytes);
    void end();  ///< The client sends nothing more.
    size_t waiting_bytes() const;
    void pause();  ///< Of reading from the pod.
    void resume();
    bool ended_both_ways() const;

private:
    void join(Answer<UniqueFd> socket);

    Loop& loop_;
    const Events events_;
    std::string early_;
    bool client_ended_ = false;
    bool pod_ended_ = false;
    std::unique_ptr<PipeReader> reader_;
    std::unique_ptr<PipeWriter> writer_;
};

}  // namespace kin::apiserver
