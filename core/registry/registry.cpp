#include "core/registry/registry.h"

#include <future>

#include "core/api/validation.h"
#include "core/base/strings.h"
#include "core/base/time.h"
#include "core/registry/admission.h"
#include "core/registry/allocators.h"
#include "core/registry/metadata.h"
#include "core/registry/patch.h"
#include "core/registry/write.h"

namespace kin {

namespace {
using registry::Writing;

Status unrecognized(const Kind& kind, std::string_view why) {
    return bad_request(cat("the object provided is unrecognized (must be of type ", kind.kind,
                           "): couldn't get version/kind; json parse error: ", why));
}

/// Fills in or compares what the body says of its type.
Answer<Ok> settle_type(const Kind& kind, Json& body) {
    if (body.is_null()) body = Json::object();  // An empty YAML document.
    if (!body.is_object()) return bad_request("the body of the request is no object");
    for (const char* key : {"apiVersion", "kind"}) {
        const Json* said = find(body, key);
        if (said && !said->is_string() && !said->is_null())
            return unrecognized(kind, cat("json: cannot unmarshal ", said->type_name(),
                                          " into Go struct field .", key, " of type string"));
    }
    const std::string api_version = string_at(body, {"apiVersion"});
    const std::string name = string_at(body, {"kind"});
    if (!api_version.empty() && api_version != kind.api_version()) {
        return bad_request(cat("the API version in the data (", api_version,
                               ") does not match the expected API version (", kind.api_version(),
                               ")"));
    }
    if (!name.empty() && name != kind.kind) {
        return bad_request(cat(name, " in version \"", kind.version, "\" cannot be handled as a ",
                               kind.kind, ": converting (", name, ") to (", kind.kind,
                               "): unknown conversion"));
    }
    body["apiVersion"] = kind.api_version();
    body["kind"] = kind.kind;
    return Ok{};
}

/// Fills in or compares namespace and name.
Answer<Ok> settle_key(const Target& target, Json& body, std::string_view verb) {
    Json& meta = body["metadata"];
    if (meta.is_null()) meta = Json::object();
    if (!meta.is_object()) return Ok{};  // conform() says what is wrong with it.
    if (target.kind->namespaced) {
        const std::string ns = string_at(meta, {"namespace"});
        if (!ns.empty() && ns != target.key.ns) {
            return bad_request(
                "the namespace of the provided object does not match the namespace sent on the "
                "request");
        }
        meta["namespace"] = target.key.ns;
    } else {
        meta.erase("namespace");
    }
    const std::string name = string_at(meta, {"name"});
    if (!target.key.name.empty() && !name.empty() && name != target.key.name) {
        return bad_request(cat("the name of the object (", name,
                               ") does not match the name on the URL (", target.key.name, ")"));
    }
    if (verb == "update" && name.empty()) meta["name"] = target.key.name;
    return Ok{};
}

/// What is applied has to say what it is, and leaves ownership to the server.
Answer<Ok> check_applied_identity(const Target& target, const Json& body) {
    if (!body.is_object()) return bad_request("the applied configuration is no object");
    const std::string version = string_at(body, {"apiVersion"});
    if (version != target.kind->api_version()) {
        return bad_request(
            cat("Incorrect version specified in apply patch. Specified patch version: ", version,
                ", expected: ", target.kind->api_version()));
    }
    if (string_at(body, {"metadata", "name"}).empty()) {
        return bad_request(cat("the name of the object (", target.key.name,
                               " based on URL) was undeterminable: name must be provided"));
    }
    const Json* managed = find(body, {"metadata", "managedFields"});
    if (managed && !managed->is_null()) return bad_request("metadata.managedFields must be nil");
    return Ok{};
}

}  // namespace

Registry::Registry(Store& store, const Options& options)
    : store_(store), options_(options), allocators_(std::make_unique<ServiceAllocators>(options_)) {
    allocators_->rebuild(store_);
}

Registry::~Registry() = default;

void Registry::submit(std::function<Answer<Written>(StoreTransaction&)> work, WriteDone done) {
    auto answer = std::make_shared<std::optional<Answer<Written>>>();
    store_.submit(
        [answer, work = std::move(work)](StoreTransaction& transaction) {
            answer->emplace(work(transaction));
            if (!**answer) transaction.abandon();
        },
        [this, answer, done = std::move(done)](Result<> committed) {
            if (!committed) {
                allocators_->rebuild(store_);
                done(internal_error(committed.error()));
                return;
            }
            done(std::move(**answer));
        });
}

void Registry::create(const Target& target, Json body, const WriteOptions& options,
                      WriteDone done) {
    if (!target.subresource.empty()) {
        submit(registry::subresource_create(target, std::move(body), options), std::move(done));
        return;
    }
    auto writing = std::make_shared<Writing>(target, options);
    const Answer<Ok> read = [&]() -> Answer<Ok> {
        TRY(settle_type(*target.kind, body));
        TRY(settle_key(target, body, "create"));
        TRY(writing->conform(body));
        if (!string_at(body, {"metadata", "resourceVersion"}).empty()) {
            return bad_request("resourceVersion should not be set on objects to be created");
        }
        return Ok{};
    }();
    if (!read) return done(read.error());
    writing->body = std::move(body);
    submit(
        [this, writing](StoreTransaction& store) {
            return registry::create_in(*writing, *allocators_, store);
        },
        std::move(done));
}

void Registry::update(const Target& target, Json body, const WriteOptions& options,
                      WriteDone done) {
    auto writing = std::make_shared<Writing>(target, options);
    const Answer<Ok> read = [&]() -> Answer<Ok> {
        if (target.subresource == "scale") return registry::settle_scale(target, body);
        TRY(settle_type(*target.kind, body));
        TRY(settle_key(target, body, "update"));
        return writing->conform(body);
    }();
    if (!read) return done(read.error());
    writing->body = std::move(body);
    submit(
        [this, writing](StoreTransaction& store) {
            return registry::update_in(*writing, *allocators_, store);
        },
        std::move(done));
}

void Registry::patch(const Target& target, PatchType type, Json patch, const WriteOptions& options,
                     WriteDone done) {
    auto writing = std::make_shared<Writing>(target, options);
    writing->body = std::move(patch);
    if (type == PatchType::kApply) {
        const Answer<Ok> read = [&]() -> Answer<Ok> {
            if (options.field_manager.empty()) {
                return invalid_of("meta.k8s.io", "PatchOptions", "",
                                  {field_required("fieldManager", "is required for apply patch")});
            }
            if (target.subresource == "scale") return registry::settle_scale(target, writing->body);
            TRY(check_applied_identity(target, writing->body));
            TRY(settle_type(*target.kind, writing->body));
            TRY(settle_key(target, writing->body, "update"));
            return writing->conform_strictly();
        }();
        if (!read) return done(read.error());
    }
    submit(
        [this, writing, type](StoreTransaction& store) {
            return registry::patch_in(*writing, type, *allocators_, store);
        },
        std::move(done));
}

void Registry::remove(const Target& target, const DeleteOptions& options, WriteDone done) {
    auto writing = std::make_shared<Writing>(target, WriteOptions{});
    writing->options.dry_run = options.dry_run;
    submit(
        [this, writing, options](StoreTransaction& store) {
            return registry::remove_in(*writing, options, *allocators_, store);
        },
        std::move(done));
}

Answer<Written> blocking_write(const std::function<void(WriteDone)>& start) {
    auto promise = std::make_shared<std::promise<Answer<Written>>>();
    auto future = promise->get_future();
    start([promise](Answer<Written> answer) { promise->set_value(std::move(answer)); });
    return future.get();
}

}  // namespace kin
