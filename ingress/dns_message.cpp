#include "ingress/dns_message.h"

#include <arpa/nameser.h>

#include <algorithm>
#include <cstring>

#include "core/base/strings.h"

namespace kin::ingress {

namespace {
constexpr size_t kLongestName = 253, kLongestLabel = 63;

void put16(std::string& out, unsigned value) {
    out += static_cast<char>(value >> 8);
    out += static_cast<char>(value & 0xFF);
}
}  // namespace

std::string address_question(uint16_t id, const std::string& name) {
    const std::string_view relative =
        std::string_view(name).substr(0, name.size() - (name.ends_with('.') ? 1 : 0));
    if (relative.empty() || relative.size() > kLongestName) return {};
    std::string out;
    put16(out, id);
    put16(out, 0x0100);  // Recursion is desired.
    put16(out, 1);
    for (int i = 0; i < 3; ++i) put16(out, 0);
    for (const std::string_view label : split(relative, '.')) {
        if (label.empty() || label.size() > kLongestLabel) return {};
        out += static_cast<char>(label.size());
        out.append(label);
    }
    out += '\0';
    put16(out, ns_t_a);
    put16(out, ns_c_in);
    return out;
}

std::optional<AddressAnswer> read_address_answer(uint16_t id, std::span<const uint8_t> datagram) {
    ns_msg message;
    if (ns_initparse(datagram.data(), static_cast<int>(datagram.size()), &message) != 0) return {};
    if (ns_msg_id(message) != id || ns_msg_getflag(message, ns_f_qr) == 0) return {};
    AddressAnswer out;
    const int code = ns_msg_getflag(message, ns_f_rcode);
    if (code == ns_r_nxdomain) out.what = AddressAnswer::What::kNoSuchName;
    if (code != ns_r_noerror) return out;
    out.what = AddressAnswer::What::kNoSuchName;  // Or a name without addresses.
    for (int i = 0; i < ns_msg_count(message, ns_s_an); ++i) {
        ns_rr record;
        if (ns_parserr(&message, ns_s_an, i, &record) != 0) return {};
        const std::chrono::seconds valid(ns_rr_ttl(record));
        out.valid = i == 0 ? valid : std::min(out.valid, valid);
        if (ns_rr_type(record) != ns_t_a || ns_rr_rdlen(record) != 4) continue;
        uint32_t address = 0;
        std::memcpy(&address, ns_rr_rdata(record), sizeof address);
        out.addresses.push_back(Ipv4::from_network_order(address));
        out.what = AddressAnswer::What::kAddresses;
    }
    return out;
}

}  // namespace kin::ingress
