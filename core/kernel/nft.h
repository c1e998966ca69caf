#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/ip.h"

/// nftables as values: a table is built, compared, printed, interpreted and written as a whole.
///
/// Pure: nothing here talks to the kernel. The words are those of nft(8). Only family ip.
namespace kin::nft {

/// Calls the alternative that fits: std::visit(Overloaded{[](const Jump&) {}, ...}, statement).
template <class... F>
struct Overloaded : F... {
    using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;  // Clang 14, which fuzzes, asks for it.

enum class L4 : uint8_t { kIcmp = 1, kTcp = 6, kUdp = 17, kSctp = 132 };
std::string name_of(L4 l4);  ///< "tcp"

/// Something of a packet that a key is made of.
struct Field {
    enum class Kind : uint8_t {
        kSourceMac,           ///< ether saddr: 0a:58, the same in all, and four bytes
        kSourceAddress,       ///< ip saddr
        kDestinationAddress,  ///< ip daddr
        kProtocol,            ///< meta l4proto
        kSourcePort,          ///< th sport
        kDestinationPort,     ///< th dport
        kMark,                ///< meta mark
        kRandom,              ///< numgen random mod N: a new draw for every packet
    };
    Kind kind;
    uint32_t modulus = 0;  ///< Of kRandom.
    auto operator<=>(const Field&) const = default;
};
inline constexpr Field kSourceMac{Field::Kind::kSourceMac, 0};
inline constexpr Field kSourceAddress{Field::Kind::kSourceAddress, 0};
inline constexpr Field kDestinationAddress{Field::Kind::kDestinationAddress, 0};
inline constexpr Field kProtocol{Field::Kind::kProtocol, 0};
inline constexpr Field kSourcePort{Field::Kind::kSourcePort, 0};
inline constexpr Field kDestinationPort{Field::Kind::kDestinationPort, 0};
inline constexpr Field kMark{Field::Kind::kMark, 0};
constexpr Field random_mod(uint32_t modulus) { return {Field::Kind::kRandom, modulus}; }
using Fields = std::vector<Field>;

/// Up to five numbers that stand for fields, in host byte order: 10.96.0.10 . udp . 53.
class Key {
public:
    static constexpr size_t kMaxParts = 5;

    Key() = default;
    /// Each part an Ipv4, an L4 or a number.
    template <class... Parts>
    explicit Key(const Parts&... parts) {
        static_assert(sizeof...(Parts) <= kMaxParts);
        (push(number_of(parts)), ...);
    }
    /// This key with one more part behind.
    Key with(uint32_t part) const {
        Key longer = *this;
        longer.push(part);
        return longer;
    }
    void push(uint32_t part);
    size_t size() const { return size_; }
    uint32_t operator[](size_t index) const { return parts_[index]; }
    auto operator<=>(const Key&) const = default;

private:
    static uint32_t number_of(Ipv4 address) { return address.value; }
    static uint32_t number_of(L4 l4) { return static_cast<uint32_t>(l4); }
    static uint32_t number_of(uint32_t number) { return number; }

    std::array<uint32_t, kMaxParts> parts_{};
    uint8_t size_ = 0;
};

/// What an element stands for: one key, or in sets with intervals every key that lies, part by
/// part, between `first` and `last` (both belong to it).
struct Range {
    Range(const Key& only) : first(only), last(only) {}
    Range(const Key& first_, const Key& last_) : first(first_), last(last_) {}
    /// All addresses of a block.
    explicit Range(const Cidr& block);
    bool contains(const Key& key) const;
    auto operator<=>(const Range&) const = default;

