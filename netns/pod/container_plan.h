#pragma once

#include <string>
#include <vector>

#include "netns/images/images.h"
#include "netns/init/containers.h"
#include "netns/pod/agent_context.h"
#include "netns/pod/container_logs.h"
#include "netns/pod/container_run.h"

namespace kin::netns {

struct ContainerPlanInputs {
    const AgentContext& agent;
    const PodEnvironment& pod;
    const ContainerSpecView& container;
    int attempt = 0;  ///< numbers its termination message
};

/// A container ready to be started.
struct ContainerRequest {
    ContainerSpec spec;
    std::string image;     ///< "docker.io/library/nginx:latest"
    std::string image_id;  ///< what kin runs for it
    images::Image program;
    struct Note {
        std::string type, reason, message;
    };
    std::vector<Note> notes;        ///< Events to record: Pulled, stand-ins.
    std::vector<UniqueFd> volumes;  ///< hold the mounts' sources until the container is requested
    ContainerRefusal refusal;       ///< why there is no spec
};

/// Puts together what runs in a container: image, command, environment, volumes, files, identity.
/// An Error is for the pod's status, with request.refusal.
Result<> plan_container(const ContainerPlanInputs& inputs, ContainerRequest& request);

}  // namespace kin::netns
