#include "tests/bench/policies.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <thread>
#include <vector>

#include "core/base/guarded.h"
#include "core/base/strings.h"
#include "core/base/unique_fd.h"
#include "tests/bench/requests.h"
#include "tests/bench/stopwatch.h"

namespace kin::bench {
namespace {

constexpr const char* kPolicy =
    "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies/gate";
/// Somebody who is let through answers sooner than this.
constexpr int kAnswerUs = 300;

/// Whether a connection that begins now is let through.
bool connects(const sockaddr_in& to) {
    const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const linger at_once{1, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    (void)::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to);
    pollfd waiting{fd.get(), POLLOUT, 0};
    const timespec limit{0, kAnswerUs * 1000};
    return ::ppoll(&waiting, 1, &limit, nullptr) == 1 && (waiting.revents & POLLERR) == 0;
}

/// Tries without a pause; what was let through, and what was not, by when it began.
struct Tried {
    double first_in_ms = 0, last_in_ms = 0;
};

}  // namespace

void measure_policy_changes(const std::string& socket, const std::string& address, int times) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(8080);
    if (::inet_pton(AF_INET, address.c_str(), &to.sin_addr) != 1) give_up("no such address");
    const http::Client api(socket);
    Guarded<Tried> tried;
    std::atomic<bool> over = false;
    std::thread client([&] {
        while (!over) {
            const double began = monotonic_ms();
            if (!connects(to)) continue;
            tried.with([&](Tried& all) {
                if (all.first_in_ms == 0) all.first_in_ms = began;
                all.last_in_ms = began;
            });
        }
    });
    std::vector<double> allowed_us, forbidden_us;
    for (int turn = 0; turn < 2 * times; ++turn) {
        const bool allow = turn % 2 == 0;
        const Json ports = {{{"port", allow ? 8080 : 8081}}};
        const Json patch = {{"spec", {{"ingress", {{{"ports", ports}}}}}}};
        tried.with([](Tried& all) { all = {}; });
        send(api, "PATCH", kPolicy, to_text(patch), "application/merge-patch+json");
        const double answered = monotonic_ms();
        // Until it is surely as it should be: a first one came through, or for a while none.
        Tried seen;
        const auto settled = [&] {
            seen = tried.with([](Tried& all) { return all; });
            if (allow) return seen.first_in_ms != 0;
            return monotonic_ms() - std::max(answered, seen.last_in_ms) > 20;
        };
        while (!settled()) {
            if (monotonic_ms() - answered > 2000) give_up("the policy was never in force");
            ::poll(nullptr, 0, 2);
        }
        const double late = allow ? seen.first_in_ms : seen.last_in_ms;
        (allow ? allowed_us : forbidden_us).push_back(std::max(0.0, late - answered) * 1e3);
    }
    over = true;
    client.join();
    std::printf("%.0f %.0f %.0f %.0f\n", quantile(allowed_us, 0.5), quantile(allowed_us, 0.99),
                quantile(forbidden_us, 0.5), quantile(forbidden_us, 0.99));
}

}  // namespace kin::bench
