#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "netns/pod/pod_spec.h"

namespace kin {
class Client;
}

namespace kin::netns {

/// Records an Event of the kubelet about a pod; `field_path` names the container, or is empty.
void record_event(Client& client, const PodSpec& pod, const std::string& field_path,
                  std::string_view type, std::string reason, std::string message);

/// `Container image "nginx" already present on machine`: kin downloads nothing.
std::string already_present(std::string_view image);

/// "10s", "1m20s", "5m0s": as Go prints durations, and so Kubernetes' messages do.
std::string go_duration(std::chrono::seconds duration);

}  // namespace kin::netns
