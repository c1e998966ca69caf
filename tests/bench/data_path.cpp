#include "tests/bench/data_path.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>

#include "core/base/strings.h"
#include "core/base/unique_fd.h"
#include "tests/bench/bridged_pods.h"
#include "tests/bench/raw_links.h"
#include "tests/bench/requests.h"
#include "tests/bench/transactions.h"

namespace kin::bench {
namespace {

constexpr size_t kMostServers = 64;

/// What servers and clients, processes of their own, tell this one.
struct Shared {
    struct Server {
        std::atomic<uint64_t> ready, served;
    };
    Server servers[kMostServers];
    std::optional<double> asked_us;
};

struct Way {
    std::string name, reach;
    pid_t client;
    std::string address;
};

/// Where a process is on the network, with the rights of its user namespace.
void enter(pid_t pid) {
    const auto open = [pid](const char* what) {
        const std::string path = cat("/proc/", pid, "/ns/", what);
        return UniqueFd(checked(::open(path.c_str(), O_RDONLY | O_CLOEXEC), path.c_str()));
    };
    const UniqueFd user = open("user");
    const UniqueFd net = open("net");
    checked(::setns(user.get(), CLONE_NEWUSER), "setns user");
    checked(::setns(net.get(), CLONE_NEWNET), "setns net");
}

template <class F>
pid_t start_in(pid_t pid, F&& work) {
    const pid_t parent = ::getpid();
    const pid_t child = checked(::fork(), "fork");
    if (child != 0) return child;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) std::_Exit(1);
    enter(pid);
    share_one_processor();
    work();
    std::_Exit(0);
}

class Measurement {
public:
    explicit Measurement(const std::vector<pid_t>& servers) : servers_(servers.size()) {
        if (servers_ > kMostServers) give_up("too many servers");
        void* const memory = ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE,
                                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) give_up("no memory to share");
        shared_ = new (memory) Shared{};
        for (size_t index = 0; index < servers_; ++index) {
            Shared::Server& server = shared_->servers[index];
            const pid_t child =
                start_in(servers[index], [&] { serve_transactions(server.ready, server.served); });
            while (server.ready == 0) {
                if (::waitpid(child, nullptr, WNOHANG) == child) std::exit(1);
                ::sched_yield();
            }
        }
    }

    double ask(const Way& way, Transaction kind) {
        constexpr int kAttempts =
            5;  // Others on the processor can delay answers beyond TCP's time.
        for (int attempt = 0; attempt < kAttempts; ++attempt)
            if (const auto us = attempt_to_ask(way, kind)) return *us;
        give_up(cat("the way ", way.name, ' ', way.reach, " to ", way.address, " loses segments"));
    }

    /// Each server must have had its part: Services lead to all of their endpoints.
    void check_servers() const {
        for (size_t index = 0; index < servers_; ++index)
            if (shared_->servers[index].served == 0) give_up("a server was never asked");
    }

private:
    std::optional<double> attempt_to_ask(const Way& way, Transaction kind) {
        const int count = kind == Transaction::kRequest ? 8000
                          : kind == Transaction::kBulk  ? 400
                                                        : 2000;
        const uint64_t before = served();
        const pid_t client = start_in(way.client, [&] {
            ask_transactions(way.address, kind, count / 10);  // Neighbours, routes and caches.
            shared_->asked_us = ask_transactions(way.address, kind, count);
        });
        int status = 0;
        if (::waitpid(client, &status, 0) != client || status != 0)
            give_up(cat("the way ", way.name, ' ', way.reach, " to ", way.address, " failed"));
        // Requests on an open connection end with one more.
        const int last = kind == Transaction::kConnection ? 0 : 2;
        if (served() - before != static_cast<uint64_t>(count + count / 10 + last))
            give_up("servers have counted other transactions");
        return shared_->asked_us;
    }

    uint64_t served() const {
        uint64_t sum = 0;
        for (size_t index = 0; index < servers_; ++index) sum += shared_->servers[index].served;
        return sum;
    }

    size_t servers_;
    Shared* shared_ = nullptr;
};

pid_t process_of(std::string_view text) {
    const auto pid = parse_number<pid_t>(text);
    if (!pid) give_up(cat("no process: ", text));
    return *pid;
}

Way way_of(const std::string& text) {
    const auto parts = split(text, ':');
    if (parts.size() != 4 || (parts[1] != "same" && parts[1] != "across"))
        give_up(cat("no way: ", text));
    return {std::string(parts[0]), std::string(parts[1]), process_of(parts[2]),
            std::string(parts[3])};
}

constexpr std::pair<Transaction, const char*> kKinds[] = {
    {Transaction::kRequest, "rr"}, {Transaction::kConnection, "crr"}, {Transaction::kBulk, "MiB"}};

struct Results {
    std::vector<double> us, reference_us, ratios;
};

}  // namespace

void measure_data_path(int turns, const std::vector<std::string>& servers,
                       const std::vector<std::string>& ways) {
    const BridgedPods bridged = make_bridged_pods();
    std::vector<pid_t> processes{bridged.neighbour, bridged.far};
    for (const std::string& pid : servers) processes.push_back(process_of(pid));
    Measurement measurement(processes);
    const Way near{"bridged", "same", bridged.client, bridged.neighbour_address};
    const Way far{"bridged", "across", bridged.client, bridged.far_address};
    std::map<std::string, Results> lines;
    for (int turn = 0; turn < turns; ++turn) {
        for (const std::string& text : ways) {
            const Way way = way_of(text);
            for (const auto& [kind, name] : kKinds) {
                Results& results = lines[cat(way.name, ' ', way.reach, ' ', name)];
                // Next to each other, since the machine's speed changes within seconds.
                results.reference_us.push_back(
                    measurement.ask(way.reach == "same" ? near : far, kind));
                results.us.push_back(measurement.ask(way, kind));
                results.ratios.push_back(results.us.back() / results.reference_us.back());
            }
        }
    }
    measurement.check_servers();
    for (const auto& [name, results] : lines) {
        std::printf("%s %.2f %.2f %.3f %.3f %.3f\n", name.c_str(), quantile(results.us, 0.5),
                    quantile(results.reference_us, 0.5), quantile(results.ratios, 0.5),
                    quantile(results.ratios, 0), quantile(results.ratios, 1));
    }
}

}  // namespace kin::bench
