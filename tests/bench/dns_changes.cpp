#include <sys/time.h>

#include <cstdio>

#include "core/base/strings.h"
#include "tests/bench/datagrams.h"
#include "tests/bench/dns.h"
#include "tests/bench/requests.h"
#include "tests/bench/stopwatch.h"

namespace kin::bench {
namespace {

constexpr const char* kServices = "/api/v1/namespaces/default/services";
constexpr double kPatienceMs = 5000;

/// Asks once; the answer's rcode.
int rcode_of(const UniqueFd& fd, const std::string& question) {
    char answer[1232];
    if (::send(fd.get(), question.data(), question.size(), 0) < 0) give_up("nobody listens there");
    const ssize_t size = ::recv(fd.get(), answer, sizeof answer, 0);
    if (size < 12) give_up("no answer from DNS");
    return answer[3] & 0xF;
}

}  // namespace

void ask_after_changes(const std::string& socket, const DnsServer& server, int times) {
    const http::Client api(socket);
    const UniqueFd fd = datagram_socket();
    const sockaddr_in address = socket_address(server.address, server.port);
    const timeval patience{1, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
        give_up(cat("no way to ", server.address));
    }
    std::vector<double> late_us;
    int first = 0;
    for (int turn = 0; turn < times; ++turn) {
        const std::string name = cat("new-", turn);
        const std::string question = question_for(cat(name, ".default.svc.cluster.local"), kTypeA);
        send(api, "POST", kServices,
             to_text({{"apiVersion", "v1"},
                      {"kind", "Service"},
                      {"metadata", {{"name", name}}},
                      {"spec", {{"ports", {{{"port", 80}}}}}}}));
        const double answered = monotonic_ms();
        double asked = answered;
        while (rcode_of(fd, question) != 0) {
            asked = monotonic_ms();
            if (asked - answered > kPatienceMs) give_up("DNS does not hear of a Service");
        }
        if (asked == answered) ++first;
        late_us.push_back((asked - answered) * 1e3);
        send(api, "DELETE", cat(kServices, '/', name));
    }
    std::printf("%.0f %.0f %d\n", quantile(late_us, 0.5), quantile(late_us, 0.99), first);
}

}  // namespace kin::bench
