#include "core/kernel/nft_trace.h"

#include <algorithm>

#include "core/base/strings.h"

namespace kin::nft {

namespace {

constexpr int kMaxDepth = 16;  // The kernel's own limit on jumps.

/// How a chain ended for the packet: with one of these, or by falling through.
enum class End { kAccept, kDrop, kReject };

class Interpreter {
public:
    Interpreter(std::span<const Table* const> tables, Hook hook, const Packet& packet,
                const TraceWorld& world)
        : tables_(tables), hook_(hook), world_(world) {
        fate_.packet = packet;
    }

    Fate run() {
        for (const auto& [table, chain] : base_chains()) {
            const bool nat = chain->base->type == Base::Type::kNat;
            // A connection is translated once; its later packets follow without asking the rules.
            if (nat && (!(fate_.packet.ct_state & kCtNew) || translated_)) continue;
            table_ = table;
            const End end = evaluate(*chain, 0).value_or(policy_of(*chain));
            if (end == End::kAccept) continue;
            fate_.outcome = end == End::kDrop ? Fate::Outcome::kDropped : Fate::Outcome::kRejected;
            break;
        }
        return std::move(fate_);
    }

private:
    /// What a statement says: go on, this rule does not apply, or a verdict.
    struct Answer {
        enum class Kind { kNext, kMismatch, kVerdict, kReject } kind = Kind::kNext;
        Verdict verdict;
    };
    static Answer next_if(bool matches) {
        return {matches ? Answer::Kind::kNext : Answer::Kind::kMismatch, {}};
    }
    static Answer next_if(bool matches, Sense sense) {
        return next_if(matches == (sense == Sense::kIs));
    }

    std::vector<std::pair<const Table*, const Chain*>> base_chains() const {
        std::vector<std::pair<const Table*, const Chain*>> chains;
        for (const Table* table : tables_)
            for (const Chain& chain : table->chains)
                if (chain.base && chain.base->hook == hook_) chains.emplace_back(table, &chain);
        std::ranges::stable_sort(chains, {},
                                 [](const auto& entry) { return entry.second->base->priority; });
        return chains;
    }

    End policy_of(const Chain& chain) {
        if (chain.base->policy != Verdict::Kind::kDrop) return End::kAccept;
        note(chain, "policy drop");
        return End::kDrop;
    }

    void note(const Chain& chain, std::string text) {
        fate_.steps.push_back({hook_, table_->name, chain.name, std::move(text)});
    }

    std::optional<End> evaluate(const Chain& chain, int depth) {
        if (depth > kMaxDepth) return End::kDrop;
        for (const Rule& rule : chain.rules) {
            element_.clear();
            const Answer answer = evaluate(rule);
            if (answer.kind == Answer::Kind::kMismatch) continue;
            note(chain, element_.empty() ? to_text(rule) : cat(to_text(rule), " -> ", element_));
            if (answer.kind == Answer::Kind::kReject) return End::kReject;
            if (answer.kind == Answer::Kind::kNext) continue;
            switch (answer.verdict.kind) {
                case Verdict::Kind::kAccept:
                    return End::kAccept;
                case Verdict::Kind::kDrop:
                    return End::kDrop;
                case Verdict::Kind::kReturn:
                    return std::nullopt;
                case Verdict::Kind::kGoto:
                    return call(answer.verdict.chain, depth);
                case Verdict::Kind::kJump:
                    if (const auto end = call(answer.verdict.chain, depth)) return end;
            }
        }
        return std::nullopt;
    }

    std::optional<End> call(const std::string& name, int depth) {
        const Chain* target = table_->find_chain(name);
        return target ? evaluate(*target, depth + 1) : std::nullopt;
    }

    Answer evaluate(const Rule& rule) {
        for (const Statement& statement : rule.statements) {
            Answer answer = std::visit([&](const auto& s) { return run(s); }, statement);
            if (answer.kind != Answer::Kind::kNext) return answer;
        }
        return {};
    }

