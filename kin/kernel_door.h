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
/// An object, as elements and rules mean it: names of different kinds may be the same.
struct Subject {
    enum class Kind { kPod, kService, kPolicy } kind = Kind::kPod;
    std::string name;                    ///< "shop/web"
    std::vector<std::string> addresses;  ///< its own
};
/// The elements and rules of kube-proxy's or kin-policy's table that serve an object: with one of its
/// addresses, or a comment that means it; of a policy also the chains that it has a part in, and what
/// leads there. Pure.
std::vector<TableLine> lines_about(const nft::Table& table, const Subject& subject);

/// What a lab tells of its kernel below /kin/v1/:
///   GET network?host=NODE, network?pod=NS/NAME   links, addresses, routes, neighbours
///   GET elements?node=NODE&pod=NS/NAME           what a node's tables hold for an object; service=
///                                                and policy= likewise
///   GET elements?node=NODE                       how much a node's tables hold in all
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
    Result<Json> tables_of(const std::string& node);
    Result<Subject> subject_of(const http::Query& query);

    const Parts parts_;
};

}  // namespace kin
