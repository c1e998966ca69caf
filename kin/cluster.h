#pragma once

#include "kin/lab.h"
#include "kin/lab_memory.h"
#include "kin/options.h"
#include "netns/init/launch.h"

namespace kin {

struct ClusterOptions {
    LabPaths paths;
    LabMemory lab;  ///< its nodes and its network
    uint16_t api_port = 6443;
    uint16_t page_port = 7070;
    bool keep_connections = false;  ///< UpOptions::keep_connections
};

/// Runs a whole cluster until it is told to stop. Says notify_ready() once its nodes are Ready.
/// Locals start top to bottom and stop bottom to top.
Result<> run_cluster(const ClusterOptions& options, netns::ServerContext& context);

}  // namespace kin
