#pragma once

#include "core/api/kinds.h"
#include "core/api/object_key.h"
#include "core/api/status.h"
#include "core/base/json.h"
#include "core/store/store.h"

namespace kin {

/// What must hold in the rest of the cluster before an object may be created: its namespace
/// exists and is not going away, a Pod's ServiceAccount exists.
Answer<Ok> admit_create(const Kind& kind, const ObjectKey& key, const Json& object,
                        const StoreTransaction& store);

/// Fills in what is nobody's wish but the cluster's, and so nobody's in managedFields: a Pod's
/// ServiceAccount and token, priority and tolerations of lost nodes; the default class of an
/// Ingress or claim. Fails with 403 if the object asks for a PriorityClass that is not there.
Answer<Ok> complete_create(const Kind& kind, const ObjectKey& key, Json& object,
                           const StoreTransaction& store);
/// The same for what updates may not lose.
void complete_update(const Kind& kind, Json& object);

/// Gives a Pod the volume with its ServiceAccount's token, the cluster's CA and its namespace at
/// /var/run/secrets/kubernetes.io/serviceaccount, unless Pod or ServiceAccount say no (KEP-1205).
void mount_service_account(const ObjectKey& key, Json& pod, const StoreTransaction& store);

/// Namespaces that a cluster cannot be without: deleting them is forbidden.
bool is_immortal_namespace(std::string_view name);

}  // namespace kin
