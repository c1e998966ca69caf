#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "dns/reply.h"

namespace kin::dns {

/// How often one coredns pod was asked for what, and what it answered: the numbers behind its
/// port 9153, under CoreDNS' names. Owned by the data loop.
class Counters {
public:
    /// One message and the answer to it.
    void note(std::string_view packet, std::string_view answer, Transport transport);
    /// As Prometheus reads it.
    std::string text() const;

private:
    static constexpr size_t kTypes = 12, kRcodes = 17;
    std::array<std::array<uint64_t, kTypes>, 2> requests_{};  // By transport and type.
    std::array<uint64_t, kRcodes> responses_{};
};

/// Takes whole HTTP requests off the front of `input`, and appends what answers them: the counters
/// at /metrics, 404 elsewhere. Gives the bytes taken. Pure.
size_t answer_metrics(const Counters& counters, std::string_view input, std::string& out);

}  // namespace kin::dns
