#include "dns/outside.h"

#include "core/base/strings.h"
#include "dns/zone.h"

namespace kin::dns {

namespace {
constexpr uint16_t kInternet = 1;
constexpr uint32_t kTtlSeconds = 30;

std::string root_soa() {
    const WireName server = to_wire("ns.internet").value();
    const WireName mailbox = to_wire("hostmaster.internet").value();
    std::string data = server + mailbox;
    for (const uint32_t number : {1U, 1800U, 900U, 604800U, kTtlSeconds}) put_u32(data, number);
    std::string out(1, '\0');  // The root is the owner.
    put_u16(out, static_cast<uint16_t>(Type::kSoa));
    put_u16(out, kInternet);
    put_u32(out, kTtlSeconds);
    put_u16(out, static_cast<uint16_t>(data.size()));
    return out + data;
}
}  // namespace

Outside::Outside(const std::map<std::string, Ipv4>& names) : soa_(root_soa()) {
    for (const auto& [dotted, address] : names) {
        const auto name = to_wire(dotted);
        if (!name) continue;
        names_[*name] = address;
        // Shorter names exist, too, though they may hold nothing.
        for (std::string_view at = without_labels(*name, 1); at.size() > 1;
             at = without_labels(at, 1)) {
            names_.try_emplace(WireName(at));
        }
    }
}

Outside::Found Outside::find(std::string_view name, Ipv4& address) const {
    const auto found = names_.find(name);
    if (found == names_.end()) return Found::kNothing;
    if (!found->second) return Found::kNoData;
    address = *found->second;
    return Found::kAddress;
}

std::map<std::string, Ipv4> outside_names(Ipv4 internet) {
    std::map<std::string, Ipv4> out;
    for (const char* name :
         {"example.com", "www.example.com", "api.example.com", "db.example.com",
          "my-database.example.com", "my.database.example.com", "example.org", "www.example.org",
          "example.net", "kubernetes.io", "www.kubernetes.io", "google.com", "www.google.com",
          "github.com", "www.github.com", "internet"}) {
        out[name] = internet;
    }
    return out;
}

}  // namespace kin::dns
