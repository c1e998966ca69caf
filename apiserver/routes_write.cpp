#include "apiserver/body.h"
#include "apiserver/call.h"
#include "apiserver/list.h"
#include "apiserver/respond.h"
#include "core/api/yaml.h"
#include "core/base/strings.h"
#include "core/registry/delete_options.h"

namespace kin::apiserver {

namespace {
Answer<PatchType> patch_type(const http::Request& request) {
    const std::string_view header = request.headers.get("Content-Type");
    const std::string type = to_lower(trim(header.substr(0, header.find(';'))));
    if (type == "application/json-patch+json") return PatchType::kJson;
    if (type == "application/merge-patch+json") return PatchType::kMerge;
    if (type == "application/strategic-merge-patch+json") return PatchType::kStrategic;
    if (type == "application/apply-patch+yaml") return PatchType::kApply;
    return unsupported_media_type(
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json-patch+json, application/merge-patch+json, "
        "application/strategic-merge-patch+json, application/apply-patch+yaml");
}

/// What the query says counts where the body does not say it.
Answer<DeleteOptions> parse_delete_options(const http::Request& request) {
    Json body = Json::object();
    if (!trim(request.body).empty()) {
        TRY_ASSIGN(Body read, read_body(request, "DeleteOptions"));
        body = std::move(read.json);
        if (!body.is_object()) return bad_request("DeleteOptions must be an object");
    }
    const http::Query& query = request.query;
    const std::string_view propagation = query.get("propagationPolicy");
    if (!propagation.empty() && !body.contains("propagationPolicy"))
        body["propagationPolicy"] = propagation;
    if (query.has("orphanDependents") && !body.contains("orphanDependents"))
        body["orphanDependents"] = query.flag("orphanDependents");
    const std::string_view grace = query.get("gracePeriodSeconds");
    if (!grace.empty() && !body.contains("gracePeriodSeconds")) {
        const auto number = parse_number<int64_t>(grace);
        if (!number)
            return bad_request(cat("strconv.ParseInt: parsing \"", grace, "\": invalid syntax"));
        body["gracePeriodSeconds"] = *number;
    }
    TRY_ASSIGN(DeleteOptions options, read_delete_options(body));
    TRY_ASSIGN(const WriteOptions common, parse_write_options(request, "DeleteOptions"));
    if (common.dry_run == DryRun::kYes) options.dry_run = DryRun::kYes;
    return options;
}

std::string expected_kind(const ApiPath& path) {
    if (path.subresource == "scale") return "Scale";
    if (path.subresource == "binding") return "Binding";
    if (path.subresource == "eviction") return "Eviction";
    return std::string(path.kind->kind);
}
}  // namespace

Answer<WriteOptions> parse_write_options(const http::Request& request,
                                         std::string_view options_kind) {
    WriteOptions options;
    for (const std::string_view value : request.query.all("dryRun")) {
        if (value != "All") {
            return invalid_of(
                "meta.k8s.io", options_kind, "",
                {field_not_supported("dryRun", Json::array({std::string(value)}), {"All"})});
        }
        options.dry_run = DryRun::kYes;
    }
    const std::string_view validation = request.query.get("fieldValidation");
    if (validation == "Strict") {
        options.field_validation = FieldValidation::kStrict;
    } else if (validation == "Ignore") {
        options.field_validation = FieldValidation::kIgnore;
    } else if (!validation.empty() && validation != "Warn") {
        return invalid_of("meta.k8s.io", options_kind, "",
                          {field_not_supported("fieldValidation", std::string(validation),
                                               {"Ignore", "Strict", "Warn"})});
    }
    options.field_manager = std::string(request.query.get("fieldManager"));
    if (options.field_manager.size() > 128) {
        return invalid_of("meta.k8s.io", options_kind, "", {field_too_long("fieldManager", 128)});
    }
    options.force_apply = request.query.flag("force");
    return options;
}

http::Response written_response(Answer<Written> written, const Kind& kind,
                                const http::Request& request, Form form) {
    if (!written) return status_response(written.error());
    auto body = object_in_form(kind, std::move(written->body), request.query, form);
    if (!body) return status_response(body.error());
    http::Response response = object_response(written->code, std::move(*body), form);
    add_warnings(response, written->warnings);
    return response;
}

namespace {
/// The manager of everything but apply: fieldManager, else the program's name.
void settle_manager(const http::Request& request, WriteOptions& options) {
    if (!options.field_manager.empty()) return;
    const std::string_view agent = request.headers.get("User-Agent");
    options.field_manager = std::string(agent.substr(0, agent.find('/')));
}
}  // namespace

Routes::Reply Routes::create(Call& call) {
    auto options = parse_write_options(call.request, "CreateOptions");
    if (!options) return status_response(options.error());
    settle_manager(call.request, *options);
    auto body = read_body(call.request, expected_kind(call.path));
    if (!body) return status_response(body.error());
    options->body_errors = std::move(body->errors);
    return written_response(blocking_write([&](WriteDone done) {
                                registry_.create(call.target(), std::move(body->json), *options,
                                                 std::move(done));
                            }),
                            *call.path.kind, call.request, call.form);
}

Routes::Reply Routes::update(Call& call) {
    auto options = parse_write_options(call.request, "UpdateOptions");
    if (!options) return status_response(options.error());
    settle_manager(call.request, *options);
    auto body = read_body(call.request, expected_kind(call.path));
    if (!body) return status_response(body.error());
    options->body_errors = std::move(body->errors);
    return written_response(blocking_write([&](WriteDone done) {
                                registry_.update(call.target(), std::move(body->json), *options,
                                                 std::move(done));
                            }),
                            *call.path.kind, call.request, call.form);
}

Routes::Reply Routes::patch(Call& call) {
    const auto type = patch_type(call.request);
    if (!type) return status_response(type.error());
    auto options = parse_write_options(call.request, "PatchOptions");
    if (!options) return status_response(options.error());
    if (*type != PatchType::kApply) {
        if (options->force_apply) {
            return status_response(
                invalid_of("meta.k8s.io", "PatchOptions", "",
                           {field_forbidden("force", "may not be specified for non-apply patch")}));
        }
        settle_manager(call.request, *options);
    }
    auto body = read_body(call.request, expected_kind(call.path));
    if (!body) return status_response(body.error());
    options->body_errors = std::move(body->errors);
    return written_response(blocking_write([&](WriteDone done) {
                                registry_.patch(call.target(), *type, std::move(body->json),
                                                *options, std::move(done));
                            }),
                            *call.path.kind, call.request, call.form);
}

Routes::Reply Routes::remove(Call& call) {
    const auto options = parse_delete_options(call.request);
    if (!options) return status_response(options.error());
    return written_response(blocking_write([&](WriteDone done) {
                                registry_.remove(call.target(), *options, std::move(done));
                            }),
                            *call.path.kind, call.request, call.form);
}

Routes::Reply Routes::remove_collection(Call& call) {
    const ApiPath& path = call.path;
    const bool everywhere = path.kind->namespaced && path.ns.empty();
    // Namespaces are deleted by name only: discovery offers no other verb.
    if (everywhere || path.kind->plural == "namespaces")
        return status_response(method_not_allowed());
    const auto options = parse_delete_options(call.request);
    if (!options) return status_response(options.error());
    const auto selection = parse_selection(*path.kind, call.request.query);
    if (!selection) return status_response(selection.error());
    Json items = Json::array();
    for (const StoredPtr& object : store_.list(path.kind->resource(), path.ns).objects) {
        if (!selection->matches(*object)) continue;
        const Target target{path.kind, object->key, ""};
        const auto removed = blocking_write(
            [&](WriteDone done) { registry_.remove(target, *options, std::move(done)); });
        // Gone in between is what was wanted; anything else ends the request.
        if (!removed && removed.error().code != 404) return status_response(removed.error());
        Json json = *json_of(*object);
        json.erase("kind");
        json.erase("apiVersion");
        items.push_back(std::move(json));
    }
    return json_response(200, {{"kind", list_kind(*path.kind)},
                               {"apiVersion", path.kind->api_version()},
                               {"metadata", {{"resourceVersion", cat(store_.revision())}}},
                               {"items", std::move(items)}});
}

}  // namespace kin::apiserver
