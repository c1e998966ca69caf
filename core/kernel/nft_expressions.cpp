// Statements as the kernel's expressions, and keys and userdata as bytes: what nft itself sends
// (nft --debug=netlink,mnl shows it), so that nft lists it back as it was meant.
#include <arpa/inet.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/ip_icmp.h>

#include <algorithm>
#include <cstring>

#include "core/base/assert.h"
#include "core/base/strings.h"
#include "core/kernel/nft_encode.h"

namespace kin::nft {

namespace {

/// The kernel's own number of a field's part in IP and transport headers.
struct HeaderPart {
    uint32_t base;
    uint32_t offset;
    uint32_t bytes;
};
constexpr HeaderPart kSourceMacPart{NFT_PAYLOAD_LL_HEADER, 6, 6};
constexpr HeaderPart kSourceAddressPart{NFT_PAYLOAD_NETWORK_HEADER, 12, 4};
constexpr HeaderPart kDestinationAddressPart{NFT_PAYLOAD_NETWORK_HEADER, 16, 4};
constexpr HeaderPart kSourcePortPart{NFT_PAYLOAD_TRANSPORT_HEADER, 0, 2};
constexpr HeaderPart kDestinationPortPart{NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2};

HeaderPart address_part(Side side) {
    return side == Side::kSource ? kSourceAddressPart : kDestinationAddressPart;
}

/// The register of a key's part: the first in a register of 16 bytes, the others behind it, so many
/// words of four bytes from its start.
uint32_t register_at(size_t words) {
    return words == 0 ? uint32_t{NFT_REG_1} : NFT_REG32_00 + static_cast<uint32_t>(words);
}

class Expressions {
public:
    explicit Expressions(nftnl_rule& rule) : rule_(rule) {}

    nftnl_expr* add(const char* name) {
        nftnl_expr* expression = nftnl_expr_alloc(name);
        KIN_ASSERT(expression != nullptr);
        nftnl_rule_add_expr(&rule_, expression);  // The rule owns it now.
        return expression;
    }
    void payload(const HeaderPart& part, uint32_t target = NFT_REG_1) {
        nftnl_expr* e = add("payload");
        nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, part.base);
        nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, part.offset);
        nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, part.bytes);
        nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, target);
    }
    void load_meta(uint32_t key, uint32_t target = NFT_REG_1) {
        nftnl_expr* e = add("meta");
        nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, key);
        nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, target);
    }
    void load_ct(uint32_t key) {
        nftnl_expr* e = add("ct");
        nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, key);
        nftnl_expr_set_u32(e, NFTNL_EXPR_CT_DREG, NFT_REG_1);
    }
    void compare(uint32_t operation, const void* data, size_t bytes) {
        nftnl_expr* e = add("cmp");
        nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
        nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, operation);
        nftnl_expr_set_data(e, NFTNL_EXPR_CMP_DATA, data, static_cast<uint32_t>(bytes));
    }
    template <class Number>
    void compare(uint32_t operation, Number number) {
        compare(operation, &number, sizeof number);
    }
    /// register 1 = (register 1 & mask) ^ flip
    void bitwise(uint32_t mask, uint32_t flip) {
        nftnl_expr* e = add("bitwise");
        nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
        nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
        nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
        nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, sizeof mask);
        nftnl_expr_set_data(e, NFTNL_EXPR_BITWISE_MASK, &mask, sizeof mask);
        nftnl_expr_set_data(e, NFTNL_EXPR_BITWISE_XOR, &flip, sizeof flip);
    }
    template <class Number>
    void immediate(uint32_t target, Number number) {
        nftnl_expr* e = add("immediate");
        nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, target);
        nftnl_expr_set_data(e, NFTNL_EXPR_IMM_DATA, &number, sizeof number);
    }
    void set_mark() {
        nftnl_expr* e = add("meta");
        nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, NFT_META_MARK);
        nftnl_expr_set_u32(e, NFTNL_EXPR_META_SREG, NFT_REG_1);
    }
    void l4_is(L4 l4) {
        load_meta(NFT_META_L4PROTO);
        compare(NFT_CMP_EQ, static_cast<uint8_t>(l4));
    }
    void load(const Fields& key) {
        // Who asks for a MAC makes sure first that there is one, or nft would list bare offsets.
        if (std::ranges::count(key, kSourceMac) > 0) {
            load_meta(NFT_META_IIFTYPE);
            compare(NFT_CMP_EQ, uint16_t{ARPHRD_ETHER});
        }
        size_t words = 0;
        for (const Field& field : key) {
            load(field, register_at(words));
            words += field == kSourceMac ? 2 : 1;
        }
    }
    nftnl_expr* lookup(const std::string& set) {
        nftnl_expr* e = add("lookup");
        nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
        nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, set.c_str());
        return e;
    }
    nftnl_expr* nat(uint32_t type) {
        nftnl_expr* e = add("nat");
        nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_TYPE, type);
        nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_FAMILY, NFPROTO_IPV4);
        nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_ADDR_MIN, NFT_REG_1);
        return e;
    }

