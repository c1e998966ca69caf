#include "core/kernel/nft_netlink.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "core/base/log.h"
#include "core/base/strings.h"
#include "core/kernel/nft_encode.h"

namespace kin::nft {

namespace {

constexpr uint16_t message_type(uint16_t type) {
    return static_cast<uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | type);
}

nfgenmsg family_header(uint8_t family = NFPROTO_IPV4) {
    nfgenmsg header{};
    header.nfgen_family = family;
    header.version = NFNETLINK_V0;
    return header;
}

/// The comment in an element's userdata: type, length, text with its zero.
std::string comment_of(std::string_view userdata) {
    if (userdata.size() < 3 || userdata[0] != 0) return {};
    const auto length = static_cast<uint8_t>(userdata[1]);
    const std::string_view text = userdata.substr(2, length);
    return std::string(text.substr(0, text.find('\0')));
}

Count count_of(const SetShape& shape, const Attributes& in) {
    const auto key_in = [&](uint16_t type) {
        return decode_key(shape.key, in.nest(type).find(NFTA_DATA_VALUE));
    };
    const Key first = key_in(NFTA_SET_ELEM_KEY);
    const Key last = in.has(NFTA_SET_ELEM_KEY_END) ? key_in(NFTA_SET_ELEM_KEY_END) : first;
    const Attributes counter = in.nest(NFTA_SET_ELEM_EXPR).nest(NFTA_EXPR_DATA);
    return {Range(first, last), comment_of(in.find(NFTA_SET_ELEM_USERDATA)),
            counter.be64(NFTA_COUNTER_PACKETS), counter.be64(NFTA_COUNTER_BYTES)};
}

}  // namespace

Result<Nft> Nft::open(const Netns& ns) {
    TRY_ASSIGN(Netlink netlink, Netlink::open(ns, NETLINK_NETFILTER));
    Nft nft(std::move(netlink));
    TRY(nft.refresh_generation());
    return nft;
}

Result<> Nft::refresh_generation() {
    Request request(message_type(NFT_MSG_GETGEN), 0, "ask for the generation of the rules");
    request.put_header(family_header(AF_UNSPEC));
    return netlink_.ask(request, [&](const nlmsghdr& answer) {
        generation_ = Attributes(answer, sizeof(nfgenmsg)).be32(NFTA_GEN_ID);
    });
}

Result<> Nft::commit(const Change& change) {
    Transaction transaction(netlink_.reserve_sequence(), generation_);
    transaction.add(change);
    return send(transaction);
}

Result<> Nft::send(Transaction& transaction) {
    transaction.finish();
    netlink_.reserve_sequence(transaction.end_sequence() - transaction.first_sequence());
    uint32_t failed = 0;
    auto done = netlink_.exchange(transaction.bytes(), transaction.first_sequence(),
                                  transaction.last_sequence(), &failed);
    if (done) {
        ++generation_;  // What a transaction does to it; 0 is left out.
        if (generation_ == 0) ++generation_;
        return Ok{};
    }
    if (done.error().error_number() == ERESTART) {
        ++interventions_;
        TRY(refresh_generation());
        return Error(Errc::kConflict, "somebody else changed the rules of this namespace");
    }
    return std::move(done).context(transaction.what(failed));
}

Result<> Nft::write(Change change) {
    // The messages' headers and set names take some room beside the elements.
    const size_t limit = netlink_.send_limit_bytes() * 3 / 4;
    for (const Change& piece : split(std::move(change), limit)) {
        if (!piece.empty()) TRY(commit(piece));
    }
    return Ok{};
}

Result<> Nft::replace(const Table& table) {
    constexpr int kAttempts = 3;  // Each other transaction in between costs one.
    for (int attempt = 1;; ++attempt) {
        auto done = write(whole(table));
        if (done) {
            trusted_[table.name] = interventions_;
            return done;
        }
        if (done.error().code() != Errc::kConflict || attempt == kAttempts)
            return std::move(done).context(cat("replace nft table ", table.name));
    }
}

Result<> Nft::apply(Change change) {
    if (change.empty()) return Ok{};
    const std::string table = change.table;
    const bool replaces = change.start == Change::Start::kReplace;
    const auto trusted = trusted_.find(table);
    if (!replaces && (trusted == trusted_.end() || trusted->second != interventions_))
        return Error(Errc::kConflict, cat("nft table ", table, " is not known to be ours"));
    auto done = write(std::move(change));
    if (done && replaces) trusted_[table] = interventions_;
    if (!done) trusted_.erase(table);
    return std::move(done).context(cat("change nft table ", table));
}

Result<> Nft::remove(const std::string& table) {
    trusted_.erase(table);
    Transaction transaction(netlink_.reserve_sequence(), generation_);
    transaction.remove_table(table);
    auto done = send(transaction);
    if (!done && done.error().code() == Errc::kConflict) {
        Transaction again(netlink_.reserve_sequence(), generation_);
        again.remove_table(table);
        done = send(again);
    }
    return std::move(done).context(cat("delete nft table ", table));
}

Result<std::vector<Count>> Nft::counts(const std::string& table, const SetShape& shape) {
    Request request(message_type(NFT_MSG_GETSETELEM), 0, cat("read elements of ", shape.name));
    request.put_header(family_header());
    request.put(NFTA_SET_ELEM_LIST_TABLE, table).put(NFTA_SET_ELEM_LIST_SET, shape.name);
    std::vector<Count> counts;
    TRY(netlink_.dump(std::move(request), [&](const nlmsghdr& message) {
        Attributes(message, sizeof(nfgenmsg))
            .nest(NFTA_SET_ELEM_LIST_ELEMENTS)
            .each([&](uint16_t, std::string_view element) {
                counts.push_back(count_of(shape, Attributes(element)));
            });
    }));
    return counts;
}

}  // namespace kin::nft
