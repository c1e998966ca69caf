#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/kernel/nft_change.h"

struct nftnl_expr;
struct nftnl_rule;
struct nftnl_set;
struct nlmsghdr;

namespace kin::nft {

/// Ends a C library's object with its own function; one alias per type.
template <auto Free>
struct FreeWith {
    template <class T>
    void operator()(T* object) const {
        Free(object);
    }
};

/// The netlink messages of one transaction, in the order in which the kernel must see them.
class Transaction {
public:
    /// The kernel refuses the transaction (ERESTART) unless its rules' generation is `generation`.
    Transaction(uint32_t first_sequence, uint32_t generation);

    void add(const Change& change);
    /// Deletes the table if there is one.
    void remove_table(const std::string& table);
    /// Closes the transaction; its last change asks for an acknowledgement. Once, at the end.
    void finish();

    const std::string& bytes() const { return bytes_; }
    uint32_t first_sequence() const { return first_sequence_; }
    /// The sequence number that will be acknowledged.
    uint32_t last_sequence() const { return last_sequence_; }
    /// The sequence number behind the transaction's own; valid after finish().
    uint32_t end_sequence() const { return sequence_; }
    /// What the message with this number was to do: "add rule to services: ...".
    std::string_view what(uint32_t sequence) const;

private:
    template <class Build>
    void message(uint16_t type, uint16_t flags, std::string what, Build&& build);
    void add_table(const std::string& table, const std::string& comment, uint32_t flags);
    void delete_table(const std::string& table);
    void add_chain(const std::string& table, const Chain& chain);
    void flush_chain(const std::string& table, const std::string& chain);
    void delete_chain(const std::string& table, const std::string& chain);
    void add_rules(const std::string& table, const Chain& chain);
    void add_set(const std::string& table, const SetShape& shape);
    void delete_set(const std::string& table, const std::string& set);
    void add_elements(const std::string& table, const ElementChange& change);
    void remove_elements(const std::string& table, const ElementChange& change);
    void elements(uint16_t type, nftnl_set& set, std::string what);

    uint32_t first_sequence_;
    uint32_t sequence_;
    uint32_t last_sequence_ = 0;
    uint32_t next_set_id_ = 1;
    std::string bytes_;
    size_t last_message_ = 0;  // Where in bytes_ the last change starts.
    std::vector<std::string> whats_;
    std::string scratch_;
};

/// Adds the expressions of one statement, as nft itself sends them, so that nft lists it back.
void add_expressions(nftnl_rule& rule, const Statement& statement);

/// The kernel's number of a verdict.
uint32_t verdict_number(Verdict::Kind kind);

/// How the kernel stores keys of these fields.
struct KeyLayout {
    uint32_t type = 0;  ///< nft's own number, kept by the kernel for listings.
    uint32_t bytes = 0;
    uint32_t byte_order = 0;
    std::vector<uint8_t> part_bytes;
};
KeyLayout layout_of(const Fields& fields);
/// A key as it stands in registers: numbers of packets in network byte order, others in the host's;
/// several parts padded to four bytes each.
std::string encode_key(const Fields& fields, const Key& key);
Key decode_key(const Fields& fields, std::string_view bytes);
/// What nft keeps beside a set to list it: the `typeof` of keys and data, and the comment.
std::string set_userdata(const SetShape& shape);
/// A comment beside an element, rule, chain or table (their type number is 0 alike).
std::string comment_userdata(std::string_view comment);

}  // namespace kin::nft
