#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/base/guarded.h"
#include "core/contracts/pod_access.h"

namespace kin::test {

/// Pods whose containers are processes of this machine, without namespaces: exec runs the
/// command, attach runs `attached_command`, connect goes to the same port here, logs are files.
class FakePods : public PodAccess {
public:
    ~FakePods() override;

    void exec(ExecRequest request, Started started, Exited exited) override;
    void attach(ExecRequest request, Started started, Exited exited) override;
    void connect(const ObjectKey& pod, uint16_t port,
                 std::function<void(Answer<UniqueFd>)> connected) override;
    void find_log(LogRequest request, std::function<void(Answer<LogFile>)> found) override;
    std::shared_ptr<void> follow_log(const std::string& path,
                                     std::function<void(bool running)> changed) override;

    /// What an agent does when a log grew, or its container ended.
    void tell_log_changed(bool running);
    size_t followers() const {
        return followers_.with([](const auto& all) { return all.size(); });
    }

    std::vector<std::string> attached_command = {"cat"};
    std::string log_path;
    std::atomic<bool> log_running = false;

private:
    void run(const ExecRequest& request, std::vector<std::string> command, Started started,
             Exited exited);

    std::vector<std::thread> waiting_;
    Guarded<std::map<int, std::function<void(bool)>>> followers_;
    std::atomic<int> last_follower_ = 0;
};

}  // namespace kin::test
