#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "core/contracts/namespaces.h"
#include "core/loop/loop.h"
#include "policy/enforcer.h"

namespace kin::policy {

/// One attempt to reach something from inside a pod.
struct Attempt {
    ObjectKey from;              ///< the pod
    Ipv4 source;                 ///< its address
    Ipv4 dialed;                 ///< an address of a pod or Service
    uint16_t port = 0;           ///< as dialed
    nft::L4 l4 = nft::L4::kTcp;  ///< TCP or UDP
    /// Where its packets may end, behind a Service: what policies see. Empty: nowhere.
    std::vector<Packet> packets;
};

/// How it ended, and whether that is what the policies say.
struct Outcome {
    /// kRefused: it came through and nobody listens there. kSilent: no answer, and no node dropped
    /// it. kDropped: a node said that it dropped it. kFailed: it could not be tried.
    enum class What { kConnected, kRefused, kSilent, kDropped, kUnreachable, kFailed };
    What what = What::kFailed;
    std::string detail;  ///< of kFailed and kUnreachable
    enum class Meant { kAllow, kDeny, kDepends, kNowhere };
    Meant meant = Meant::kNowhere;  ///< by the policies
    std::string why;                ///< the judgement in words
    /// False if the kernel did what the policies do not say, or could not be asked.
    bool agrees() const;
};
std::string_view name_of(Outcome::What what);    ///< "connected"
std::string_view name_of(Outcome::Meant meant);  ///< "allow"

/// Asks the evaluator and really tries, many attempts at the same time. On the control thread.
class Prober {
public:
    /// All of them outlive this object.
    Prober(Loop& control, Namespaces& namespaces, Enforcer& enforcer);
    ~Prober();  ///< After the end of what run() was asked for.

    using Done = std::function<void(std::vector<Outcome>)>;
    /// No more attempts of one run() are on their way at a time, nor sockets open.
    static constexpr size_t kAtOnce = 256;
    /// `done` is called once, on the same thread: for each kAtOnce attempts after `timeout` at the
    /// latest.
    void run(std::vector<Attempt> attempts, std::chrono::milliseconds timeout, Done done);

private:
    struct Running;
    void start_some(Running& running);
    void start(Running& running, size_t index);
    void end(Running& running, size_t index, Outcome::What what);
    void end_some(Running& running);
    void finish(Running& running);
    void on_drop(const Packet& packet);

    Loop& control_;
    Namespaces& namespaces_;
    Enforcer& enforcer_;
    std::list<std::unique_ptr<Running>> running_;
};

}  // namespace kin::policy
