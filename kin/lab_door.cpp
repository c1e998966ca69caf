#include "kin/lab_door.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base/strings.h"
#include "kin/pki.h"
#include "kin/version.h"
#include "netns/network/plan.h"

namespace kin {

namespace {
http::Response json_response(int code, const Json& json) {
    return {code, "application/json", to_text(json) + '\n'};
}

/// This process's id outside of the lab's pid namespace: the first of NSpid is the outermost that
/// the mounted /proc shows.
int host_pid() {
    const auto text = read_file("/proc/self/status");
    if (!text) return 0;
    const size_t at = text->find("NSpid:");
    if (at == std::string::npos) return 0;
    const std::string_view line = trim(std::string_view(*text).substr(at + 6));
    return parse_number<int>(line.substr(0, line.find_first_of(" \t\n"))).value_or(0);
}

Json host(std::string_view name, netns::NodeLinks& links, Ipv4 address, std::string_view role) {
    const KernelNode* found = links.find(name);
    return {{"name", name},
            {"address", address.to_string()},
            {"role", role},
            {"netns_fd", found ? found->netns.fd() : -1}};
}

Json hosts(netns::NodeLinks& links, int nodes) {
    const netns::AddressPlan& plan = links.addresses();
    Json out = Json::array();
    for (int number = 1; number <= nodes; ++number) {
        Json node = host(netns::node_name(number), links, plan.node(number),
                         number == 1 ? "node, control-plane" : "node");
        node["pods"] = plan.node_pods(number).to_string();
        out.push_back(std::move(node));
    }
    out.push_back(host("router", links, plan.router(), "between nodes and the outside"));
    out.push_back(host("client", links, plan.client(), "outside host"));
    out.push_back(host("internet", links, plan.internet(), "outside host"));
    return out;
}

Json published_json(const netns::PublishedPorts& published) {
    Json out = Json::array();
    for (const auto& [what, host_port, error] : published.list()) {
        Json entry{{"service", what.service.to_string()},
                   {"port", what.port},
                   {"type", what.type},
                   {"address", cat(what.target, ':', what.target_port)}};
        if (host_port != 0) entry["host"] = cat("127.0.0.1:", host_port);
        if (!error.empty()) entry["error"] = error;
        out.push_back(std::move(entry));
    }
    return out;
}
}  // namespace

Result<std::unique_ptr<LabDoor>> LabDoor::create(const ClusterOptions& options,
                                                 netns::NodeLinks& links, Client& client,
                                                 const netns::PublishedPorts& published) {
    UniqueFd stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!stop.valid()) return Error::from_errno("eventfd");
    std::unique_ptr<LabDoor> door(new LabDoor(client, published, std::move(stop)));
    door->status_ = {{"name", options.paths.name},
                     {"version", kVersion},
                     {"socket", options.paths.socket()},
                     {"pid", host_pid()},
                     {"kubeconfig", options.paths.kubeconfig()},
                     {"hosts", hosts(links, options.nodes)}};
    return door;
}

std::optional<http::Response> LabDoor::handle(const http::Request& request) {
    const auto& path = request.path;
    if (path.size() != 3 || path[1] != "v1") return {};
    const std::string& what = path[2];
    if (request.method == "GET" && what == "status") {
        Json status = status_;
        status["published"] = published_json(published_);
        return json_response(200, status);
    }
    if (request.method == "GET" && what == "rules" && rules_) {
        const Result<std::string> text = rules_(request.query);
        if (text) return http::Response{200, "text/plain; charset=utf-8", *text};
        const bool not_found = text.error().code() == Errc::kNotFound;
        return json_response(not_found ? 404 : 500, {{"message", text.error().text()}});
    }
    if (request.method != "POST") return {};
    if (what == "stop") {
        const uint64_t one = 1;
        if (::write(stop_.get(), &one, sizeof one) < 0) {
            return json_response(500, {{"message", Error::from_errno("eventfd").text()}});
        }
        return json_response(200, {{"message", "stopping"}});
    }
    if (what == "settle") {
        const int timeout_ms = parse_number<int>(request.query.get("timeout")).value_or(10'000);
        std::string why;
        if (client_.settle(timeout_ms, &why)) return json_response(200, {{"settled", true}});
        return json_response(504, {{"settled", false}, {"busy", why}});
    }
    return {};
}

void LabDoor::wait_for_stop(int stop_fd) const {
    pollfd asked[2] = {{stop_.get(), POLLIN, 0}, {stop_fd, POLLIN, 0}};
    while (::poll(asked, 2, -1) <= 0) {
        if (errno != EINTR) return;
    }
}

}  // namespace kin
