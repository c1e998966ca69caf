#include "policy/prober.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>

#include "core/base/strings.h"

namespace kin::policy {

struct Prober::Running {
    struct Try {
        UniqueFd fd;
        Watch watch;  // Ends before the descriptor closes.
        bool over = false;
    };
    std::vector<Attempt> attempts;
    std::vector<Outcome> outcomes;
    std::chrono::milliseconds timeout;
    Done done;
    // Those on their way: attempts first, first + 1, ...
    std::vector<Try> tries;
    size_t first = 0;
    size_t left = 0;  ///< that are not over
    Timer next;
};

Prober::Prober(Loop& control, Namespaces& namespaces, Enforcer& enforcer)
    : control_(control), namespaces_(namespaces), enforcer_(enforcer) {}

Prober::~Prober() = default;

std::string_view name_of(Outcome::What what) {
    switch (what) {
        case Outcome::What::kConnected:
            return "connected";
        case Outcome::What::kRefused:
            return "refused";
        case Outcome::What::kSilent:
            return "no answer";
        case Outcome::What::kDropped:
            return "dropped";
        case Outcome::What::kUnreachable:
            return "unreachable";
        case Outcome::What::kFailed:
            break;
    }
    return "failed";
}

std::string_view name_of(Outcome::Meant meant) {
    switch (meant) {
        case Outcome::Meant::kAllow:
            return "allow";
        case Outcome::Meant::kDeny:
            return "deny";
        case Outcome::Meant::kDepends:
            return "depends";
        case Outcome::Meant::kNowhere:
            break;
    }
    return "nowhere";
}

bool Outcome::agrees() const {
    if (what == What::kFailed) return false;
    const bool came_through = what == What::kConnected || what == What::kRefused;
    if (meant == Meant::kAllow) return what != What::kDropped;
    if (meant == Meant::kDeny) return !came_through;
    return true;
}

namespace {
Outcome::Meant meaning(const World& world, const Attempt& attempt, std::string& why) {
    size_t allowed = 0;
    for (const Packet& packet : attempt.packets) {
        const Judgement judgement = judge(world, packet);
        allowed += judgement.allowed() ? 1 : 0;
        if (!why.empty()) why += '\n';
        why += judgement.to_string(world, packet);
    }
    if (attempt.packets.empty()) return Outcome::Meant::kNowhere;
    if (allowed == attempt.packets.size()) return Outcome::Meant::kAllow;
    return allowed == 0 ? Outcome::Meant::kDeny : Outcome::Meant::kDepends;
}

/// Which name servers has the root? A header (RFC 1035 section 4.1.1) and one question.
constexpr uint16_t kDnsPort = 53;
constexpr std::string_view kDnsQuery{
    "\x6b\x69\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
    "\x00\x00\x02\x00\x01",
    17};

/// What an error of connect() or of a datagram's answer says.
Outcome::What meaning_of(int error) {
    switch (error) {
        case 0:
            return Outcome::What::kConnected;
        case ECONNREFUSED:
        case ECONNRESET:
            return Outcome::What::kRefused;
        case EHOSTUNREACH:
        case ENETUNREACH:
        case EACCES:
            return Outcome::What::kUnreachable;
        case ETIMEDOUT:
            return Outcome::What::kSilent;
        default:
            return Outcome::What::kFailed;
    }
}
}  // namespace

void Prober::run(std::vector<Attempt> attempts, std::chrono::milliseconds timeout, Done done) {
    if (running_.empty()) enforcer_.hear_probes([this](const Packet& packet) { on_drop(packet); });
    auto& running = *running_.emplace_back(std::make_unique<Running>());
    running.attempts = std::move(attempts);
    running.outcomes.resize(running.attempts.size());
    running.timeout = timeout;
    running.done = std::move(done);
    // The answer never comes before this returns.
    running.next =
        control_.after(std::chrono::milliseconds(0), [this, &running] { start_some(running); });
}

void Prober::start_some(Running& running) {
    running.left = std::min(kAtOnce, running.attempts.size() - running.first);
    running.tries.resize(running.left);
    running.next =
        control_.after(running.left == 0 ? std::chrono::milliseconds(0) : running.timeout,
                       [this, &running] { end_some(running); });
    for (size_t i = 0; i < running.tries.size(); ++i) start(running, running.first + i);
}

void Prober::start(Running& running, size_t index) {
    const Attempt& attempt = running.attempts[index];
    Outcome& outcome = running.outcomes[index];
    outcome.meant = meaning(enforcer_.world(), attempt, outcome.why);
    const auto over = [this, &running, index](int error) {
        if (error != 0) running.outcomes[index].detail = to_lower(std::strerror(error));
        end(running, index, meaning_of(error));
    };
    const bool tcp = attempt.l4 == nft::L4::kTcp;
    auto socket = namespaces_.open_in_pod(
        attempt.from, tcp ? Namespaces::SocketType::kTcp : Namespaces::SocketType::kUdp, {}, 0);
    if (!socket) {
        outcome.detail = socket.error().text();
        return end(running, index, Outcome::What::kFailed);
    }
    outcome.what = Outcome::What::kSilent;
    Running::Try& one = running.tries[index - running.first];
    one.fd = std::move(*socket);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(attempt.port);
    at.sin_addr.s_addr = attempt.dialed.network_order();
    const int fd = one.fd.get();
    const int tos = kProbeTos;
    (void)::setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) < 0 &&
        errno != EINPROGRESS) {
        return over(errno);
    }
    // A closed port is answered by the kernel, an open one by the server if it can read this.
    const std::string_view words = attempt.port == kDnsPort ? kDnsQuery : "\n";
    if (!tcp && ::send(fd, words.data(), words.size(), 0) < 0) return over(errno);
    one.watch =
        control_.watch(fd, tcp ? Readiness::kWritable : Readiness::kReadable, [over, fd](int) {
            int error = 0;
            socklen_t size = sizeof error;
            ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
            over(error);
        });
}

void Prober::end(Running& running, size_t index, Outcome::What what) {
    Running::Try& one = running.tries[index - running.first];
    if (std::exchange(one.over, true)) return;
    running.outcomes[index].what = what;
    one.watch.cancel();
    if (--running.left > 0) return;
    running.next =
        control_.after(std::chrono::milliseconds(0), [this, &running] { end_some(running); });
}

/// A node need not be waited for once it has said that it dropped a packet.
void Prober::on_drop(const Packet& packet) {
    for (const auto& running : running_) {
        for (size_t i = 0; i < running->tries.size(); ++i) {
            const auto& packets = running->attempts[running->first + i].packets;
            if (std::ranges::find(packets, packet) == packets.end()) continue;
            end(*running, running->first + i, Outcome::What::kDropped);
        }
    }
}

void Prober::end_some(Running& running) {
    running.first += running.tries.size();
    running.tries.clear();
    if (running.first == running.attempts.size()) return finish(running);
    start_some(running);
}

void Prober::finish(Running& running) {
    const auto mine = std::ranges::find(running_, &running, &std::unique_ptr<Running>::get);
    const std::unique_ptr<Running> ended = std::move(*mine);
    running_.erase(mine);
    if (running_.empty()) enforcer_.hear_probes({});
    ended->done(std::move(ended->outcomes));
}

}  // namespace kin::policy
