#pragma once

#include <functional>
#include <memory>
#include <string>

#include "apiserver/byte_wire.h"
#include "apiserver/forwarded_connection.h"
#include "apiserver/proxy_target.h"

namespace kin::apiserver {

/// One request that is passed on to a pod, and the answer back: the head is read and changed, all
/// else goes through as it comes, both ways. Owned by the loop's thread.
class PodProxy {
public:
    struct Wanted {
        ProxyTarget target;
        std::string request;  ///< from proxied_request()
        std::string prefix;   ///< from proxy_prefix()
    };
    /// `ended` is called once, when the client is gone; it may destroy this later, not at once.
    PodProxy(Loop& loop, std::unique_ptr<ByteWire> client, Wanted wanted,
             std::function<void()> ended);

    void start(PodAccess& pods);

private:
    void from_pod(std::string_view bytes);
    void answer_head();
    void fail(const std::string& why);
    void send(std::string_view bytes);

    Loop& loop_;
    const std::unique_ptr<ByteWire> client_;
    const Wanted wanted_;
    const std::function<void()> ended_;
    std::shared_ptr<ForwardedConnection> pod_;
    bool answered_ = false;
    std::string head_;  ///< of the answer, as far as it has come
};

}  // namespace kin::apiserver
