#pragma once

#include <string>
#include <string_view>

#include "core/base/ip.h"
#include "core/base/result.h"
#include "netns/pod/pod_spec.h"

namespace kin::netns {

/// What a pod can be told about itself: the downward API. Pure.
struct DownwardView {
    const PodSpec& pod;
    const Labels& labels;
    const Labels& annotations;
    Ipv4 pod_ip;
    Ipv4 host_ip;
    /// What a container without limits may use: the node's.
    int64_t node_cpu_milli = 0;
    int64_t node_memory_bytes = 0;
};

/// The value of a fieldRef: "metadata.name", "metadata.labels['app']", "status.podIP"...
/// Fails with kInvalid for a path that names nothing.
Result<std::string> field_value(const DownwardView& view, std::string_view path);

/// The value of a resourceFieldRef ("limits.cpu", "requests.memory") of `container` in units of
/// `divisor`, rounded up.
Result<std::string> resource_value(const DownwardView& view, const ContainerSpecView& container,
                                   std::string_view resource, std::string_view divisor);
/// The same by the container's name.
Result<std::string> resource_value_of(const DownwardView& view, std::string_view container,
                                      std::string_view resource, std::string_view divisor);

}  // namespace kin::netns
