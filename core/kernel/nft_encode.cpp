#include "core/kernel/nft_encode.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include <cstring>

#include "core/base/assert.h"
#include "core/base/strings.h"

namespace kin::nft {

namespace {

using TablePtr = std::unique_ptr<nftnl_table, FreeWith<nftnl_table_free>>;
using ChainPtr = std::unique_ptr<nftnl_chain, FreeWith<nftnl_chain_free>>;
using RulePtr = std::unique_ptr<nftnl_rule, FreeWith<nftnl_rule_free>>;
using SetPtr = std::unique_ptr<nftnl_set, FreeWith<nftnl_set_free>>;

constexpr size_t kScratchBytes = 256 * 1024;   // libnftnl checks no bounds; a message has < 66 KB.
constexpr uint32_t kVerdictType = 0xffffff00;  // NFT_DATA_VERDICT as a data type.

/// A fresh object of libnftnl; out of memory is the end.
template <class Pointer, class Allocate>
Pointer made(Allocate&& allocate) {
    Pointer pointer(allocate());
    KIN_ASSERT(pointer != nullptr);
    return pointer;
}

uint32_t hook_number(Hook hook) {
    switch (hook) {
        case Hook::kPrerouting:
            return NF_INET_PRE_ROUTING;
        case Hook::kInput:
            return NF_INET_LOCAL_IN;
        case Hook::kForward:
            return NF_INET_FORWARD;
        case Hook::kOutput:
            return NF_INET_LOCAL_OUT;
        case Hook::kPostrouting:
            return NF_INET_POST_ROUTING;
    }
    return 0;
}

SetPtr named_set(const std::string& table, const SetShape& shape) {
    auto set = made<SetPtr>(nftnl_set_alloc);
    nftnl_set_set_str(set.get(), NFTNL_SET_TABLE, table.c_str());
    nftnl_set_set_str(set.get(), NFTNL_SET_NAME, shape.name.c_str());
    return set;
}

nftnl_set_elem& new_element(nftnl_set& set) {
    nftnl_set_elem* element = nftnl_set_elem_alloc();
    KIN_ASSERT(element != nullptr);
    nftnl_set_elem_add(&set, element);  // The set owns it now.
    return *element;
}

void set_bytes(nftnl_set_elem& element, uint16_t attribute, std::string_view bytes) {
    nftnl_set_elem_set(&element, attribute, bytes.data(), static_cast<uint32_t>(bytes.size()));
}

bool one_field_intervals(const SetShape& shape) {
    return shape.keys == SetShape::Keys::kIntervals && shape.key.size() == 1;
}

/// Intervals of one field are two elements: where they start and the first key behind them.
/// Intervals of several fields are one element with two corners.
nftnl_set_elem& add_key(nftnl_set& set, const SetShape& shape, const Range& range) {
    nftnl_set_elem& element = new_element(set);
    set_bytes(element, NFTNL_SET_ELEM_KEY, encode_key(shape.key, range.first));
    if (shape.keys == SetShape::Keys::kIntervals && shape.key.size() > 1)
        set_bytes(element, NFTNL_SET_ELEM_KEY_END, encode_key(shape.key, range.last));
    return element;
}

void add_interval_end(nftnl_set& set, const SetShape& shape, const Range& range) {
    if (!one_field_intervals(shape)) return;
    const uint32_t behind = range.last[0] + 1;
    if (behind == 0) return;  // Up to the last address: the interval stays open.
    nftnl_set_elem& end = new_element(set);
    set_bytes(end, NFTNL_SET_ELEM_KEY, encode_key(shape.key, Key(behind)));
    nftnl_set_elem_set_u32(&end, NFTNL_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
}

void set_data(nftnl_set_elem& target, const SetShape& shape, const Element& element) {
    if (const auto* verdict = std::get_if<Verdict>(&element.data)) {
        nftnl_set_elem_set_u32(&target, NFTNL_SET_ELEM_VERDICT, verdict_number(verdict->kind));
        if (!verdict->chain.empty())
            nftnl_set_elem_set_str(&target, NFTNL_SET_ELEM_CHAIN, verdict->chain.c_str());
    }
    const auto* fields = std::get_if<Fields>(&shape.data);
    if (const auto* key = std::get_if<Key>(&element.data); key && fields)
        set_bytes(target, NFTNL_SET_ELEM_DATA, encode_key(*fields, *key));
    if (!element.comment.empty())
        set_bytes(target, NFTNL_SET_ELEM_USERDATA, comment_userdata(element.comment));
}

}  // namespace

uint32_t verdict_number(Verdict::Kind kind) {
    switch (kind) {
        case Verdict::Kind::kAccept:
            return NF_ACCEPT;
        case Verdict::Kind::kDrop:
            return NF_DROP;
        case Verdict::Kind::kReturn:
            return static_cast<uint32_t>(NFT_RETURN);
        case Verdict::Kind::kJump:
            return static_cast<uint32_t>(NFT_JUMP);
        case Verdict::Kind::kGoto:
            return static_cast<uint32_t>(NFT_GOTO);
    }
    return NF_DROP;
}

Transaction::Transaction(uint32_t first_sequence, uint32_t generation)
    : first_sequence_(first_sequence), sequence_(first_sequence) {
    scratch_.resize(kScratchBytes);
    nlmsghdr* begin = nftnl_batch_begin(scratch_.data(), sequence_++);
    mnl_attr_put_u32(begin, NFNL_BATCH_GENID, htonl(generation));
    bytes_.append(scratch_.data(), begin->nlmsg_len);
    whats_.emplace_back("transaction");
}

template <class Build>
void Transaction::message(uint16_t type, uint16_t flags, std::string what, Build&& build) {
    nlmsghdr* header = nftnl_nlmsg_build_hdr(scratch_.data(), type, NFPROTO_IPV4, flags, sequence_);
    build(header);
    last_message_ = bytes_.size();
    last_sequence_ = sequence_++;
    bytes_.append(scratch_.data(), header->nlmsg_len);
    whats_.push_back(std::move(what));
}

void Transaction::finish() {
    KIN_ASSERT(last_sequence_ != 0);
    reinterpret_cast<nlmsghdr*>(bytes_.data() + last_message_)->nlmsg_flags |= NLM_F_ACK;
    const nlmsghdr* end = nftnl_batch_end(scratch_.data(), sequence_++);
    bytes_.append(scratch_.data(), end->nlmsg_len);
}

std::string_view Transaction::what(uint32_t sequence) const {
    const uint32_t index = sequence - first_sequence_;
    return index < whats_.size() ? std::string_view(whats_[index]) : "transaction";
}

void Transaction::add(const Change& change) {
    using Hooked = Change::Hooked;
    const uint32_t flags = change.hooked == Hooked::kDormant ? NFT_TABLE_F_DORMANT : 0;
    const std::string& table = change.table;
    if (change.start == Change::Start::kReplace) {
        remove_table(table);
        add_table(table, change.table_comment, flags);
    }
    // What others refer to comes before them when added and after them when removed.
    for (const Chain& chain : change.added_chains) add_chain(table, chain);
    for (const SetShape& shape : change.added_sets) add_set(table, shape);
    for (const Chain& chain : change.rewritten_chains) flush_chain(table, chain.name);
    for (const std::string& chain : change.removed_chains) flush_chain(table, chain);
    for (const ElementChange& elements : change.elements) remove_elements(table, elements);
    for (const ElementChange& elements : change.elements) add_elements(table, elements);
    for (const Chain& chain : change.added_chains) add_rules(table, chain);
    for (const Chain& chain : change.rewritten_chains) add_rules(table, chain);
    for (const std::string& set : change.removed_sets) delete_set(table, set);
    for (const std::string& chain : change.removed_chains) delete_chain(table, chain);
    if (change.hooked == Hooked::kAwake) add_table(table, {}, 0);
}

void Transaction::remove_table(const std::string& table) {
    add_table(table, {}, 0);  // Deleting needs something to delete: made just to be removed again.
    delete_table(table);
}

void Transaction::add_table(const std::string& table, const std::string& comment, uint32_t flags) {
    const auto object = made<TablePtr>(nftnl_table_alloc);
    nftnl_table_set_str(object.get(), NFTNL_TABLE_NAME, table.c_str());
    nftnl_table_set_u32(object.get(), NFTNL_TABLE_FLAGS, flags);
    if (!comment.empty()) {
        const std::string userdata = comment_userdata(comment);
        nftnl_table_set_data(object.get(), NFTNL_TABLE_USERDATA, userdata.data(),
                             static_cast<uint32_t>(userdata.size()));
    }
    message(NFT_MSG_NEWTABLE, NLM_F_CREATE, cat("add table ", table),
            [&](nlmsghdr* header) { nftnl_table_nlmsg_build_payload(header, object.get()); });
}

void Transaction::delete_table(const std::string& table) {
    const auto object = made<TablePtr>(nftnl_table_alloc);
    nftnl_table_set_str(object.get(), NFTNL_TABLE_NAME, table.c_str());
    message(NFT_MSG_DELTABLE, 0, cat("delete table ", table),
            [&](nlmsghdr* header) { nftnl_table_nlmsg_build_payload(header, object.get()); });
}

void Transaction::add_chain(const std::string& table, const Chain& chain) {
    const auto object = made<ChainPtr>(nftnl_chain_alloc);
    nftnl_chain_set_str(object.get(), NFTNL_CHAIN_TABLE, table.c_str());
    nftnl_chain_set_str(object.get(), NFTNL_CHAIN_NAME, chain.name.c_str());
    if (chain.base) {
        const bool nat = chain.base->type == Base::Type::kNat;
        nftnl_chain_set_str(object.get(), NFTNL_CHAIN_TYPE, nat ? "nat" : "filter");
        nftnl_chain_set_u32(object.get(), NFTNL_CHAIN_HOOKNUM, hook_number(chain.base->hook));
        nftnl_chain_set_s32(object.get(), NFTNL_CHAIN_PRIO, chain.base->priority);
        nftnl_chain_set_u32(object.get(), NFTNL_CHAIN_POLICY, verdict_number(chain.base->policy));
    }
    if (!chain.comment.empty()) {
        const std::string userdata = comment_userdata(chain.comment);
        nftnl_chain_set_data(object.get(), NFTNL_CHAIN_USERDATA, userdata.data(),
                             static_cast<uint32_t>(userdata.size()));
    }
    message(NFT_MSG_NEWCHAIN, NLM_F_CREATE | NLM_F_EXCL, cat("add chain ", chain.name),
            [&](nlmsghdr* header) { nftnl_chain_nlmsg_build_payload(header, object.get()); });
}

void Transaction::flush_chain(const std::string& table, const std::string& chain) {
    const auto object = made<RulePtr>(nftnl_rule_alloc);
    nftnl_rule_set_str(object.get(), NFTNL_RULE_TABLE, table.c_str());
    nftnl_rule_set_str(object.get(), NFTNL_RULE_CHAIN, chain.c_str());
    message(NFT_MSG_DELRULE, 0, cat("flush chain ", chain),
            [&](nlmsghdr* header) { nftnl_rule_nlmsg_build_payload(header, object.get()); });
}

void Transaction::delete_chain(const std::string& table, const std::string& chain) {
    const auto object = made<ChainPtr>(nftnl_chain_alloc);
    nftnl_chain_set_str(object.get(), NFTNL_CHAIN_TABLE, table.c_str());
    nftnl_chain_set_str(object.get(), NFTNL_CHAIN_NAME, chain.c_str());
    message(NFT_MSG_DELCHAIN, 0, cat("delete chain ", chain),
            [&](nlmsghdr* header) { nftnl_chain_nlmsg_build_payload(header, object.get()); });
}

void Transaction::add_rules(const std::string& table, const Chain& chain) {
    for (const Rule& rule : chain.rules) {
        const auto object = made<RulePtr>(nftnl_rule_alloc);
        nftnl_rule_set_str(object.get(), NFTNL_RULE_TABLE, table.c_str());
        nftnl_rule_set_str(object.get(), NFTNL_RULE_CHAIN, chain.name.c_str());
        if (!rule.comment.empty()) {
            const std::string userdata = comment_userdata(rule.comment);
            nftnl_rule_set_data(object.get(), NFTNL_RULE_USERDATA, userdata.data(),
                                static_cast<uint32_t>(userdata.size()));
        }
        for (const Statement& statement : rule.statements) add_expressions(*object, statement);
        message(NFT_MSG_NEWRULE, NLM_F_CREATE | NLM_F_APPEND,
                cat("add rule to chain ", chain.name, ": ", to_text(rule)),
                [&](nlmsghdr* header) { nftnl_rule_nlmsg_build_payload(header, object.get()); });
    }
}

void Transaction::add_set(const std::string& table, const SetShape& shape) {
    const auto set = named_set(table, shape);
    const KeyLayout key = layout_of(shape.key);
    uint32_t flags = 0;
    nftnl_set_set_u32(set.get(), NFTNL_SET_ID, next_set_id_++);
    nftnl_set_set_u32(set.get(), NFTNL_SET_KEY_TYPE, key.type);
    nftnl_set_set_u32(set.get(), NFTNL_SET_KEY_LEN, key.bytes);
    if (shape.is_map()) {
        const auto* fields = std::get_if<Fields>(&shape.data);
        const KeyLayout data = fields ? layout_of(*fields) : KeyLayout{kVerdictType, 0, 0, {}};
        flags |= NFT_SET_MAP;
        nftnl_set_set_u32(set.get(), NFTNL_SET_DATA_TYPE, data.type);
        nftnl_set_set_u32(set.get(), NFTNL_SET_DATA_LEN, data.bytes);
    }
    if (shape.keys == SetShape::Keys::kIntervals) {
        flags |= NFT_SET_INTERVAL;
        if (shape.key.size() > 1) {
            flags |= NFT_SET_CONCAT;
            nftnl_set_set_data(set.get(), NFTNL_SET_DESC_CONCAT, key.part_bytes.data(),
                               static_cast<uint32_t>(key.part_bytes.size()));
        }
    }
    if (shape.keys == SetShape::Keys::kLearned) {
        flags |= NFT_SET_EVAL | NFT_SET_TIMEOUT;
        nftnl_set_set_u32(set.get(), NFTNL_SET_DESC_SIZE, 65'535);
    }
    nftnl_set_set_u32(set.get(), NFTNL_SET_FLAGS, flags);
    const std::string userdata = set_userdata(shape);
    nftnl_set_set_data(set.get(), NFTNL_SET_USERDATA, userdata.data(),
                       static_cast<uint32_t>(userdata.size()));
    if (shape.counting == SetShape::Counting::kPerElement)
        nftnl_set_add_expr(set.get(), nftnl_expr_alloc("counter"));
    message(NFT_MSG_NEWSET, NLM_F_CREATE | NLM_F_EXCL,
            cat("add ", shape.is_map() ? "map " : "set ", shape.name),
            [&](nlmsghdr* header) { nftnl_set_nlmsg_build_payload(header, set.get()); });
}

void Transaction::delete_set(const std::string& table, const std::string& name) {
    const auto set = named_set(table, SetShape{name, {}, {}, {}, {}, {}});
    message(NFT_MSG_DELSET, 0, cat("delete set ", name),
            [&](nlmsghdr* header) { nftnl_set_nlmsg_build_payload(header, set.get()); });
}

void Transaction::add_elements(const std::string& table, const ElementChange& change) {
    if (change.added.empty()) return;
    const auto set = named_set(table, change.set);
    for (const auto& [range, element] : change.added) {
        set_data(add_key(*set, change.set, range), change.set, element);
        add_interval_end(*set, change.set, range);
    }
    elements(NFT_MSG_NEWSETELEM, *set, cat("add elements to ", change.set.name));
}

void Transaction::remove_elements(const std::string& table, const ElementChange& change) {
    if (change.removed.empty()) return;
    const auto set = named_set(table, change.set);
    for (const Range& range : change.removed) {
        add_key(*set, change.set, range);
        add_interval_end(*set, change.set, range);
    }
    elements(NFT_MSG_DELSETELEM, *set, cat("delete elements of ", change.set.name));
}

void Transaction::elements(uint16_t type, nftnl_set& set, std::string what) {
    const uint16_t flags = type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE | NLM_F_EXCL : 0;
    using Iterator = std::unique_ptr<nftnl_set_elems_iter, FreeWith<nftnl_set_elems_iter_destroy>>;
    const Iterator iterator(nftnl_set_elems_iter_create(&set));
    KIN_ASSERT(iterator != nullptr);
    int more = 1;  // An attribute's length has 16 bits, so many elements need several messages.
    while (more > 0) {
        message(type, flags, what, [&](nlmsghdr* header) {
            more = nftnl_set_elems_nlmsg_build_payload_iter(header, iterator.get());
        });
    }
}

}  // namespace kin::nft
