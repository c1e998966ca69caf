#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/contracts/namespaces.h"
#include "core/loop/loop.h"
#include "ingress/connection.h"
#include "ingress/metrics.h"
#include "ingress/proxy.h"
#include "ingress/tls.h"

namespace kin::ingress {

/// kin's own HTTP proxy. The calls of Proxy come on the control loop; all sockets are served on the
/// data loop. Destroy on neither loop's thread, while both and `namespaces` live.
class ProxyServer : public Proxy {
public:
    struct Options {
        Patience patience;
        Upstreams::Limits upstreams{};
        size_t connections = 16'384;             ///< Per pod; more wait in the kernel.
        std::chrono::milliseconds drain{5'000};  ///< How long a stopped pod may still answer.
        std::chrono::milliseconds tick{250};     ///< How exactly time-outs are kept.
    };
    ProxyServer(Loop& data, Loop& control, Namespaces& namespaces)
        : ProxyServer(data, control, namespaces, Options{}) {}
    ProxyServer(Loop& data, Loop& control, Namespaces& namespaces, Options options);
    ~ProxyServer() override;

    void set_routes(std::shared_ptr<const RouteTable> routes, std::vector<Endpoint> gone) override;
    void set_published(PublishedPorts ports) override;
    Result<> start(Pod pod) override;
    void stop(const ObjectKey& pod) override;
    bool delivering() const override { return on_their_way_ > 0; }

private:
    class ServedPod;
    /// What the data loop owns.
    struct Served;
    using LogLine = std::function<void(std::string_view)>;

    void open_sockets(const ObjectKey& pod, size_t count,
                      std::function<void(std::vector<UniqueFd>)> done);
    /// Hands lines to the pod's log; on the data loop.
    void write_log(const ObjectKey& pod, std::vector<std::string> lines);
    void tick();
    void expect_ticks();

    Loop& data_;
    Loop& control_;
    Namespaces& namespaces_;
    const Options options_;
    bool has_tls_ = false;               // On the control loop.
    std::map<ObjectKey, LogLine> logs_;  // On the control loop.
    std::unique_ptr<Served> served_;     // On the data loop.
    std::atomic<int> on_their_way_ = 0;  // Tables posted and not yet routed by.
    std::atomic<size_t> lines_waiting_ = 0;
};

}  // namespace kin::ingress
