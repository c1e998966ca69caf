#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/views.h"
#include "core/base/result.h"
#include "netns/pod/config_source.h"
#include "netns/pod/downward.h"
#include "netns/pod/pod_spec.h"

namespace kin::netns {

/// Variables in the order in which they were first set; setting one again replaces its value.
class Environment {
public:
    void set(const std::string& name, std::string value);
    /// nullptr if it is not set.
    const std::string* find(const std::string& name) const;
    /// "NAME=value" each.
    std::vector<std::string> lines() const;

private:
    std::vector<std::string> order_;
    std::map<std::string, std::string> values_;
};

/// Replaces $(NAME) by the variable's value. "$$(NAME)" stands for "$(NAME)"; what names no
/// variable stays as it is.
std::string expand(std::string_view text, const Environment& variables);

/// What a pod of namespace `ns` is told about Services: WEB_SERVICE_HOST, WEB_PORT_80_TCP_ADDR...
/// for every Service with an address in `services`, `kubernetes` of namespace default always.
Environment service_environment(const std::vector<const Service*>& services, std::string_view ns,
                                bool service_links);

/// All variables of a container: Services', envFrom, env in order, each with $(NAME) replaced by
/// what stands before it. Fails with the words that Kubernetes shows as CreateContainerConfigError:
/// configmap "x" not found.
Result<Environment> container_environment(const DownwardView& view,
                                          const ContainerSpecView& container,
                                          const Environment& services, const ConfigSource& source);

}  // namespace kin::netns
