#include <bit>
#include <cstdio>

#include "core/base/strings.h"
#include "core/kernel/nft.h"

namespace kin::nft {

namespace {

std::string hex32(uint32_t value) {
    char buffer[16];
    std::snprintf(buffer, sizeof buffer, "0x%08x", value);
    return buffer;
}

std::string quoted_comment(std::string_view comment) {
    return cat("comment \"", comment_text(comment), '"');
}

std::string text_of(const Field& field) {
    switch (field.kind) {
        case Field::Kind::kSourceMac:
            return "ether saddr";
        case Field::Kind::kSourceAddress:
            return "ip saddr";
        case Field::Kind::kDestinationAddress:
            return "ip daddr";
        case Field::Kind::kProtocol:
            return "meta l4proto";
        case Field::Kind::kSourcePort:
            return "th sport";
        case Field::Kind::kDestinationPort:
            return "th dport";
        case Field::Kind::kMark:
            return "meta mark";
        case Field::Kind::kRandom:
            return cat("numgen random mod ", field.modulus);
    }
    return "";
}

bool is_address(const Field& field) {
    return field.kind == Field::Kind::kSourceAddress ||
           field.kind == Field::Kind::kDestinationAddress;
}

std::string mac_text(uint32_t part) {
    const auto byte = [part](int shift) { return static_cast<uint8_t>(part >> shift); };
    return Mac{{0x0a, 0x58, byte(24), byte(16), byte(8), byte(0)}}.to_string();
}

std::string part_text(const Field& field, uint32_t part) {
    if (is_address(field)) return Ipv4{part}.to_string();
    if (field.kind == Field::Kind::kSourceMac) return mac_text(part);
    if (field.kind == Field::Kind::kProtocol) return name_of(static_cast<L4>(part));
    if (field.kind == Field::Kind::kMark) return hex32(part);
    return std::to_string(part);
}

/// A prefix where the interval is one, as nft prints it; else first-last.
std::string interval_text(const Field& field, uint32_t first, uint32_t last) {
    if (first == last) return part_text(field, first);
    const uint32_t host_bits = first ^ last;
    const bool is_block = (host_bits & (host_bits + 1)) == 0 && (first & host_bits) == 0;
    if (is_address(field) && is_block)
        return cat(part_text(field, first), '/', std::countl_zero(host_bits));
    return cat(part_text(field, first), '-', part_text(field, last));
}

std::string key_text(const Fields& fields, const Key& first, const Key& last) {
    std::string out;
    for (size_t index = 0; index < fields.size() && index < first.size(); ++index) {
        if (index > 0) out += " . ";
        out += interval_text(fields[index], first[index], last[index]);
    }
    return out;
}

/// How many elements nft puts on one line.
size_t elements_per_line(const SetShape& shape) {
    if (shape.key.size() > 1) return 1;
    return is_address(shape.key[0]) ? 2 : 5;
}

std::string elements_text(const Set& set) {
    const size_t per_line = elements_per_line(set.shape);
    std::string out;
    size_t index = 0;
    for (const auto& [range, element] : set.elements) {
        if (index > 0) out += index % per_line == 0 ? ",\n\t\t\t     " : ", ";
        out += to_text(set.shape, range, element);
        ++index;
    }
    return out;
}

std::string text_of(const Set& set) {
    const SetShape& shape = set.shape;
    std::string out = cat('\t', shape.is_map() ? "map " : "set ", shape.name, " {\n");
    out += cat("\t\ttypeof ", to_text(shape.key));
    if (std::holds_alternative<Verdict>(shape.data)) out += " : verdict";
    if (const auto* fields = std::get_if<Fields>(&shape.data)) out += cat(" : ", to_text(*fields));
    out += '\n';
    if (shape.keys == SetShape::Keys::kIntervals) out += "\t\tflags interval\n";
    if (shape.keys == SetShape::Keys::kLearned)
        out += "\t\tsize 65535\n\t\tflags dynamic,timeout\n";
    if (shape.counting == SetShape::Counting::kPerElement) out += "\t\tcounter\n";
    if (!shape.comment.empty()) out += cat("\t\t", quoted_comment(shape.comment), '\n');
    if (!set.elements.empty()) out += cat("\t\telements = { ", elements_text(set), " }\n");
    return out + "\t}\n";
}

std::string_view hook_name(Hook hook) {
    constexpr std::string_view kNames[] = {"prerouting", "input", "forward", "output",
                                           "postrouting"};
    return kNames[static_cast<size_t>(hook)];
}

/// A number up to 10 away from a named priority is printed relative to it.
std::string priority_text(const Base& base) {
    struct Named {
        std::string_view name;
        int32_t priority;
    };
    constexpr Named kNamed[] = {{"raw", -300}, {"mangle", -150}, {"dstnat", -100},
                                {"filter", 0}, {"security", 50}, {"srcnat", 100}};
    for (const Named& named : kNamed) {
        if (named.name == "dstnat" && base.hook != Hook::kPrerouting) continue;
        if (named.name == "srcnat" && base.hook != Hook::kPostrouting) continue;
        const int32_t distance = base.priority - named.priority;
        if (distance == 0) return std::string(named.name);
        if (distance > 0 && distance <= 10) return cat(named.name, " + ", distance);
        if (distance < 0 && distance >= -10) return cat(named.name, " - ", -distance);
    }
    return std::to_string(base.priority);
}

std::string text_of(const Chain& chain) {
    std::string out = cat("\tchain ", chain.name, " {\n");
    if (!chain.comment.empty()) out += cat("\t\t", quoted_comment(chain.comment), '\n');
    if (chain.base) {
        out +=
            cat("\t\ttype ", chain.base->type == Base::Type::kNat ? "nat" : "filter", " hook ",
                hook_name(chain.base->hook), " priority ", priority_text(*chain.base), "; policy ",
                chain.base->policy == Verdict::Kind::kDrop ? "drop" : "accept", ";\n");
    }
    for (const Rule& rule : chain.rules) out += cat("\t\t", to_text(rule), '\n');
    return out + "\t}\n";
}

std::string ct_states_text(uint8_t states) {
    struct Named {
        CtState bit;
        std::string_view name;
    };
    // In the order in which nft prints them.
    constexpr Named kNamed[] = {{kCtInvalid, "invalid"},
                                {kCtEstablished, "established"},
                                {kCtRelated, "related"},
                                {kCtNew, "new"},
                                {kCtUntracked, "untracked"}};
    std::string out;
    for (const Named& named : kNamed) {
        if (!(states & named.bit)) continue;
        if (!out.empty()) out += ',';
        out += named.name;
    }
    return out;
}

std::string_view side_name(Side side) { return side == Side::kSource ? "s" : "d"; }
std::string_view is_not(Sense sense) { return sense == Sense::kIsNot ? "!= " : ""; }

std::string set_mark_text(const SetMark& s) {
    switch (s.operation) {
        case SetMark::Operation::kAssign:
            return cat("meta mark set ", hex32(s.value));
        case SetMark::Operation::kOr:
            return cat("meta mark set meta mark | ", hex32(s.value));
        case SetMark::Operation::kXor:
            return cat("meta mark set meta mark ^ ", hex32(s.value));
    }
    return "";
}

std::string reject_text(const Reject& s) {
    switch (s.with) {
        case Reject::With::kPortUnreachable:
            return "reject";
        case Reject::With::kAdminProhibited:
            return "reject with icmp admin-prohibited";
        case Reject::With::kTcpReset:
            return "reject with tcp reset";
    }
    return "";
}

/// As nft prints it: 1d2h3m4s without what is 0.
std::string duration_text(uint32_t seconds) {
    std::string out;
    const auto add = [&](uint32_t unit, char letter) {
        if (seconds >= unit) out += cat(seconds / unit, letter);
        seconds %= unit;
    };
    add(86'400, 'd');
    add(3'600, 'h');
    add(60, 'm');
    add(1, 's');
    return out;
}

std::string address_text(const Cidr& block) {
    return block.bits == 32 ? block.address.to_string() : block.to_string();
}

}  // namespace

std::string to_text(const Fields& fields) {
    std::string out;
    for (const Field& field : fields) {
        if (!out.empty()) out += " . ";
        out += text_of(field);
    }
    return out;
}

std::string to_text(const Verdict& verdict) {
    switch (verdict.kind) {
        case Verdict::Kind::kAccept:
            return "accept";
        case Verdict::Kind::kDrop:
            return "drop";
        case Verdict::Kind::kReturn:
            return "return";
        case Verdict::Kind::kJump:
            return cat("jump ", verdict.chain);
        case Verdict::Kind::kGoto:
            return cat("goto ", verdict.chain);
    }
    return "";
}

std::string to_text(const Statement& statement) {
    // clang-format off
    return std::visit(Overloaded{
        [](const AddressMatch& s) {
            return cat("ip ", side_name(s.side), "addr ", is_not(s.sense), address_text(s.block));
        },
        [](const ProtocolMatch& s) { return cat("meta l4proto ", name_of(s.l4)); },
        [](const PortMatch& s) {
            std::string ports = std::to_string(s.first);
            if (s.last != s.first) ports += cat('-', s.last);
            return cat(name_of(s.l4), ' ', side_name(s.side), "port ", ports);
        },
        [](const InterfaceMatch& s) {
            return cat(s.direction == Direction::kIn ? "iifname " : "oifname ", is_not(s.sense),
                       '"', s.name, '"');
        },
        [](const CtStateMatch& s) { return cat("ct state ", ct_states_text(s.states)); },
        [](const CtDnatMatch& s) {
            return std::string(s.sense == Sense::kIs ? "ct status dnat" : "ct status ! dnat");
        },
        [](const CtMarkMatch& s) { return cat("ct mark ", is_not(s.sense), hex32(s.value)); },
        [](const LocalMatch& s) {
            return cat("fib ", side_name(s.side), "addr type ", is_not(s.sense), "local");
        },
        [](const MarkMatch& s) {
            return cat("meta mark & ", hex32(s.mask), " == ", hex32(s.value));
        },
        [](const SetMatch& s) { return cat(to_text(s.key), ' ', is_not(s.sense), '@', s.set); },
        [](const VerdictMap& s) { return cat(to_text(s.key), " vmap @", s.map); },
        [](const UpdateSet& s) {
            return cat("update @", s.set, " { ", to_text(s.key), " timeout ",
                       duration_text(s.timeout_s), " }");
        },
        [](const SetMark& s) { return set_mark_text(s); },
        [](const Counter&) { return std::string("counter"); },
        [](const Log& s) { return cat("log prefix \"", s.prefix, "\" group ", s.group); },
        [](const Verdict& s) { return to_text(s); },
        [](const Reject& s) { return reject_text(s); },
        [](const Dnat& s) {
            return s.port == 0 ? cat("dnat to ", s.address)
                               : cat("dnat to ", s.address, ':', s.port);
        },
        [](const DnatMap& s) { return cat("dnat ip to ", to_text(s.key), " map @", s.map); },
        [](const Snat& s) { return cat("snat to ", s.address, " fully-random"); },
        [](const Masquerade&) { return std::string("masquerade fully-random"); },
    }, statement);
    // clang-format on
}

std::string to_text(const Rule& rule) {
    std::string out;
    for (const Statement& statement : rule.statements) {
        if (!out.empty()) out += ' ';
        out += to_text(statement);
    }
    if (!rule.comment.empty()) out += cat(' ', quoted_comment(rule.comment));
    return out;
}

std::string to_text(const SetShape& shape, const Range& range, const Element& element) {
    std::string out = key_text(shape.key, range.first, range.last);
    if (shape.counting == SetShape::Counting::kPerElement) out += " counter";
    if (!element.comment.empty()) out += cat(' ', quoted_comment(element.comment));
    if (const auto* verdict = std::get_if<Verdict>(&element.data))
        out += cat(" : ", to_text(*verdict));
    const auto* fields = std::get_if<Fields>(&shape.data);
    if (const auto* key = std::get_if<Key>(&element.data); key && fields)
        out += cat(" : ", key_text(*fields, *key, *key));
    return out;
}

std::string to_text(const Table& table) {
    std::string out = cat("table ip ", table.name, " {\n");
    if (!table.comment.empty()) out += cat('\t', quoted_comment(table.comment), '\n');
    // A blank line stands between objects, and behind a comment only if objects came before.
    bool first = true;
    const auto add = [&](std::string text) {
        if (!std::exchange(first, false)) out += '\n';
        out += text;
    };
    for (const Set& set : table.sets) add(text_of(set));
    for (const Chain& chain : table.chains) add(text_of(chain));
    return out + "}\n";
}

}  // namespace kin::nft
