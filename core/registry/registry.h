#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/api/kinds.h"
#include "core/api/object_key.h"
#include "core/api/status.h"
#include "core/base/ip.h"
#include "core/base/json.h"
#include "core/store/store.h"

namespace kin {

class ServiceAllocators;

enum class FieldValidation { kIgnore, kWarn, kStrict };
enum class DryRun { kNo, kYes };
enum class PatchType { kJson, kMerge, kStrategic, kApply };
enum class Propagation { kDefault, kBackground, kForeground, kOrphan };

/// Who asks, and how.
struct WriteOptions {
    std::string field_manager;  ///< for managedFields; "" is written as "unknown"
    DryRun dry_run = DryRun::kNo;
    FieldValidation field_validation = FieldValidation::kWarn;
    bool force_apply = false;
    /// Texts found while reading the body (duplicate fields); judged by field_validation.
    std::vector<std::string> body_errors;
};

/// Which object a write is about.
struct Target {
    const Kind* kind = nullptr;
    ObjectKey key;            ///< name may be empty for create with generateName
    std::string subresource;  ///< "", "status", "scale", "binding", "finalize", ...
};

struct DeleteOptions {
    Propagation propagation = Propagation::kDefault;
    std::optional<int64_t> grace_period_seconds;
    std::string precondition_uid, precondition_resource_version;
    DryRun dry_run = DryRun::kNo;
};

/// What a write gave.
struct Written {
    int code = 200;    ///< 201 when created
    std::string body;  ///< the object, or a Status
    /// The object as it is stored; nullptr if the answer is a Status, a Scale or of a dry run.
    std::shared_ptr<const Json> object;
    std::vector<std::string> warnings;
    Revision revision = 0;
    bool changed = true;  ///< false: the object was so before, and nothing was written
};
using WriteDone = std::function<void(Answer<Written>)>;

/// Kubernetes below HTTP: defaults, validation, patches, allocation of addresses and ports within
/// the create, generation, managedFields, finalizers. Thread-safe.
///
/// Writes are asynchronous: what can be judged without the stored state is judged on the caller's
/// thread, the rest on the store's writer thread, where nothing can change in between; `done` is
/// called there after the commit (or at once with the Status that refuses), and must only post.
class Registry {
public:
    struct Options {
        Cidr service_cidr{{0x0A600000}, 16};  ///< 10.96.0.0/16
        uint16_t node_port_first = 30000, node_port_last = 32767;
    };
    Registry(Store& store, const Options& options);
    ~Registry();

    void create(const Target& target, Json body, const WriteOptions& options, WriteDone done);
    void update(const Target& target, Json body, const WriteOptions& options, WriteDone done);
    void patch(const Target& target, PatchType type, Json patch, const WriteOptions& options,
               WriteDone done);
    void remove(const Target& target, const DeleteOptions& options, WriteDone done);

    /// The scale subresource of a stored workload as autoscaling/v1 Scale.
    static Json scale_of(const Kind& kind, const Json& object);

    Store& store() { return store_; }
    const Options& options() const { return options_; }

private:
    void submit(std::function<Answer<Written>(StoreTransaction&)> work, WriteDone done);

    Store& store_;
    Options options_;
    std::unique_ptr<ServiceAllocators> allocators_;
};

/// Waits for an asynchronous write: blocking_write([&](WriteDone done) { registry.create(...,
/// done); }).
Answer<Written> blocking_write(const std::function<void(WriteDone)>& start);

}  // namespace kin
