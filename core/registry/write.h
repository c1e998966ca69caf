#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/registry/allocators.h"
#include "core/registry/patch.h"
#include "core/registry/registry.h"

namespace kin::registry {

/// One write on its way: what was asked, what the body became, what to warn of.
struct Writing {
    Writing(Target target_, WriteOptions options_)
        : target(std::move(target_)), options(std::move(options_)) {}

    const Kind& kind() const { return *target.kind; }
    /// Reads `object` against the schema; unknown fields are judged by field_validation.
    Answer<Ok> conform(Json& object);
    /// For apply: an unknown field is always an error.
    Answer<Ok> conform_strictly();
    FieldWriter writer() const;

    Target target;
    WriteOptions options;
    Json body;
    std::vector<std::string> warnings;
};

// The half of each verb that runs on the store's writer thread: nothing can change meanwhile.
Answer<Written> create_in(Writing& writing, ServiceAllocators& allocators, StoreTransaction& store);
Answer<Written> update_in(Writing& writing, ServiceAllocators& allocators, StoreTransaction& store);
Answer<Written> patch_in(Writing& writing, PatchType type, ServiceAllocators& allocators,
                         StoreTransaction& store);
Answer<Written> remove_in(Writing& writing, const DeleteOptions& options,
                          ServiceAllocators& allocators, StoreTransaction& store);

/// An object as a write left it.
struct Settled {
    std::shared_ptr<const Json> object;
    std::string text;       ///< As it is stored and sent.
    Revision revision = 0;  ///< Of its last write; 0: it has never been written.
    bool changed = true;    ///< false: it was so before.
};

/// What every update ends in: metadata, defaults, validation, allocation, managedFields; writes
/// unless nothing changed; removes if nothing holds the object any more.
enum class Tracking { kUpdate, kAlreadyTracked };
Answer<Settled> finish_update(Writing& writing, const StoredObject& stored, const Json& old,
                              Json object, Tracking tracking, ServiceAllocators& allocators,
                              StoreTransaction& store);

/// Writes `object` as it is (or, in a dry run, does not) and returns it with its revision.
Settled put_object(const Writing& writing, Json object, StoreTransaction& store);

/// Checks the body of a write to /scale.
Answer<Ok> settle_scale(const Target& target, Json& body);

/// POST to a subresource: binding, eviction. Others are answered with 404 or 405.
std::function<Answer<Written>(StoreTransaction&)> subresource_create(Target target, Json body,
                                                                     WriteOptions options);

/// The Status that says an object is gone.
std::string deleted_status(const Kind& kind, const Json& object);

}  // namespace kin::registry