    Key first;
    Key last;
};

/// What happens to a packet next.
struct Verdict {
    enum class Kind : uint8_t { kAccept, kDrop, kReturn, kJump, kGoto };
    Kind kind = Kind::kAccept;
    std::string chain;  ///< Of kJump and kGoto.
    auto operator<=>(const Verdict&) const = default;
};
inline Verdict accept() { return {Verdict::Kind::kAccept, {}}; }
inline Verdict drop() { return {Verdict::Kind::kDrop, {}}; }
inline Verdict return_() { return {Verdict::Kind::kReturn, {}}; }
inline Verdict jump(std::string chain) { return {Verdict::Kind::kJump, std::move(chain)}; }
inline Verdict goto_(std::string chain) { return {Verdict::Kind::kGoto, std::move(chain)}; }

/// The right side of an element: nothing in a set, a verdict or a key in a map.
using Data = std::variant<std::monostate, Verdict, Key>;

struct Element {
    Data data;
    std::string comment;  ///< Leads back to the object: "shop/web:http". Clipped at 128 bytes.
    auto operator<=>(const Element&) const = default;
};
using Elements = std::map<Range, Element>;

/// Without its elements, what kind of set or map it is.
struct SetShape {
    /// kLearned: packets add the keys (UpdateSet) and each ends after its timeout; they are the
    /// kernel's alone and no part of the value. There can be 65,535, the kernel's own default.
    enum class Keys : uint8_t { kExact, kIntervals, kLearned };
    enum class Counting : uint8_t { kOff, kPerElement };

    std::string name;
    Fields key;
    std::variant<std::monostate, Verdict, Fields> data;  ///< A set, a verdict map, a map to fields.
    Keys keys = Keys::kExact;
    Counting counting = Counting::kOff;
    std::string comment;

