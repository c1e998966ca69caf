#include "controllers/controllers.h"

#include "controllers/cron_jobs.h"
#include "controllers/daemon_sets.h"
#include "controllers/deployments.h"
#include "controllers/endpoint_slices.h"
#include "controllers/event_expiry.h"
#include "controllers/garbage_collector.h"
#include "controllers/jobs.h"
#include "controllers/load_balancers.h"
#include "controllers/namespaces.h"
#include "controllers/node_subnets.h"
#include "controllers/persistent_volumes.h"
#include "controllers/pods_without_node.h"
#include "controllers/replica_sets.h"
#include "controllers/scheduler.h"
#include "controllers/stateful_sets.h"

namespace kin::controllers {

struct Controllers::All {
    All(Client& client, const Options& options)
        : namespaces(client, options.ca_certificate),
          node_subnets(client, options.pod_pool),
          deployments(client),
          replica_sets(client),
          replication_controllers(client),
          daemon_sets(client),
          stateful_sets(client),
          jobs(client),
          cron_jobs(client),
          persistent_volumes(client),
          scheduler(client),
          endpoint_slices(client),
          load_balancers(client, options.load_balancer_pool),
          garbage_collector(client),
          pods_without_node(client),
          event_expiry(client) {}

    Namespaces namespaces;
    NodeSubnets node_subnets;
    Deployments deployments;
    ReplicaSets replica_sets;
    ReplicationControllers replication_controllers;
    DaemonSets daemon_sets;
    StatefulSets stateful_sets;
    Jobs jobs;
    CronJobs cron_jobs;
    PersistentVolumes persistent_volumes;
    Scheduler scheduler;
    EndpointSlices endpoint_slices;
    LoadBalancers load_balancers;
    GarbageCollector garbage_collector;
    PodsWithoutNode pods_without_node;
    EventExpiry event_expiry;
};

Controllers::Controllers(Client& client, Options options) : client_(client) {
    client.loop().call([&] {
        all_ = std::make_unique<All>(client, options);
        bootstrap(client, options.bootstrap);
        keep_api_server_objects(client, options.bootstrap);
    });
}

Controllers::~Controllers() {
    client_.loop().call([this] { all_.reset(); });
}

}  // namespace kin::controllers
