#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/kernel/netlink.h"
#include "core/kernel/netns.h"
#include "core/kernel/nft.h"
#include "core/kernel/nft_change.h"

namespace kin::nft {

class Transaction;

/// What has passed an element of a counting set. In NAT maps packets are connections: only the
/// first packet of each looks the element up.
struct Count {
    Range range;
    std::string comment;
    uint64_t packets = 0;
    uint64_t bytes = 0;
};

/// Writes tables into one network namespace.
///
/// A change of ordinary size is one transaction: a packet sees the old rules or the new ones, never
/// a mixture, and on error nothing has changed. What does not fit one message goes in pieces, see
/// split(). All owners of tables in a namespace share one Nft. Owned by the control thread.
class Nft {
public:
    static Result<Nft> open(const Netns& ns);

    /// Makes the kernel hold exactly `table`, whatever it held under this name. The full form, for
    /// the first write and after errors; everyday changes go through apply().
    Result<> replace(const Table& table);
    /// Carries out a change; an empty one costs nothing. Fails with kConflict, changing nothing,
    /// when somebody else has touched any table of the namespace since this table was replaced:
    /// then replace() it. After any other error the table may hold a part of a change that was
    /// split.
    Result<> apply(Change change);
    /// Deletes a table. Already gone is success.
    Result<> remove(const std::string& table);

    /// The counters of a set's elements. Reads the whole set: for people, not for every turn.
    Result<std::vector<Count>> counts(const std::string& table, const SetShape& shape);

private:
    explicit Nft(Netlink netlink) : netlink_(std::move(netlink)) {}
    Result<> refresh_generation();
    Result<> commit(const Change& change);
    Result<> send(Transaction& transaction);
    Result<> write(Change change);

    Netlink netlink_;
    uint32_t generation_ = 0;     // Of the namespace's rules after our last transaction.
    uint32_t interventions_ = 0;  // How often somebody else's transaction came between ours.
    std::map<std::string, uint32_t> trusted_;  // Table -> interventions_ when it was replaced.
};

}  // namespace kin::nft
