#include "kin/lab_door.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "core/base/files.h"
#include "core/base/strings.h"
#include "kin/answers.h"
#include "kin/lab_file.h"
#include "kin/version.h"
#include "netns/network/plan.h"

namespace kin {

namespace {
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

/// On the control thread.
Json hosts_json(netns::NodeLinks& links) {
    const netns::AddressPlan& plan = links.addresses();
    Json out = Json::array();
    for (const int number : links.node_numbers()) {
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

/// How something of the network is done: an Attachment or an Overlay.
template <class Way>
Json way_json(const Way& way) {
    return {{"name", way.name()}, {"words", way.words()}};
}

Json published_json(const netns::PublishedPorts& published) {
    Json out = Json::array();
    for (const auto& [what, host_port, error] : published.list()) {
        // As kubectl writes ports, but for TCP, which goes without saying.
        const char* suffix = what.protocol == Protocol::kUdp ? "/UDP" : "";
        Json entry{{"service", what.service.to_string()},
                   {"port", what.port},
                   {"type", what.type},
                   {"protocol", name_of(what.protocol)},
                   {"address", cat(what.target, ':', what.target_port, suffix)}};
        if (host_port != 0) entry["host"] = cat("127.0.0.1:", host_port, suffix);
        if (!error.empty()) entry["error"] = error;
        out.push_back(std::move(entry));
    }
    return out;
}
}  // namespace

Result<std::unique_ptr<LabDoor>> LabDoor::create(const ClusterOptions& options,
                                                 const Parts& parts) {
    UniqueFd stop(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!stop.valid()) return Error::from_errno("eventfd");
    std::unique_ptr<LabDoor> door(new LabDoor(options.paths, parts, std::move(stop)));
    door->known_.with([&](Known& known) {
        known.status = {{"name", options.paths.name},
                        {"version", kVersion},
                        {"socket", options.paths.socket()},
                        {"pid", host_pid()},
                        {"kubeconfig", options.paths.kubeconfig()},
                        {"cni", way_json(*options.lab.network.attachment)},
                        {"overlay", way_json(*options.lab.network.overlay)}};
    });
    return door;
}

std::optional<http::Response> LabDoor::handle(const http::Request& request) {
    const auto& path = request.path;
    if (path.size() < 3 || path[1] != "v1") return {};
    const std::string& what = path[2];
    if (path.size() == 4) {
        if (request.method == "DELETE" && what == "nodes") return remove_node(path[3]);
        return {};
    }
    if (path.size() != 3) return {};
    if (request.method == "GET") {
        if (what == "status") return status();
        if (what == "save") return save();
        if (what == "rules" && rules_) return rules(request);
        if (const auto page = pages_.find(what); page != pages_.end()) return page->second(request);
    }
    if (request.method == "POST") {
        if (what == "stop") return stop();
        if (what == "ui") return new_link();
        if (what == "settle") return settle(request);
        if (what == "nodes") return add_node();
    }
    return {};
}

http::Response LabDoor::status() const {
    Json out = known_.with([](const Known& known) { return known.status; });
    parts_.client.loop().call([&] { out["hosts"] = hosts_json(parts_.links); });
    out["published"] = published_json(parts_.published);
    return json_response(200, out);
}

http::Response LabDoor::save() const {
    auto bytes = save_lab(paths_);
    if (bytes) return {200, "application/octet-stream", std::move(*bytes)};
    return refusal(bytes.error());
}

http::Response LabDoor::rules(const http::Request& request) const {
    const Result<std::string> text = rules_(request.query);
    if (text) return {200, "text/plain; charset=utf-8", *text};
    return refusal(text.error());
}

http::Response LabDoor::stop() const {
    const uint64_t one = 1;
    if (::write(stop_.get(), &one, sizeof one) < 0) return refusal(Error::from_errno("eventfd"));
    return json_response(200, {{"message", "stopping"}});
}

void LabDoor::set_api_port(uint16_t port) {
    known_.with([&](Known& known) { known.status["api_port"] = port; });
}

void LabDoor::set_page(uint16_t port, std::function<std::string()> new_link) {
    known_.with([&](Known& known) {
        known.status["page"] = cat("http://127.0.0.1:", port);
        known.new_link = std::move(new_link);
    });
}

void LabDoor::forget_page() {
    known_.with([](Known& known) { known.new_link = {}; });
}

http::Response LabDoor::new_link() const {
    return known_.with([](const Known& known) {
        if (!known.new_link) return json_response(503, {{"message", "the page is not open"}});
        return json_response(200, {{"link", known.new_link()}});
    });
}

http::Response LabDoor::settle(const http::Request& request) const {
    const int timeout_ms = parse_number<int>(request.query.get("timeout")).value_or(10'000);
    std::string why;
    if (parts_.client.settle(timeout_ms, &why)) return json_response(200, {{"settled", true}});
    return json_response(504, {{"settled", false}, {"busy", why}});
}

http::Response LabDoor::add_node() const {
    const Result<std::string> added = parts_.nodes.add();
    return added ? json_response(201, {{"name", *added}}) : refusal(added.error());
}

http::Response LabDoor::remove_node(const std::string& name) const {
    const Result<> removed = parts_.nodes.remove(name);
    return removed ? json_response(200, {{"name", name}}) : refusal(removed.error());
}

void LabDoor::wait_for_stop(int stop_fd) const {
    pollfd asked[2] = {{stop_.get(), POLLIN, 0}, {stop_fd, POLLIN, 0}};
    while (::poll(asked, 2, -1) <= 0) {
        if (errno != EINTR) return;
    }
}

}  // namespace kin
