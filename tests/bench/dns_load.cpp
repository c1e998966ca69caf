#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/strings.h"
#include "tests/bench/datagrams.h"
#include "tests/bench/dns.h"
#include "tests/bench/requests.h"
#include "tests/bench/stopwatch.h"

namespace kin::bench {
namespace {

constexpr size_t kServices = 1000;
constexpr unsigned kOnTheirWay = 128;
constexpr int kPatienceMs = 200;
constexpr size_t kHeader = 12;

/// One question, and what a right answer to it has.
struct Question {
    std::string packet;
    uint8_t rcode = 0;
    uint8_t answers = 0;
    uint8_t authorities = 0;
};

constexpr uint8_t kNoError = 0, kNxDomain = 3;

Question address_of(size_t service) {
    return {question_for(cat('s', service, ".default.svc.cluster.local"), kTypeA), kNoError, 1, 0};
}

/// What a pod of namespace default asks for on its way to a name of the world outside.
Question searched(size_t number) {
    constexpr const char* kSearch[] = {"default.svc.cluster.local", "svc.cluster.local",
                                       "cluster.local"};
    return {question_for(cat("host-", number, ".example.com.", kSearch[number % 3]), kTypeA),
            kNxDomain, 0, 1};
}

Question port_of(size_t service) {
    return {question_for(cat("_http._tcp.s", service, ".default.svc.cluster.local"), kTypeSrv),
            kNoError, 1, 0};
}

std::vector<Question> questions_of(const std::string& load) {
    if (load != "a" && load != "mix") give_up(cat("no load is called ", load));
    // Of ten: five addresses, three names that do not exist, two ports.
    constexpr std::string_view kMix = "ANASANANSA";
    std::map<char, size_t> made;
    std::vector<Question> out;
    for (size_t i = 0; i < kServices * kMix.size(); ++i) {
        const char kind = load == "a" ? 'A' : kMix[i % kMix.size()];
        // All come up, and what follows each other in time does not in the zone.
        const size_t number = made[kind]++ * 389 % kServices;
        out.push_back(kind == 'A'   ? address_of(number)
                      : kind == 'N' ? searched(number)
                                    : port_of(number));
    }
    return out;
}

/// Asks one server, and looks at what it says.
class Asker {
public:
    Asker(const DnsServer& server, std::vector<Question> questions)
        : echo_(server.echo),
          questions_(std::move(questions)),
          fd_(datagram_socket()),
          asked_(size_t{1} << 16, nullptr) {
        const sockaddr_in address = socket_address(server.address, server.port);
        if (::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
            give_up(cat("no way to ", server.address));
        }
        const timeval patience{0, kPatienceMs * 1000};
        ::setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    }

    void ask_for(int seconds) {
        const double start = monotonic_ms();
        while (monotonic_ms() - start < seconds * 1000.0) {
            while (on_their_way_ < kOnTheirWay) send_some();
            receive_some();
        }
        const double wall = monotonic_ms() - start;
        const uint64_t answered = answered_;
        while (on_their_way_ > 0) receive_some();
        std::printf("%lu %lu %.0f\n", static_cast<unsigned long>(answered_),
                    static_cast<unsigned long>(lost_), static_cast<double>(answered) / wall * 1e3);
    }

private:
    void send_some() {
        const unsigned count = std::min(kBatch, kOnTheirWay - on_their_way_);
        for (unsigned i = 0; i < count; ++i) {
            const Question& question = questions_[next_question_];
            next_question_ = (next_question_ + 1) % questions_.size();
            const uint16_t id = next_id_++;
            asked_[id] = &question;
            char* bytes = outgoing_.bytes[i].data();
            std::memcpy(bytes, question.packet.data(), question.packet.size());
            std::memcpy(bytes, &id, sizeof id);
            outgoing_.parts[i].iov_len = question.packet.size();
        }
        for (unsigned sent = 0; sent < count;) {
            const int now = ::sendmmsg(fd_.get(), &outgoing_.messages[sent], count - sent, 0);
            if (now < 0 && errno == ECONNREFUSED) give_up("nobody listens there");
            if (now <= 0) give_up(cat("send: ", std::strerror(errno)));
            sent += static_cast<unsigned>(now);
        }
        on_their_way_ += count;
    }

    void receive_some() {
        const int received =
            ::recvmmsg(fd_.get(), incoming_.messages.data(), kBatch, MSG_WAITFORONE, nullptr);
        if (received < 0 && errno == ECONNREFUSED) give_up("nobody listens there");
        if (received <= 0) {  // Nothing for so long: all are lost.
            lost_ += on_their_way_;
            on_their_way_ = 0;
            std::fill(asked_.begin(), asked_.end(), nullptr);
            return;
        }
        for (unsigned i = 0; i < static_cast<unsigned>(received); ++i) {
            check({incoming_.bytes[i].data(), incoming_.messages[i].msg_len});
        }
    }

    void check(std::string_view answer) {
        uint16_t id = 0;
        if (answer.size() < kHeader) give_up("an answer is cut short");
        std::memcpy(&id, answer.data(), sizeof id);
        const Question* question = std::exchange(asked_[id], nullptr);
        if (!question) return;  // Counted as lost before it came.
        const std::string_view asked(question->packet);
        const auto byte = [&](size_t at) { return static_cast<uint8_t>(answer[at]); };
        const bool same = answer.size() >= asked.size() &&
                          answer.substr(kHeader, asked.size() - kHeader) == asked.substr(kHeader);
        const bool right = echo_ ? answer.size() == asked.size()
                                 : (byte(2) & 0x82) == 0x80 && (byte(3) & 0xF) == question->rcode &&
                                       byte(6) == 0 && byte(7) == question->answers &&
                                       byte(9) >= question->authorities &&
                                       answer.size() > asked.size() + 12;
        if (!same || !right) give_up("an answer is wrong");
        ++answered_;
        --on_their_way_;
    }

    const bool echo_;
    const std::vector<Question> questions_;
    const UniqueFd fd_;
    std::vector<const Question*> asked_;  ///< by id; nullptr: not on its way
    Datagrams outgoing_, incoming_;
    size_t next_question_ = 0;
    uint16_t next_id_ = 0;
    unsigned on_their_way_ = 0;
    uint64_t answered_ = 0, lost_ = 0;
};

}  // namespace

std::string question_for(const std::string& name, uint16_t type) {
    // Id 0, recursion wished, one question.
    std::string out("\0\0\1\0\0\1\0\0\0\0\0\0", kHeader);
    for (const std::string_view label : split(name, '.')) {
        out.push_back(static_cast<char>(label.size()));
        out.append(label);
    }
    out.append({'\0', '\0', static_cast<char>(type), '\0', '\1'});
    return out;
}

void ask_dns(const DnsServer& server, const std::string& load, int seconds) {
    Asker(server, questions_of(load)).ask_for(seconds);
}

}  // namespace kin::bench