private:
    void load(const Field& field, uint32_t target) {
        switch (field.kind) {
            case Field::Kind::kSourceMac:
                return payload(kSourceMacPart, target);
            case Field::Kind::kSourceAddress:
                return payload(kSourceAddressPart, target);
            case Field::Kind::kDestinationAddress:
                return payload(kDestinationAddressPart, target);
            case Field::Kind::kProtocol:
                return load_meta(NFT_META_L4PROTO, target);
            case Field::Kind::kSourcePort:
                return payload(kSourcePortPart, target);
            case Field::Kind::kDestinationPort:
                return payload(kDestinationPortPart, target);
            case Field::Kind::kMark:
                return load_meta(NFT_META_MARK, target);
            case Field::Kind::kRandom:
                break;
        }
        nftnl_expr* e = add("numgen");
        nftnl_expr_set_u32(e, NFTNL_EXPR_NG_DREG, target);
        nftnl_expr_set_u32(e, NFTNL_EXPR_NG_MODULUS, field.modulus);
        nftnl_expr_set_u32(e, NFTNL_EXPR_NG_TYPE, NFT_NG_RANDOM);
    }

    nftnl_rule& rule_;
};

uint32_t comparison(Sense sense) { return sense == Sense::kIs ? NFT_CMP_EQ : NFT_CMP_NEQ; }

void add(Expressions& out, const AddressMatch& s) {
    HeaderPart part = address_part(s.side);
    const uint32_t address = s.block.address.network_order();
    // A block of whole bytes is compared by its bytes; others are masked first. Three bytes as
    // well: the kernel loads one, two and four inline, but any other number by a call and a copy,
    // which showed in every packet's cost.
    if (s.block.bits == 8 || s.block.bits == 16 || s.block.bits == 32) {
        part.bytes = s.block.bits / 8;
        out.payload(part);
        return out.compare(comparison(s.sense), &address, part.bytes);
    }
    out.payload(part);
    out.bitwise(htonl(s.block.mask()), 0);
    out.compare(comparison(s.sense), address);
}

void add(Expressions& out, const ProtocolMatch& s) { out.l4_is(s.l4); }

void add(Expressions& out, const PortMatch& s) {
    out.l4_is(s.l4);
    out.payload(s.side == Side::kSource ? kSourcePortPart : kDestinationPortPart);
    if (s.first == s.last) return out.compare(NFT_CMP_EQ, htons(s.first));
    out.compare(NFT_CMP_GTE, htons(s.first));
    out.compare(NFT_CMP_LTE, htons(s.last));
}

void add(Expressions& out, const InterfaceMatch& s) {
    out.load_meta(s.direction == Direction::kIn ? NFT_META_IIFNAME : NFT_META_OIFNAME);
    char name[IFNAMSIZ] = {};
    size_t bytes = sizeof name;  // A whole name is compared with the zeros behind it.
    std::string_view wanted = s.name;
    if (wanted.ends_with('*')) {
        wanted.remove_suffix(1);
        bytes = wanted.size();
    }
    std::memcpy(name, wanted.data(), std::min(wanted.size(), sizeof name - 1));
    out.compare(comparison(s.sense), name, bytes);
}

void add(Expressions& out, const CtStateMatch& s) {
    out.load_ct(NFT_CT_STATE);
    out.bitwise(s.states, 0);
    out.compare(NFT_CMP_NEQ, uint32_t{0});
}

void add(Expressions& out, const CtDnatMatch& s) {
    out.load_ct(NFT_CT_STATUS);
    out.bitwise(IPS_DST_NAT, 0);
    out.compare(s.sense == Sense::kIs ? NFT_CMP_NEQ : NFT_CMP_EQ, uint32_t{0});
}

void add(Expressions& out, const CtMarkMatch& s) {
    out.load_ct(NFT_CT_MARK);
    out.compare(comparison(s.sense), s.value);
}

void add(Expressions& out, const LocalMatch& s) {
    nftnl_expr* e = out.add("fib");
    nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_DREG, NFT_REG_1);
    nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
    nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_FLAGS,
                       s.side == Side::kSource ? NFTA_FIB_F_SADDR : NFTA_FIB_F_DADDR);
    out.compare(comparison(s.sense), uint32_t{RTN_LOCAL});
}

