#include "netns/pod/outside_hosts.h"

#include <signal.h>

#include "core/base/log.h"
#include "core/base/strings.h"
#include "netns/images/images.h"
#include "netns/network/node_links.h"

namespace kin::netns {

OutsideHosts::~OutsideHosts() {
    for (const ProcessId process : processes_) (void)containers_.signal(process, SIGKILL);
}

Result<> OutsideHosts::start() {
    const KernelNode* internet = links_.find("internet");
    if (!internet) return Ok{};
    const int fd = internet->netns.fd();
    TRY(run(fd, "agnhost", {"netexec", "--http-port=80", "--udp-port=8081"}));
    const images::Image databases =
        images::stand_in("database", {{3306, false}, {5432, false}, {6379, false}});
    ContainerSpec spec = images::container_of(databases, {}, {}, {});
    spec.network_fd = fd;
    spec.sandbox = &sandboxes_.front();
    TRY_ASSIGN(const ProcessId process, containers_.start(spec, [](const ProcessEvent&) {}));
    processes_.push_back(process);
    return Ok{};
}

Result<> OutsideHosts::run(int network_fd, const char* image,
                           const std::vector<std::string>& args) {
    const auto found = images::find_image(image);
    KIN_ASSERT(found.has_value());
    TRY_ASSIGN(Sandbox sandbox, Sandbox::create("internet"));
    sandboxes_.push_back(std::move(sandbox));
    ContainerSpec spec = images::container_of(*found, {}, args, {});
    spec.network_fd = network_fd;
    spec.sandbox = &sandboxes_.back();
    TRY_ASSIGN(const ProcessId process, containers_.start(spec, [](const ProcessEvent& event) {
        if (event.kind == ProcessEvent::Kind::kFailed) log_warn("internet", event.error);
    }));
    processes_.push_back(process);
    return Ok{};
}

}  // namespace kin::netns
