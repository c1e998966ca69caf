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
    std::vector<Try> tries;
    size_t left = 0;
    uint64_t drops_before = 0;
    Timer timeout;
    Done done;
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
constexpr std::string_view kDnsQuery{"\x6b\x69\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
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
    auto& running = *running_.emplace_back(std::make_unique<Running>());
    running.attempts = std::move(attempts);
    running.outcomes.resize(running.attempts.size());
    running.tries.resize(running.attempts.size());
    running.left = running.attempts.size();
    running.done = std::move(done);
    const auto known = enforcer_.dropped_probes().after(0);
    running.drops_before = known.empty() ? 0 : known.back().number;
    for (size_t i = 0; i < running.attempts.size(); ++i) {
        Outcome& outcome = running.outcomes[i];
        outcome.meant = meaning(enforcer_.world(), running.attempts[i], outcome.why);
        start(running, i);
    }
    // Even if none is left: the answer never comes before this returns.
    running.timeout = control_.after(running.left == 0 ? std::chrono::milliseconds(0) : timeout,
                                     [this, &running] { finish(running); });
}

void Prober::start(Running& running, size_t index) {
    const Attempt& attempt = running.attempts[index];
    Running::Try& one = running.tries[index];
    const auto over = [this, &running, &one, index](int error) {
        if (std::exchange(one.over, true)) return;
        running.outcomes[index].what = meaning_of(error);
        if (error != 0) running.outcomes[index].detail = to_lower(std::strerror(error));
        one.watch.cancel();
        if (--running.left == 0)
            running.timeout =
                control_.after(std::chrono::milliseconds(0), [this, &running] { finish(running); });
    };
    const bool tcp = attempt.l4 == nft::L4::kTcp;
    auto socket = namespaces_.open_in_pod(
        attempt.from, tcp ? Namespaces::SocketType::kTcp : Namespaces::SocketType::kUdp, {}, 0);
    if (!socket) {
        running.outcomes[index].detail = socket.error().text();
        one.over = true;
        --running.left;
        return;
    }
    one.fd = std::move(*socket);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(attempt.port);
    at.sin_addr.s_addr = attempt.dialed.network_order();
    running.outcomes[index].what = Outcome::What::kSilent;
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

void Prober::finish(Running& running) {
    const auto drops = enforcer_.dropped_probes().after(running.drops_before);
    for (size_t i = 0; i < running.attempts.size(); ++i) {
        Outcome& outcome = running.outcomes[i];
        if (outcome.what != Outcome::What::kSilent) continue;
        const auto& packets = running.attempts[i].packets;
        const bool dropped = std::any_of(drops.begin(), drops.end(), [&](const Drop& drop) {
            return std::find(packets.begin(), packets.end(), drop.dropped.packet) != packets.end();
        });
        if (dropped) outcome.what = Outcome::What::kDropped;
    }
    const auto mine = std::find_if(running_.begin(), running_.end(),
                                   [&](const auto& one) { return one.get() == &running; });
    const std::unique_ptr<Running> ended = std::move(*mine);
    running_.erase(mine);
    ended->done(std::move(ended->outcomes));
}

}  // namespace kin::policy
