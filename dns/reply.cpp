#include "dns/reply.h"

#include <algorithm>
#include <array>

namespace kin::dns {

namespace {
constexpr size_t kHeaderSize = 12;
constexpr size_t kOptSize = 11;
constexpr uint16_t kInternet = 1;
constexpr int kMaxAliases = 8;
/// Stands for the question's name.
constexpr std::string_view kPointer("\xC0\x0C", 2);

/// Appends a set's records, beginning with another one at each turn. `owner` replaces the pointer
/// to the question ("" keeps it).
void put_set(std::string& out, const RecordSet& set, uint32_t turn, std::string_view owner) {
    size_t first = 0;
    for (uint32_t skip = set.count > 1 ? turn % set.count : 0; skip > 0; --skip) {
        first = set.end_of(first);
    }
    if (owner.empty()) {
        out.append(set.bytes.substr(first)).append(set.bytes.substr(0, first));
        return;
    }
    size_t start = first;
    for (int left = set.count; left > 0; --left) {
        const size_t end = set.end_of(start);
        out.append(owner).append(set.bytes.substr(start, end - start).substr(kPointer.size()));
        start = end < set.bytes.size() ? end : 0;
    }
}

void refuse(const Refusal& refusal, std::string& out) {
    out.assign(kHeaderSize, '\0');
    out.append(refusal.question);
    ReplyHeader header{.id = refusal.id,
                       .opcode = refusal.opcode,
                       .recursion_desired = refusal.recursion_desired,
                       .rcode = refusal.rcode};
    header.questions = refusal.question.empty() ? 0 : 1;
    if (refusal.edns) {
        put_opt(out, refusal.rcode, false);
        header.additionals = 1;
    }
    write_header(out, header);
}

/// One answer in the making.
class Reply {
public:
    Reply(const Zone& zone, const Query& query, uint32_t turn, std::string& out)
        : zone_(zone), query_(query), turn_(turn), out_(out) {
        header_.id = query.id;
        header_.recursion_desired = query.recursion_desired;
        out_.assign(query.head);
    }

    void make(Transport transport) {
        answer();
        const size_t limit = transport == Transport::kTcp ? 65535 : query_.udp_size;
        const size_t opt = query_.edns ? kOptSize : 0;
        if (out_.size() + opt > limit && extra_start_ != 0) {
            // Additional records are a favour: without them the answer is still whole.
            out_.resize(extra_start_);
            header_.additionals = 0;
        }
        if (out_.size() + opt > limit) {
            out_.resize(query_.head.size());
            header_.answers = header_.authorities = 0;
            header_.truncated = true;
        }
        if (query_.edns) {
            put_opt(out_, header_.rcode, query_.dnssec_ok);
            ++header_.additionals;
        }
        write_header(out_, header_);
    }

private:
    void answer() {
        const LowerName asked(query_.name);
        std::string_view name = asked.view();
        const bool transfer = query_.type == static_cast<uint16_t>(Type::kAxfr) ||
                              query_.type == static_cast<uint16_t>(Type::kIxfr);
        const Apex* apex = zone_.find_apex(name);
        const bool known = apex || zone_.outside();
        if (query_.query_class != kInternet || transfer || !known) {
            header_.rcode = Rcode::kRefused;
            return;
        }
        // As a server that asks others does it.
        header_.recursion_available = zone_.outside() != nullptr;
        if (!apex) return answer_outside(name, "");
        header_.authoritative = true;
        std::string_view owner;  // "": the question's name.
        for (int hop = 0; hop < kMaxAliases; ++hop) {
            const auto alias = answer_at(name, owner);
            if (!alias) break;
            name = owner = alias->target();
            apex = zone_.find_apex(name);
            if (!apex) return answer_outside(name, owner);
        }
        if (header_.answers == 0 || header_.rcode != Rcode::kNoError) {
            out_.append(apex->denial);
            header_.authorities = 1;
        }
    }

    /// Answers for a name beyond the cluster; without anybody to know it the asker goes on
    /// elsewhere.
    void answer_outside(std::string_view name, std::string_view owner) {
        if (!zone_.outside()) return;
        Ipv4 address;
        const Outside::Found found = zone_.outside()->find(name, address);
        if (found == Outside::Found::kNothing) header_.rcode = Rcode::kNxDomain;
        if (found == Outside::Found::kAddress && wants(Type::kA)) {
            return put_address(owner.empty() ? kPointer : owner, address);
        }
        out_ += zone_.outside()->soa();
        header_.authorities = 1;
    }

    /// Answers with what stands at `name`; gives the alias to follow, if that is what stands there.
    std::optional<RecordSet> answer_at(std::string_view name, std::string_view owner) {
        const ZoneNode* node = zone_.find(name);
        if (!node) {
            const auto address = zone_.pod_address(name);
            if (!address) {
                header_.rcode = Rcode::kNxDomain;
            } else if (wants(Type::kA)) {
                put_address(owner.empty() ? kPointer : owner, *address);
            }
            return {};
        }
        // One set is enough for whoever asks for anything (RFC 8482).
        if (const auto set = node->find(static_cast<Type>(query_.type))) {
            put(*set, owner);
            return {};
        }
        const auto alias = node->find(Type::kCname);
        if (alias) put(*alias, owner);
        return alias;
    }

    bool wants(Type type) const {
        return query_.type == static_cast<uint16_t>(type) ||
               query_.type == static_cast<uint16_t>(Type::kAny);
    }

    void put(const RecordSet& set, std::string_view owner) {
        put_set(out_, set, turn_, owner);
        header_.answers = static_cast<uint16_t>(header_.answers + set.count);
        if (set.extra_count == 0) return;
        extra_start_ = out_.size();
        out_.append(set.extra);
        header_.additionals = set.extra_count;
    }

    void put_address(std::string_view owner, Ipv4 address) {
        out_.append(owner);
        put_u16(out_, static_cast<uint16_t>(Type::kA));
        put_u16(out_, kInternet);
        put_u32(out_, 30);
        put_u16(out_, 4);
        put_u32(out_, address.value);
        ++header_.answers;
    }

    const Zone& zone_;
    const Query& query_;
    const uint32_t turn_;
    std::string& out_;
    ReplyHeader header_;
    size_t extra_start_ = 0;
};
}  // namespace

bool reply(const Zone& zone, std::string_view packet, Transport transport, uint32_t turn,
           std::string& out) {
    const Parsed parsed = parse_query(packet);
    if (const auto* refusal = std::get_if<Refusal>(&parsed)) {
        refuse(*refusal, out);
        return true;
    }
    const auto* query = std::get_if<Query>(&parsed);
    if (!query) return false;
    Reply(zone, *query, turn, out).make(transport);
    return true;
}

void expect(const Zone& zone, std::span<const std::string_view> packets) {
    std::array<size_t, 64> hashes;
    size_t count = 0;
    for (const std::string_view packet : packets.first(std::min(packets.size(), hashes.size()))) {
        const std::string_view name = asked_name(packet);
        if (!name.empty()) hashes[count++] = Zone::hash(LowerName(name).view());
    }
    zone.fetch(std::span(hashes).first(count));
}

}  // namespace kin::dns