    bool is_map() const { return data.index() != 0; }
    auto operator<=>(const SetShape&) const = default;
};
/// A set of keys, or a map from keys to verdicts or to other keys. The intervals of a one-field set
/// must not overlap.
struct Set {
    SetShape shape;
    Elements elements;
    auto operator<=>(const Set&) const = default;
};

// ---- Statements. A new one does not compile until text, netlink and tracer know it. ----

enum class Sense : uint8_t { kIs, kIsNot };
enum class Side : uint8_t { kSource, kDestination };
enum class Direction : uint8_t { kIn, kOut };

struct AddressMatch {  // ip saddr != 10.244.0.0/16
    Side side;
    Cidr block;
    Sense sense = Sense::kIs;
    auto operator<=>(const AddressMatch&) const = default;
};
struct ProtocolMatch {  // meta l4proto tcp
    L4 l4;
    auto operator<=>(const ProtocolMatch&) const = default;
};
struct PortMatch {  // tcp dport 80-90
    L4 l4;
    Side side;
    uint16_t first;
    uint16_t last;
    auto operator<=>(const PortMatch&) const = default;
};
struct InterfaceMatch {  // iifname "veth*"
    Direction direction;
    std::string name;  ///< With a final * every name that starts so.
    Sense sense = Sense::kIs;
    auto operator<=>(const InterfaceMatch&) const = default;
};
/// Bits of conntrack's state of a connection.
enum CtState : uint8_t {
    kCtInvalid = 1,
    kCtEstablished = 2,
    kCtRelated = 4,
    kCtNew = 8,
    kCtUntracked = 64,
};
struct CtStateMatch {  // ct state established,related
    uint8_t states;
    auto operator<=>(const CtStateMatch&) const = default;
};
struct CtDnatMatch {  // ct status dnat: the connection's destination was rewritten
    Sense sense = Sense::kIs;
    auto operator<=>(const CtDnatMatch&) const = default;
};
struct CtMarkMatch {  // ct mark 0x00000001: what somebody wrote on the connection
    uint32_t value;
    Sense sense = Sense::kIs;
    auto operator<=>(const CtMarkMatch&) const = default;
};
struct LocalMatch {  // fib daddr type local
    Side side;
    Sense sense = Sense::kIs;
    auto operator<=>(const LocalMatch&) const = default;
};
struct MarkMatch {  // meta mark & 0x00004000 == 0x00004000
    uint32_t mask;
    uint32_t value;
    auto operator<=>(const MarkMatch&) const = default;
};
struct SetMatch {  // ip saddr . ip daddr @hairpin
    Fields key;
    std::string set;
    Sense sense = Sense::kIs;
    auto operator<=>(const SetMatch&) const = default;
};
struct VerdictMap {  // ip daddr . meta l4proto . th dport vmap @service-ips
    Fields key;
    std::string map;
    auto operator<=>(const VerdictMap&) const = default;
};
struct UpdateSet {  // update @affinity { ip saddr timeout 3h }: in the set, for that long from now
    Fields key;
    std::string set;
    uint32_t timeout_s;
    auto operator<=>(const UpdateSet&) const = default;
};
struct SetMark {  // meta mark set meta mark | 0x00004000
    enum class Operation : uint8_t { kAssign, kOr, kXor };
    Operation operation;
    uint32_t value;
    auto operator<=>(const SetMark&) const = default;
};
struct Counter {  // counter
    auto operator<=>(const Counter&) const = default;
};
struct Log {  // log prefix "denied " group 5
    std::string prefix;
    uint16_t group;
    auto operator<=>(const Log&) const = default;
};
struct Reject {  // reject with tcp reset
    enum class With : uint8_t { kPortUnreachable, kAdminProhibited, kTcpReset };
    With with = With::kPortUnreachable;
    auto operator<=>(const Reject&) const = default;
};
struct Dnat {  // tcp dport 80 ... dnat to 10.244.1.2:8080; port 0 stays
    Ipv4 address;
    uint16_t port;
    auto operator<=>(const Dnat&) const = default;
};
struct DnatMap {  // dnat ip to ip daddr . ... . numgen random mod 2 map @endpoints
    Fields key;
    std::string map;  ///< To ip daddr . th dport.
    auto operator<=>(const DnatMap&) const = default;
};
struct Snat {  // snat to 172.30.0.11 fully-random
    Ipv4 address;
    auto operator<=>(const Snat&) const = default;
};
struct Masquerade {  // masquerade fully-random
    auto operator<=>(const Masquerade&) const = default;
};

using Statement =
    std::variant<AddressMatch, ProtocolMatch, PortMatch, InterfaceMatch, CtStateMatch, CtDnatMatch,
                 CtMarkMatch, LocalMatch, MarkMatch, SetMatch, VerdictMap, UpdateSet, SetMark,
                 Counter, Log, Verdict, Reject, Dnat, DnatMap, Snat, Masquerade>;

struct Rule {
    std::vector<Statement> statements;
    std::string comment;
    auto operator<=>(const Rule&) const = default;
};

enum class Hook : uint8_t { kPrerouting, kInput, kForward, kOutput, kPostrouting };

/// What makes a chain a base chain: where the kernel calls it, and when.
struct Base {
    enum class Type : uint8_t { kFilter, kNat };
    Type type = Type::kFilter;
    Hook hook = Hook::kPrerouting;
    int32_t priority = 0;  ///< Lower comes first. kDstnat, kSrcnat...
    Verdict::Kind policy = Verdict::Kind::kAccept;
    auto operator<=>(const Base&) const = default;
};
inline constexpr int32_t kRawPriority = -300;
inline constexpr int32_t kDstnatPriority = -100;
inline constexpr int32_t kFilterPriority = 0;
inline constexpr int32_t kSrcnatPriority = 100;

struct Chain {
    std::string name;
    std::optional<Base> base;
    std::vector<Rule> rules;
    std::string comment;
    auto operator<=>(const Chain&) const = default;
};

/// A table of family ip with all that is in it. Names are unique among chains and among sets.
struct Table {
    std::string name;
    std::vector<Set> sets;
    std::vector<Chain> chains;
    std::string comment;

    Set* find_set(std::string_view set_name);
    const Set* find_set(std::string_view set_name) const;
    const Chain* find_chain(std::string_view chain_name) const;
    auto operator<=>(const Table&) const = default;
};

/// The table as `nft -s list table ip NAME` prints it, and as `nft -f` reads it. The kernel lists
/// elements of several fields in an order of its own; here they are sorted.
std::string to_text(const Table& table);
std::string to_text(const Statement& statement);
std::string to_text(const Rule& rule);  ///< On one line, comment included.
std::string to_text(const Verdict& verdict);
/// One element as it stands in its set's list: 10.96.0.10 . udp . 53 comment "..." : goto lb-2.
std::string to_text(const SetShape& shape, const Range& range, const Element& element);
/// "ip daddr . meta l4proto . th dport"
std::string to_text(const Fields& fields);
/// As it is written: at most 128 bytes and without the quote that nft cannot read back.
std::string comment_text(std::string_view comment);

}  // namespace kin::nft
