#pragma once

#include "core/api/validation.h"

namespace kin {

// The defaults that depend on other fields, by kind. All run after the static ones of the schema.

/// `old` as in set_defaults().
using Defaults = void (*)(Json& object, const Json* old);

void default_pod(Json& pod, const Json* old);
/// The parts that templates share with pods.
void default_pod_spec(Json& spec);
void default_service(Json& service, const Json* old);
void default_deployment(Json& deployment, const Json* old);
void default_daemon_set(Json& daemon_set, const Json* old);
void default_stateful_set(Json& stateful_set, const Json* old);
void default_replica_set(Json& replica_set, const Json* old);
void default_replication_controller(Json& controller, const Json* old);
void default_job(Json& job, const Json* old);
void default_cron_job(Json& cron_job, const Json* old);
void default_pod_template(Json& pod_template, const Json* old);

/// Sets object[key] unless it is there.
void set_missing(Json& object, const char* key, Json value);
/// "Guaranteed", "Burstable" or "BestEffort".
std::string qos_class(const Json& pod_spec);

}  // namespace kin