    Answer run(const AddressMatch& s) {
        const Ipv4 address =
            s.side == Side::kSource ? fate_.packet.source : fate_.packet.destination;
        return next_if(s.block.contains(address), s.sense);
    }
    Answer run(const ProtocolMatch& s) { return next_if(fate_.packet.l4 == s.l4); }
    Answer run(const PortMatch& s) {
        const uint16_t port =
            s.side == Side::kSource ? fate_.packet.source_port : fate_.packet.destination_port;
        return next_if(fate_.packet.l4 == s.l4 && port >= s.first && port <= s.last);
    }
    Answer run(const InterfaceMatch& s) {
        const std::string& link =
            s.direction == Direction::kIn ? fate_.packet.in : fate_.packet.out;
        std::string_view wanted = s.name;
        if (!wanted.ends_with('*')) return next_if(link == wanted, s.sense);
        wanted.remove_suffix(1);
        return next_if(link.starts_with(wanted), s.sense);
    }
    Answer run(const CtStateMatch& s) { return next_if((fate_.packet.ct_state & s.states) != 0); }
    Answer run(const CtDnatMatch& s) { return next_if(fate_.packet.dnatted, s.sense); }
    Answer run(const CtMarkMatch& s) { return next_if(fate_.packet.ct_mark == s.value, s.sense); }
    Answer run(const LocalMatch& s) {
        const bool local = world_.is_local(s.side == Side::kSource ? fate_.packet.source
                                                                   : fate_.packet.destination);
        return next_if(local, s.sense);
    }
    Answer run(const MarkMatch& s) { return next_if((fate_.packet.mark & s.mask) == s.value); }
    Answer run(const SetMatch& s) { return next_if(find(s.key, s.set) != nullptr, s.sense); }
    Answer run(const VerdictMap& s) {
        const Element* found = find(s.key, s.map);
        const auto* verdict = found ? std::get_if<Verdict>(&found->data) : nullptr;
        if (!verdict) return next_if(false);
        return {Answer::Kind::kVerdict, *verdict};
    }
    Answer run(const UpdateSet&) { return {}; }
    Answer run(const SetMark& s) {
        uint32_t& mark = fate_.packet.mark;
        switch (s.operation) {
            case SetMark::Operation::kAssign:
                mark = s.value;
                break;
            case SetMark::Operation::kOr:
                mark |= s.value;
                break;
            case SetMark::Operation::kXor:
                mark ^= s.value;
                break;
        }
        return {};
    }
    Answer run(const Counter&) { return {}; }
    Answer run(const Log&) { return {}; }
    Answer run(const Verdict& s) { return {Answer::Kind::kVerdict, s}; }
    Answer run(const Reject& s) {
        if (s.with == Reject::With::kTcpReset && fate_.packet.l4 != L4::kTcp) return next_if(false);
        return {Answer::Kind::kReject, {}};
    }
    Answer run(const Dnat& s) {
        return translate_destination(s.address,
                                     s.port != 0 ? s.port : fate_.packet.destination_port);
    }
    Answer run(const DnatMap& s) {
        const Element* found = find(s.key, s.map);
        const auto* to = found ? std::get_if<Key>(&found->data) : nullptr;
        if (!to || to->size() != 2) return next_if(false);
        return translate_destination({(*to)[0]}, static_cast<uint16_t>((*to)[1]));
    }
    Answer run(const Snat& s) { return translate_source(s.address); }
    Answer run(const Masquerade&) { return translate_source(world_.node_address); }

    Answer translate_destination(Ipv4 address, uint16_t port) {
        fate_.packet.destination = address;
        fate_.packet.destination_port = port;
        fate_.packet.dnatted = true;
        translated_ = true;
        return {Answer::Kind::kVerdict, accept()};
    }
    Answer translate_source(Ipv4 address) {
        fate_.packet.source = address;
        translated_ = true;
        return {Answer::Kind::kVerdict, accept()};
    }

    uint32_t part_of(const Field& field) const {
        const Packet& packet = fate_.packet;
        switch (field.kind) {
            case Field::Kind::kSourceMac:
                return packet.source_mac;
            case Field::Kind::kSourceAddress:
                return packet.source.value;
            case Field::Kind::kDestinationAddress:
                return packet.destination.value;
            case Field::Kind::kProtocol:
                return static_cast<uint32_t>(packet.l4);
            case Field::Kind::kSourcePort:
                return packet.source_port;
            case Field::Kind::kDestinationPort:
                return packet.destination_port;
            case Field::Kind::kMark:
                return packet.mark;
            case Field::Kind::kRandom:
                return world_.draw(field.modulus);
        }
        return 0;
    }

    const Element* find(const Fields& fields, const std::string& name) {
        const Set* set = table_->find_set(name);
        if (!set) return nullptr;
        Key key;
        for (const Field& field : fields) key.push(part_of(field));
        auto found = set->elements.find(Range(key));
        if (set->shape.keys == SetShape::Keys::kIntervals)
            found = std::ranges::find_if(
                set->elements, [&](const auto& entry) { return entry.first.contains(key); });
        if (found == set->elements.end()) return nullptr;
        element_ = to_text(set->shape, found->first, found->second);
        return &found->second;
    }

    std::span<const Table* const> tables_;
    Hook hook_;
    const TraceWorld& world_;
    const Table* table_ = nullptr;
    bool translated_ = false;
    std::string element_;  // The one that the current rule found.
    Fate fate_;
};

}  // namespace

Fate trace(std::span<const Table* const> tables, Hook hook, const Packet& packet,
           const TraceWorld& world) {
    return Interpreter(tables, hook, packet, world).run();
}

Fate trace(std::span<const Table* const> tables, std::span<const Hook> way, const Packet& packet,
           const TraceWorld& world) {
    Fate whole;
    whole.packet = packet;
    for (const Hook hook : way) {
        Fate part = trace(tables, hook, whole.packet, world);
        whole.packet = part.packet;
        whole.outcome = part.outcome;
        std::ranges::move(part.steps, std::back_inserter(whole.steps));
        if (whole.outcome != Fate::Outcome::kAccepted) break;
    }
    return whole;
}

}  // namespace kin::nft