void add(Expressions& out, const MarkMatch& s) {
    out.load_meta(NFT_META_MARK);
    out.bitwise(s.mask, 0);
    out.compare(NFT_CMP_EQ, s.value);
}

void add(Expressions& out, const SetMatch& s) {
    out.load(s.key);
    nftnl_expr* e = out.lookup(s.set);
    if (s.sense == Sense::kIsNot) nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
}

void add(Expressions& out, const VerdictMap& s) {
    out.load(s.key);
    nftnl_expr_set_u32(out.lookup(s.map), NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
}

void add(Expressions& out, const UpdateSet& s) {
    out.load(s.key);
    nftnl_expr* e = out.add("dynset");
    nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_SREG_KEY, NFT_REG_1);
    nftnl_expr_set_u32(e, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
    nftnl_expr_set_u64(e, NFTNL_EXPR_DYNSET_TIMEOUT, uint64_t{s.timeout_s} * 1000);
    nftnl_expr_set_str(e, NFTNL_EXPR_DYNSET_SET_NAME, s.set.c_str());
}

void add(Expressions& out, const SetMark& s) {
    if (s.operation == SetMark::Operation::kAssign) {
        out.immediate(NFT_REG_1, s.value);
    } else {
        out.load_meta(NFT_META_MARK);
        // x | v is (x & ~v) ^ v, the kernel's only operation.
        out.bitwise(s.operation == SetMark::Operation::kOr ? ~s.value : ~uint32_t{0}, s.value);
    }
    out.set_mark();
}

void add(Expressions& out, const Counter&) { out.add("counter"); }

void add(Expressions& out, const Log& s) {
    nftnl_expr* e = out.add("log");
    nftnl_expr_set_str(e, NFTNL_EXPR_LOG_PREFIX, s.prefix.c_str());
    nftnl_expr_set_u16(e, NFTNL_EXPR_LOG_GROUP, s.group);
}

void add(Expressions& out, const Verdict& s) {
    nftnl_expr* e = out.add("immediate");
    nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
    nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, verdict_number(s.kind));
    if (!s.chain.empty()) nftnl_expr_set_str(e, NFTNL_EXPR_IMM_CHAIN, s.chain.c_str());
}

void add(Expressions& out, const Reject& s) {
    const bool reset = s.with == Reject::With::kTcpReset;
    if (reset) out.l4_is(L4::kTcp);  // The kernel resets TCP only; nft does not print this match.
    nftnl_expr* e = out.add("reject");
    nftnl_expr_set_u32(e, NFTNL_EXPR_REJECT_TYPE,
                       reset ? NFT_REJECT_TCP_RST : NFT_REJECT_ICMP_UNREACH);
    const uint8_t code = s.with == Reject::With::kPortUnreachable   ? ICMP_PORT_UNREACH
                         : s.with == Reject::With::kAdminProhibited ? ICMP_PKT_FILTERED
                                                                    : 0;
    nftnl_expr_set_u8(e, NFTNL_EXPR_REJECT_CODE, code);
}

void add(Expressions& out, const Dnat& s) {
    out.immediate(NFT_REG_1, s.address.network_order());
    if (s.port != 0) out.immediate(NFT_REG_2, htons(s.port));
    nftnl_expr* e = out.nat(NFT_NAT_DNAT);
    if (s.port == 0) return;
    nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_PROTO_MIN, NFT_REG_2);
    nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_FLAGS, NF_NAT_RANGE_PROTO_SPECIFIED);
}

void add(Expressions& out, const DnatMap& s) {
    out.load(s.key);
    nftnl_expr_set_u32(out.lookup(s.map), NFTNL_EXPR_LOOKUP_DREG, NFT_REG_1);
    nftnl_expr_set_u32(out.nat(NFT_NAT_DNAT), NFTNL_EXPR_NAT_REG_PROTO_MIN, register_at(1));
}

void add(Expressions& out, const Snat& s) {
    out.immediate(NFT_REG_1, s.address.network_order());
    nftnl_expr_set_u32(out.nat(NFT_NAT_SNAT), NFTNL_EXPR_NAT_FLAGS,
                       NF_NAT_RANGE_PROTO_RANDOM_FULLY);
}

void add(Expressions& out, const Masquerade&) {
    nftnl_expr_set_u32(out.add("masq"), NFTNL_EXPR_MASQ_FLAGS, NF_NAT_RANGE_PROTO_RANDOM_FULLY);
}

}  // namespace

void add_expressions(nftnl_rule& rule, const Statement& statement) {
    Expressions out(rule);
    std::visit([&](const auto& s) { add(out, s); }, statement);
}

}  // namespace kin::nft
