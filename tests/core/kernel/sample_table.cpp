#include "tests/core/kernel/sample_table.h"

#include <algorithm>

#include "core/base/strings.h"

namespace kin::test {

namespace {

using namespace nft;

Set set_of(SetShape shape, Elements elements) { return {std::move(shape), std::move(elements)}; }

constexpr auto kCounted = SetShape::Counting::kPerElement;
constexpr auto kUncounted = SetShape::Counting::kOff;
constexpr auto kExact = SetShape::Keys::kExact;
constexpr auto kIntervals = SetShape::Keys::kIntervals;

const Fields kService{kDestinationAddress, kProtocol, kDestinationPort};

std::vector<Rule> every_filter_rule() {
    using Op = SetMark::Operation;
    return {
        {{InterfaceMatch{Direction::kIn, "eth0"}, accept()}, ""},
        {{InterfaceMatch{Direction::kIn, "veth*"}, accept()}, ""},
        {{InterfaceMatch{Direction::kOut, "lo", Sense::kIsNot}, accept()}, "not the loopback"},
        {{CtStateMatch{kCtNew}, jump("empty")}, ""},
        {{CtStateMatch{kCtEstablished | kCtRelated}, accept()}, ""},
        {{CtDnatMatch{}, accept()}, ""},
        {{CtDnatMatch{Sense::kIsNot}, accept()}, ""},
        {{CtMarkMatch{1}, accept()}, ""},
        {{CtMarkMatch{0x80000000, Sense::kIsNot}, accept()}, ""},
        {{LocalMatch{Side::kDestination}, goto_("empty")}, ""},
        {{LocalMatch{Side::kSource, Sense::kIsNot}, jump("empty")}, ""},
        {{UpdateSet{{kSourceAddress}, "learned", 10'800}}, ""},
        {{UpdateSet{{kSourceAddress}, "learned", 93'784}}, "a day and some"},
        {{SetMatch{{kSourceAddress}, "learned"}, accept()}, ""},
        {{VerdictMap{{random_mod(3)}, "choice"}}, ""},
        {{SetMatch{{kSourceAddress, kDestinationAddress}, "pairs"}, accept()}, ""},
        {{SetMatch{{kSourceMac, kSourceAddress}, "senders", Sense::kIsNot}, drop()}, ""},
        {{SetMatch{{kSourceAddress}, "addresses", Sense::kIsNot}, drop()}, ""},
        {{SetMatch{{kSourceAddress, kProtocol, kDestinationPort}, "peers"}, accept()}, ""},
        {{AddressMatch{Side::kSource, cidr("10.1.1.1/32")}, Counter{}, drop()}, "one \"host\""},
        {{AddressMatch{Side::kSource, cidr("10.244.0.0/17"), Sense::kIsNot}, drop()}, ""},
        {{AddressMatch{Side::kDestination, cidr("10.244.0.0/16")}, return_()}, ""},
        {{AddressMatch{Side::kDestination, cidr("172.30.200.0/24")}, return_()}, ""},
        {{PortMatch{L4::kTcp, Side::kDestination, 80, 80}, accept()}, ""},
        {{PortMatch{L4::kUdp, Side::kSource, 53, 53}, accept()}, ""},
        {{PortMatch{L4::kTcp, Side::kDestination, 8000, 8080}, accept()}, ""},
        {{ProtocolMatch{L4::kIcmp}, accept()}, ""},
        {{SetMark{Op::kAssign, 0x4000}}, ""},
        {{SetMark{Op::kOr, 0x4000}}, ""},
        {{MarkMatch{0x4000, 0}, return_()}, ""},
        {{SetMark{Op::kXor, 0x4000}}, ""},
        {{Log{"denied ", 5}}, ""},
        {{VerdictMap{{kSourceAddress}, "verdicts"}}, ""},
        {{PortMatch{L4::kTcp, Side::kDestination, 81, 81}, Reject{Reject::With::kAdminProhibited}},
         ""},
        {{Reject{Reject::With::kTcpReset}}, ""},
        {{Reject{}}, ""},
    };
}

}  // namespace

Table service_table() {
    const Fields balanced{kDestinationAddress, kProtocol, kDestinationPort, random_mod(2)};
    const Key dns(ip("10.96.0.10"), L4::kUdp, 53u);
    const Key none(ip("10.96.0.11"), L4::kTcp, 80u);
    Table table;
    table.name = "kube-proxy";
    table.comment = "Services";
    table.sets = {
        set_of({"service-ips", kService, Verdict{}, kExact, kCounted, "Services with endpoints"},
               {{dns, {goto_("lb-2"), "kube-system/kube-dns:dns"}}}),
        set_of({"endpoints", balanced, Fields{kDestinationAddress, kDestinationPort}, kExact,
                kCounted, ""},
               {{dns.with(0), {Key(ip("10.244.1.2"), 53u), "kube-system/coredns-a"}},
                {dns.with(1), {Key(ip("10.244.1.3"), 53u), "kube-system/coredns-b"}}}),
        set_of({"no-endpoint-services", kService, Verdict{}, kExact, kUncounted, ""},
               {{none, {goto_("reject-chain"), "shop/none:http"}}}),
    };
    table.chains = {
        {"lb-2", {}, {{{DnatMap{balanced, "endpoints"}}, ""}}, ""},
        {"reject-chain", {}, {{{Reject{}}, ""}}, ""},
        {"services", {}, {{{VerdictMap{kService, "service-ips"}}, ""}}, ""},
        {"filter-forward",
         Base{Base::Type::kFilter, Hook::kForward, -110, Verdict::Kind::kAccept},
         {{{CtStateMatch{kCtNew}, VerdictMap{kService, "no-endpoint-services"}}, ""}},
         ""},
        {"nat-prerouting",
         Base{Base::Type::kNat, Hook::kPrerouting, kDstnatPriority, Verdict::Kind::kAccept},
         {{{jump("services")}, ""}},
         ""},
    };
    return table;
}

Table every_statement_table() {
    const auto range = [](const Key& first, const Key& last) { return Range(first, last); };
    Table table;
    table.name = "every";
    table.sets = {
        set_of({"pairs", {kSourceAddress, kDestinationAddress}, {}, kExact, kUncounted, ""},
               {{Key(ip("10.96.0.10"), ip("10.0.0.1")), {{}, "a pair"}},
                {Key(ip("10.96.0.9"), ip("10.0.0.1")), {}}}),
        set_of({"senders", {kSourceMac, kSourceAddress}, {}, kExact, kUncounted, ""},
               {{Key(ip("10.244.1.5"), ip("10.244.1.5")), {}}}),
        set_of({"addresses", {kSourceAddress}, {}, kExact, kUncounted, "single ones"},
               {{Key(ip("10.0.0.3")), {}}, {Key(ip("9.0.0.1")), {}}, {Key(ip("200.0.0.1")), {}}}),
        set_of({"blocks", {kSourceAddress}, {}, kIntervals, kUncounted, ""},
               {{Range(cidr("10.0.0.0/8")), {{}, "a block"}},
                {Key(ip("11.0.0.1")), {}},
                {Key(ip("11.0.0.2")), {}},
                {range(Key(ip("12.0.0.1")), Key(ip("12.0.0.9"))), {}},
                {Range(cidr("224.0.0.0/3")), {}}}),
        set_of(
            {"peers",
             {kSourceAddress, kProtocol, kDestinationPort},
             {},
             kIntervals,
             kUncounted,
             ""},
            {{range(Key(ip("10.0.0.0"), L4::kTcp, 80u), Key(ip("10.255.255.255"), L4::kTcp, 90u)),
              {{}, "policy shop/web 0"}},
             {Key(ip("10.1.1.1"), L4::kUdp, 53u), {}},
             {range(Key(ip("0.0.0.0"), L4::kTcp, 55u), Key(ip("255.255.255.255"), L4::kTcp, 55u)),
              {}}}),
        set_of({"verdicts", {kSourceAddress}, Verdict{}, kExact, kCounted, ""},
               {{Key(ip("10.0.0.1")), {drop(), ""}},
                {Key(ip("10.0.0.3")), {jump("empty"), ""}},
                {Key(ip("10.0.0.4")), {return_(), "back"}},
                {Key(ip("10.0.0.200")), {accept(), ""}}}),
        set_of({"learned",
                {kSourceAddress},
                {},
                SetShape::Keys::kLearned,
                kUncounted,
                "what packets add"},
               {}),
        set_of({"choice", {random_mod(2)}, Verdict{}, kExact, kUncounted, ""},
               {{Key(0u), {goto_("empty"), "first"}}, {Key(1u), {goto_("empty"), "second"}}}),
        set_of({"marks", {kMark}, {}, kExact, kUncounted, ""},
               {{Key(5u), {}}, {Key(0x100u), {}}, {Key(0x4000u), {}}}),
        set_of({"ports", {kDestinationPort}, {}, kExact, kUncounted, ""},
               {{Key(80u), {}}, {Key(443u), {}}, {Key(8080u), {}}}),
        set_of({"protocols", {kProtocol}, {}, kExact, kUncounted, ""},
               {{Key(L4::kTcp), {}}, {Key(L4::kSctp), {}}}),
        set_of({"marks-of", {kSourceAddress}, Fields{kMark}, kExact, kUncounted, ""},
               {{Key(ip("10.0.0.1")), {Key(1u), "one"}}}),
    };
    const Base srcnat{Base::Type::kNat, Hook::kPostrouting, kSrcnatPriority + 1,
                      Verdict::Kind::kAccept};
    const Base dstnat{Base::Type::kNat, Hook::kPrerouting, kDstnatPriority, Verdict::Kind::kAccept};
    const auto filter = [](Hook hook, int32_t priority, Verdict::Kind policy) {
        return Base{Base::Type::kFilter, hook, priority, policy};
    };
    table.chains = {
        {"empty", {}, {}, "nothing in here"},
        {"filter-prerouting", filter(Hook::kPrerouting, -110, Verdict::Kind::kAccept),
         every_filter_rule(), ""},
        {"filter-input", filter(Hook::kInput, 0, Verdict::Kind::kDrop), {}, ""},
        {"filter-forward", filter(Hook::kForward, -5, Verdict::Kind::kAccept), {}, ""},
        {"filter-output", filter(Hook::kOutput, -100, Verdict::Kind::kAccept), {}, ""},
        {"nat-prerouting",
         dstnat,
         {{{AddressMatch{Side::kDestination, cidr("10.0.0.7/32")},
            PortMatch{L4::kTcp, Side::kDestination, 80, 80}, Dnat{ip("10.0.0.1"), 8080}},
           ""},
          {{Dnat{ip("10.0.0.1"), 0}}, ""}},
         ""},
        {"nat-postrouting", srcnat, {{{Snat{ip("172.30.0.11")}}, ""}, {{Masquerade{}}, ""}}, ""},
    };
    return table;
}

std::string with_sorted_elements(std::string_view listing) {
    constexpr std::string_view kStart = "elements = { ";
    std::string out;
    while (true) {
        const size_t start = listing.find(kStart);
        if (start == std::string_view::npos) return out += listing;
        const size_t end = listing.find(" }\n", start);
        out += listing.substr(0, start + kStart.size());
        std::vector<std::string> elements;
        for (const std::string_view part :
             split(listing.substr(start + kStart.size(), end - start - kStart.size()), ','))
            elements.emplace_back(trim(part));
        std::ranges::sort(elements);
        out += join(elements, ",\n\t\t\t     ");
        listing.remove_prefix(end);
    }
}

}  // namespace kin::test
