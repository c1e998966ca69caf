#include "policy/intervals.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/base/strings.h"

namespace kin::policy {

namespace {
/// Calls `visit(span, active)` for every longest span over which the same of `spans` are active, in
/// order; `active` are indices, sorted.
template <class Visit>
void sweep(const std::vector<Span>& spans, Visit&& visit) {
    struct Edge {
        std::vector<size_t> begins, ends;
    };
    std::map<uint64_t, Edge> edges;  // An end stands one behind the last address.
    for (size_t i = 0; i < spans.size(); ++i) {
        edges[spans[i].first].begins.push_back(i);
        edges[uint64_t{spans[i].last} + 1].ends.push_back(i);
    }
    std::set<size_t> active;
    uint64_t from = 0;
    for (const auto& [at, edge] : edges) {
        if (!active.empty()) {
            visit(Span{static_cast<uint32_t>(from), static_cast<uint32_t>(at - 1)}, active);
        }
        for (const size_t i : edge.ends) active.erase(i);
        for (const size_t i : edge.begins) active.insert(i);
        from = at;
    }
}

bool adjacent(const Span& a, const Span& b) { return uint64_t{a.last} + 1 == b.first; }

template <class Items, class RuleAt>
std::string origins(const std::set<size_t>& active, const Items& items, RuleAt&& rule_at) {
    std::vector<RuleName> rules;
    for (const size_t i : active) rules.push_back(rule_at(items[i]));
    std::sort(rules.begin(), rules.end());
    rules.erase(std::unique(rules.begin(), rules.end()), rules.end());
    return origin_text(rules);
}

/// Ports of one protocol, and from which rules.
struct PortSpan {
    nft::L4 l4;
    Span ports;
    std::string origin;
    bool operator==(const PortSpan&) const = default;
};

std::vector<PortSpan> port_spans(const std::set<size_t>& active, const std::vector<Box>& boxes) {
    std::map<nft::L4, std::vector<const Box*>> by_protocol;
    for (const size_t i : active) by_protocol[boxes[i].l4].push_back(&boxes[i]);
    std::vector<PortSpan> out;
    for (const auto& one : by_protocol) {
        const std::vector<const Box*>& mine = one.second;
        std::vector<Span> spans;
        for (const Box* box : mine) spans.push_back(box->ports);
        const size_t begin = out.size();
        sweep(spans, [&](const Span& span, const std::set<size_t>& here) {
            PortSpan next{one.first, span,
                          origins(here, mine, [](const Box* box) { return box->rule; })};
            const bool goes_on = out.size() > begin && out.back().origin == next.origin &&
                                 adjacent(out.back().ports, span);
            if (goes_on) {
                out.back().ports.last = span.last;
            } else {
                out.push_back(std::move(next));
            }
        });
    }
    return out;
}
}  // namespace

std::string origin_text(const std::vector<RuleName>& rules) {
    if (rules.size() == 1) return rules.front().to_string();
    return cat(rules.front(), " (and ", rules.size() - 1, " more)");
}

std::vector<Span> spans_of(const NetworkPolicyPeer& block) {
    std::vector<Span> out;
    if (!block.block) return out;
    const auto span_of = [](const Cidr& cidr) {
        return Span{cidr.address.value, cidr.address.value | ~cidr.mask()};
    };
    std::vector<Span> gaps;
    for (const Cidr& except : block.except) gaps.push_back(span_of(except));
    std::sort(gaps.begin(), gaps.end());
    const Span whole = span_of(*block.block);
    uint64_t from = whole.first;
    for (const Span& gap : gaps) {
        if (gap.last < from || gap.first > whole.last) continue;
        if (gap.first > from) out.push_back({static_cast<uint32_t>(from), gap.first - 1});
        from = uint64_t{gap.last} + 1;
    }
    if (from <= whole.last) out.push_back({static_cast<uint32_t>(from), whole.last});
    return out;
}

nft::Elements disjoint(std::vector<std::pair<Span, RuleName>> spans) {
    std::vector<Span> bare;
    for (const auto& [span, rule] : spans) bare.push_back(span);
    std::vector<std::pair<Span, std::string>> merged;
    sweep(bare, [&](const Span& span, const std::set<size_t>& active) {
        std::string origin = origins(active, spans, [](const auto& one) { return one.second; });
        if (!merged.empty() && merged.back().second == origin &&
            adjacent(merged.back().first, span)) {
            merged.back().first.last = span.last;
        } else {
            merged.emplace_back(span, std::move(origin));
        }
    });
    nft::Elements out;
    for (auto& [span, origin] : merged) {
        out.emplace(nft::Range(nft::Key(span.first), nft::Key(span.last)),
                    nft::Element{{}, std::move(origin)});
    }
    return out;
}

nft::Elements disjoint(std::vector<Box> boxes) {
    std::vector<Span> addresses;
    for (const Box& box : boxes) addresses.push_back(box.addresses);
    std::vector<std::pair<Span, std::vector<PortSpan>>> merged;
    sweep(addresses, [&](const Span& span, const std::set<size_t>& active) {
        std::vector<PortSpan> ports = port_spans(active, boxes);
        if (!merged.empty() && merged.back().second == ports &&
            adjacent(merged.back().first, span)) {
            merged.back().first.last = span.last;
        } else {
            merged.emplace_back(span, std::move(ports));
        }
    });
    nft::Elements out;
    for (const auto& [span, ports] : merged) {
        for (const PortSpan& port : ports) {
            const nft::Key first(span.first, port.l4, port.ports.first);
            const nft::Key last(span.last, port.l4, port.ports.last);
            out.emplace(nft::Range(first, last), nft::Element{{}, port.origin});
        }
    }
    return out;
}

}  // namespace kin::policy
