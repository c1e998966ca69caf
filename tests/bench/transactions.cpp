#include "tests/bench/transactions.h"

#include <arpa/inet.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <vector>

#include "core/base/strings.h"
#include "core/base/unique_fd.h"
#include "tests/bench/raw_links.h"
#include "tests/bench/requests.h"
#include "tests/bench/stopwatch.h"

namespace kin::bench {
namespace {

// A request is its number on the connection, with bits that say that the server closes behind it
// and that bytes follow.
constexpr uint8_t kLast = 0x80;
constexpr uint8_t kMore = 0x40;
constexpr uint8_t kNumber = 0x3F;
constexpr uint8_t answer_to(uint8_t request) { return static_cast<uint8_t>(request ^ 0x55); }

sockaddr_in endpoint(in_addr address) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(kTransactionPort);
    out.sin_addr = address;
    return out;
}

void take_bulk(int fd) {
    static std::vector<char> buffer(kBulkBytes);  // Of the process: one connection at a time.
    for (size_t left = kBulkBytes; left != 0;) {
        const ssize_t taken = ::recv(fd, buffer.data(), std::min(left, buffer.size()), 0);
        if (taken <= 0) give_up("a client left amid its bytes");
        left -= static_cast<size_t>(taken);
    }
}

void serve_connection(int fd, std::atomic<uint64_t>& served) {
    uint8_t number = 0;
    for (;;) {
        uint8_t request = 0;
        if (::recv(fd, &request, 1, 0) != 1) give_up("a client left early");
        if ((request & kNumber) != number) give_up("a request is not the next one");
        number = (number + 1) & kNumber;
        if (request & kMore) take_bulk(fd);
        ++served;
        const uint8_t answer = answer_to(request);
        if (::send(fd, &answer, 1, MSG_NOSIGNAL) != 1) give_up("a client does not take its answer");
        if (request & kLast) return;
    }
}

class Connection {
public:
    explicit Connection(const sockaddr_in& to)
        : fd_(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")) {
        checked(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), "connect");
    }
    void ask(uint8_t more) {
        const auto request = static_cast<uint8_t>(number_ | more);
        number_ = (number_ + 1) & kNumber;
        uint8_t answer = 0;
        checked(static_cast<int>(::send(fd_.get(), &request, 1, MSG_NOSIGNAL)), "send");
        if (more & kMore) send_bulk();
        if (::recv(fd_.get(), &answer, 1, 0) != 1) give_up("no answer");
        if (answer != answer_to(request)) give_up("a wrong answer");
    }
    /// The last request: waits until the server has closed, so that TIME_WAIT is the server's and
    /// the port is free again.
    void ask_and_end() {
        ask(kLast);
        uint8_t more = 0;
        if (::recv(fd_.get(), &more, 1, 0) != 0) give_up("the server does not close");
    }

private:
    void send_bulk() {
        bulk_.resize(kBulkBytes);
        for (size_t sent = 0; sent < bulk_.size();)
            sent += static_cast<size_t>(
                checked(static_cast<int>(::send(fd_.get(), bulk_.data() + sent, bulk_.size() - sent,
                                                MSG_NOSIGNAL)),
                        "send"));
    }

    UniqueFd fd_;
    uint8_t number_ = 0;
    std::vector<char> bulk_;
};

/// Segments that TCP has sent twice in this namespace.
uint64_t retransmitted() {
    std::ifstream file("/proc/thread-self/net/snmp");
    std::string names, values;
    while (std::getline(file, names) && std::getline(file, values)) {
        std::istringstream name_of(names), value_of(values);
        for (std::string name, value; name_of >> name && value_of >> value;)
            if (name == "RetransSegs") return std::stoull(value);
    }
    give_up("the kernel tells no RetransSegs");
}

}  // namespace

void share_one_processor() {
    cpu_set_t allowed;
    checked(::sched_getaffinity(0, sizeof allowed, &allowed), "sched_getaffinity");
    int last = CPU_SETSIZE - 1;
    while (last > 0 && !CPU_ISSET(last, &allowed)) --last;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(last, &one);
    checked(::sched_setaffinity(0, sizeof one, &one), "sched_setaffinity");
}

void serve_transactions(std::atomic<uint64_t>& ready, std::atomic<uint64_t>& served) {
    const int listener = checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    const int on = 1;
    checked(::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "SO_REUSEADDR");
    const sockaddr_in here = endpoint({});
    checked(::bind(listener, reinterpret_cast<const sockaddr*>(&here), sizeof here), "bind");
    checked(::listen(listener, 128), "listen");
    ready = 1;
    ready.notify_all();
    for (;;) {
        const UniqueFd fd(checked(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC), "accept"));
        serve_connection(fd.get(), served);
    }
}

std::optional<double> ask_transactions(const std::string& address, Transaction kind, int count) {
    in_addr to{};
    if (::inet_pton(AF_INET, address.c_str(), &to) != 1) give_up(cat("no address: ", address));
    const sockaddr_in server = endpoint(to);
    constexpr int kParts = 10;
    const uint64_t lost = retransmitted();
    std::vector<double> parts;
    if (kind != Transaction::kConnection) {
        Connection connection(server);
        const uint8_t more = kind == Transaction::kBulk ? kMore : 0;
        for (int part = 0; part < kParts; ++part) {
            const double start = monotonic_ms();
            for (int turn = 0; turn < count / kParts; ++turn) connection.ask(more);
            parts.push_back((monotonic_ms() - start) * 1e3 / (count / kParts));
        }
        connection.ask_and_end();
    } else {
        for (int part = 0; part < kParts; ++part) {
            const double start = monotonic_ms();
            for (int turn = 0; turn < count / kParts; ++turn) Connection(server).ask_and_end();
            parts.push_back((monotonic_ms() - start) * 1e3 / (count / kParts));
        }
    }
    if (retransmitted() != lost) return std::nullopt;
    return quantile(parts, 0.5);
}

}  // namespace kin::bench
