#pragma once

#include <memory>
#include <vector>

#include "netns/init/containers.h"

namespace kin::netns {

class NodeLinks;

/// The programs of the outside host `internet`, for as long as this object lives: a web server on
/// port 80 that tells who asks (/clientip, /hostname, /echo), the same by UDP on 8081, and
/// something that accepts connections where databases listen: 3306, 5432, 6379.
/// On the control thread.
class OutsideHosts {
public:
    OutsideHosts(Containers& containers, NodeLinks& links)
        : containers_(containers), links_(links) {}
    ~OutsideHosts();
    OutsideHosts(const OutsideHosts&) = delete;
    OutsideHosts& operator=(const OutsideHosts&) = delete;

    Result<> start();

private:
    Result<> run(int network_fd, const char* image, const std::vector<std::string>& args);

    Containers& containers_;
    NodeLinks& links_;
    std::vector<Sandbox> sandboxes_;
    std::vector<ProcessId> processes_;
};

}  // namespace kin::netns
