#include "tests/bench/policies.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

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
        // Until it is surely as it should be.
        Tried seen;
        for (const double end = answered + 2000; monotonic_ms() < end;) {
            ::poll(nullptr, 0, 2);
            seen = tried.with([](Tried& all) { return all; });
            if (allow ? seen.first_in_ms != 0 : monotonic_ms() - answered > 20) break;
        }
        if (allow && seen.first_in_ms == 0) give_up("an allowed connection never came through");
        const double late = allow ? seen.first_in_ms : seen.last_in_ms;
        (allow ? allowed_us : forbidden_us).push_back(std::max(0.0, late - answered) * 1e3);
        if (!allow && monotonic_ms() - seen.last_in_ms < 10)
            give_up("a forbidden one came through");
    }
    over = true;
    client.join();
    std::printf("%.0f %.0f %.0f %.0f\n", quantile(allowed_us, 0.5), quantile(allowed_us, 0.99),
                quantile(forbidden_us, 0.5), quantile(forbidden_us, 0.99));
}

}  // namespace kin::bench
