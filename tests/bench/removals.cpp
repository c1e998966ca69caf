#include "tests/bench/removals.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <map>
#include <set>
#include <thread>
#include <vector>

#include "core/base/guarded.h"
#include "core/base/strings.h"
#include "core/base/unique_fd.h"
#include "tests/bench/requests.h"
#include "tests/bench/stopwatch.h"

namespace kin::bench {
namespace {

constexpr double kLookAfterMs = 60;

struct Seen {
    std::map<std::string, double> last_connected;  ///< By pod: when one of its connections began.
    std::map<std::string, double> removed;         ///< By pod: when a slice first left it out.
    std::set<std::string> offered;
};

/// The pod that takes a new connection, and when it was there; "" if none does.
std::string ask(const sockaddr_in& service, double& connected) {
    const UniqueFd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&service), sizeof service) < 0)
        return "";
    connected = monotonic_ms();
    constexpr std::string_view kRequest = "GET /hostname HTTP/1.0\r\n\r\n";
    if (::send(fd.get(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL) < 0) return "";
    std::string answer;
    char buffer[1024];
    for (ssize_t got; (got = ::recv(fd.get(), buffer, sizeof buffer, 0)) > 0;)
        answer.append(buffer, static_cast<size_t>(got));
    const size_t body = answer.find("\r\n\r\n");
    return body == std::string::npos ? "" : std::string(trim(answer.substr(body + 4)));
}

/// Keeps `seen` as the Service's slices show it, until `over`.
void follow_slices(const std::string& socket, const std::string& service, Guarded<Seen>& seen,
                   const std::atomic<bool>& over) {
    const http::Client api(socket);
    watch(api,
          cat("/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector="
              "kubernetes.io%2Fservice-name%3D",
              service),
          [&](const std::string&, const Json& slice) {
              const double now = monotonic_ms();
              std::set<std::string> offered;
              for (const Json& endpoint : array_at(slice, {"endpoints"})) {
                  if (bool_at(endpoint, {"conditions", "ready"}))
                      offered.insert(string_at(endpoint, {"targetRef", "name"}));
              }
              seen.with([&](Seen& all) {
                  for (const std::string& pod : all.offered) {
                      if (!offered.contains(pod)) all.removed.emplace(pod, now);
                  }
                  all.offered = std::move(offered);
              });
              return over.load();
          });
}

template <class F>
void wait_until(const char* what, F&& condition) {
    for (const double start = monotonic_ms(); !condition();) {
        if (monotonic_ms() - start > 30'000) give_up(cat("waited too long for ", what));
        ::usleep(500);
    }
}

}  // namespace

void measure_removals(const std::string& socket, const std::string& service,
                      const std::string& address, int pods, int kills) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(80);
    if (::inet_pton(AF_INET, address.c_str(), &to.sin_addr) != 1) give_up("no such address");
    const http::Client api(socket);
    Guarded<Seen> seen;
    std::atomic<bool> over = false;
    std::atomic<int> connections = 0;
    std::thread slices([&] { follow_slices(socket, service, seen, over); });
    std::thread client([&] {
        while (!over) {
            double connected = 0;
            const std::string pod = ask(to, connected);
            if (pod.empty()) continue;
            ++connections;
            seen.with([&](Seen& all) { all.last_connected[pod] = connected; });
        }
    });
    std::vector<double> late;
    for (int kill = 0; kill < kills; ++kill) {
        std::string victim;
        wait_until("all endpoints", [&] {
            return seen.with([&](Seen& all) {
                if (all.offered.size() != static_cast<size_t>(pods)) return false;
                // One that is in use, or nothing is shown.
                for (const std::string& pod : all.offered) {
                    if (!all.last_connected.contains(pod)) return false;
                }
                victim = *all.offered.begin();
                return true;
            });
        });
        send(api, "DELETE", cat("/api/v1/namespaces/default/pods/", victim));
        double removed = 0;
        wait_until("the endpoint's removal", [&] {
            removed = seen.with([&](Seen& all) {
                const auto found = all.removed.find(victim);
                return found == all.removed.end() ? 0 : found->second;
            });
            return removed > 0;
        });
        wait_until("what comes late", [&] { return monotonic_ms() - removed > kLookAfterMs; });
        const double last = seen.with([&](Seen& all) { return all.last_connected[victim]; });
        late.push_back(std::max(0.0, last - removed));
    }
    over = true;
    client.join();
    // The stream ends with the next event.
    send(api, "DELETE", cat("/api/v1/namespaces/default/services/", service));
    slices.join();
    std::printf("%.2f %.2f %.2f %d\n", quantile(late, 0.5), quantile(late, 0.99),
                *std::max_element(late.begin(), late.end()), connections.load());
}

}  // namespace kin::bench
