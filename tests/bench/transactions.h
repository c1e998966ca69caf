#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

namespace kin::bench {

/// TCP transactions: one byte there (or many), one byte back. Both sides check each other's bytes, and
/// the server counts, so that what was measured is known to have happened.

inline constexpr uint16_t kTransactionPort = 7000;
inline constexpr size_t kBulkBytes = 1 << 20;

enum class Transaction : uint8_t {
    kRequest,     ///< rr: a request on a connection that is open.
    kConnection,  ///< crr: connect, one request, the server closes, the client closes.
    kBulk,        ///< A request with kBulkBytes behind it, on a connection that is open.
};

/// Client and server on one processor: what the clock shows then is what both and the kernel's work
/// between them cost.
void share_one_processor();

/// Answers on kTransactionPort of the namespace that the caller is in; never returns. `ready`
/// becomes 1 once it listens; `served` counts.
[[noreturn]] void serve_transactions(std::atomic<uint64_t>& ready, std::atomic<uint64_t>& served);

/// Microseconds per transaction of `count` in all: the median of ten parts, so that an interruption
/// does not show. Nothing if TCP had to send a segment twice. A wrong or missing answer ends the
/// process.
std::optional<double> ask_transactions(const std::string& address, Transaction kind, int count);

}  // namespace kin::bench
