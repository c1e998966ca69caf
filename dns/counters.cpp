#include "dns/counters.h"

#include <algorithm>

#include "core/base/strings.h"
#include "dns/wire.h"

namespace kin::dns {

namespace {

constexpr size_t kHeaderSize = 12;
constexpr size_t kMaxHead = 8192;

struct NamedType {
    uint16_t number;
    std::string_view name;
};
// The last one stands for all others, as in CoreDNS.
constexpr std::array<NamedType, 12> kNames{{{1, "A"},
                                            {28, "AAAA"},
                                            {12, "PTR"},
                                            {33, "SRV"},
                                            {5, "CNAME"},
                                            {16, "TXT"},
                                            {2, "NS"},
                                            {6, "SOA"},
                                            {15, "MX"},
                                            {255, "ANY"},
                                            {65, "HTTPS"},
                                            {0, "other"}}};
constexpr std::array<std::string_view, 17> kRcodeNames{
    "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "6",  "7",      "8",
    "9",       "10",      "11",       "12",       "13",     "14",      "15", "BADVERS"};

/// The type of a message's first question; 0 if there is none.
uint16_t type_of(std::string_view packet) {
    size_t at = kHeaderSize;
    while (at < packet.size() && packet[at] != 0) {
        at += 1 + static_cast<size_t>(static_cast<uint8_t>(packet[at]));
    }
    if (at + 2 >= packet.size()) return 0;
    return static_cast<uint16_t>(static_cast<uint8_t>(packet[at + 1]) << 8 |
                                 static_cast<uint8_t>(packet[at + 2]));
}

}  // namespace

void Counters::note(std::string_view packet, std::string_view answer, Transport transport) {
    const uint16_t type = type_of(packet);
    size_t index = 0;
    while (index + 1 < kTypes && kNames[index].number != type) ++index;
    ++requests_[transport == Transport::kTcp ? 1 : 0][index];
    if (answer.size() >= kHeaderSize) ++responses_[static_cast<uint8_t>(answer[3]) & 15];
}

std::string Counters::text() const {
    std::string out =
        "# HELP coredns_build_info A metric with a constant '1' value labeled by version.\n"
        "# TYPE coredns_build_info gauge\n"
        "coredns_build_info{goversion=\"\",revision=\"kin\",version=\"1.12.1\"} 1\n"
        "# HELP coredns_dns_requests_total Counter of DNS requests made per zone, protocol and "
        "family.\n"
        "# TYPE coredns_dns_requests_total counter\n";
    for (size_t transport = 0; transport < requests_.size(); ++transport) {
        for (size_t type = 0; type < kTypes; ++type) {
            if (requests_[transport][type] == 0) continue;
            out += cat("coredns_dns_requests_total{family=\"1\",proto=\"",
                       transport == 0 ? "udp" : "tcp", "\",server=\"dns://:53\",type=\"",
                       kNames[type].name, "\",view=\"\",zone=\".\"} ", requests_[transport][type],
                       "\n");
        }
    }
    out +=
        "# HELP coredns_dns_responses_total Counter of response status codes.\n"
        "# TYPE coredns_dns_responses_total counter\n";
    for (size_t code = 0; code < kRcodes; ++code) {
        if (responses_[code] == 0) continue;
        out += cat("coredns_dns_responses_total{plugin=\"kubernetes\",rcode=\"", kRcodeNames[code],
                   "\",server=\"dns://:53\",view=\"\",zone=\".\"} ", responses_[code], "\n");
    }
    return out;
}

size_t answer_metrics(const Counters& counters, std::string_view input, std::string& out) {
    size_t taken = 0;
    while (true) {
        const size_t end = input.find("\r\n\r\n", taken);
        // Nobody sends that much to ask for this; what is no request is dropped unanswered.
        if (end == std::string_view::npos)
            return input.size() - taken > kMaxHead ? input.size() : taken;
        const std::string_view head = input.substr(taken, end - taken);
        taken = end + 4;
        const bool known = head.starts_with("GET /metrics ") || head.starts_with("GET /metrics?");
        const std::string body = known ? counters.text() : "404 page not found\n";
        out += cat("HTTP/1.1 ", known ? "200 OK" : "404 Not Found",
                   "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: ",
                   body.size(), "\r\n\r\n", body);
    }
}

}  // namespace kin::dns
