#pragma once

#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/client/client.h"
#include "core/http/message.h"
#include "core/kernel/nft.h"
#include "netns/network/node_links.h"
#include "netns/network/pod_networks.h"
#include "policy/enforcer.h"
#include "proxy/proxier.h"

namespace kin {

/// One line of a table that is about an object.
struct TableLine {
    std::string place;    ///< "map endpoints", "chain lb-2"
    std::string text;     ///< the element or rule as nft lists it
    std::string comment;  ///< of its own, "" if it has none
};
/// The elements and rules that name one of `words` (a pod "shop/web-0", an address), as whole
/// words, in their text or comment. Pure.
std::vector<TableLine> lines_about(const nft::Table& table, const std::vector<std::string>& words);

/// What a lab tells of its kernel below /kin/v1/:
///   GET network?host=NODE, network?pod=NS/NAME   links, addresses, routes, neighbours
///   GET elements?node=NODE&about=WORD&about=...  what a node's tables hold about an object
/// Thread-safe, but not from the control thread.
class KernelDoor {
public:
    struct Parts {
        Client& client;
        netns::NodeLinks& links;
        netns::PodNetworks& pods;
        proxy::Proxier& proxier;
        policy::Enforcer& enforcer;
    };
    /// All of them outlive this object.
    explicit KernelDoor(const Parts& parts) : parts_(parts) {}

    http::Response network(const http::Request& request);
    http::Response elements(const http::Request& request);

private:
    Result<Json> network_of(const http::Query& query);
    Result<Json> elements_of(const http::Query& query);

    const Parts parts_;
};

/// {"message": ...} with the status that fits the error.
http::Response refusal_of(const Error& error);

}  // namespace kin
