#include "apiserver/routes.h"

#include "apiserver/call.h"
#include "apiserver/discovery.h"
#include "apiserver/openapi.h"
#include "apiserver/respond.h"
#include "core/base/strings.h"

namespace kin::apiserver {

namespace {
Status unauthorized() {
    Status status;
    status.code = 401;
    status.reason = "Unauthorized";
    status.message = "Unauthorized";
    return status;
}

Status no_such_resource() {
    Status status;
    status.code = 404;
    status.reason = "NotFound";
    status.message = "the server could not find the requested resource";
    return status;
}

Status not_acceptable() {
    Status status;
    status.code = 406;
    status.reason = "NotAcceptable";
    status.message =
        "only the following media types are accepted: application/json, application/yaml, "
        "application/json;as=Table;v=v1;g=meta.k8s.io";
    return status;
}

bool open_to_all(const std::vector<std::string>& path) {
    return path.size() >= 1 && (path[0] == "healthz" || path[0] == "livez" || path[0] == "readyz" ||
                                path[0] == "version");
}

std::string verb_of(const http::Request& request, const ApiPath& path) {
    const std::string& method = request.method;
    if (method == "GET" || method == "HEAD") {
        // Streams into a pod ask for "create" on the subresource whatever the method.
        if (path.subresource == "exec" || path.subresource == "attach" ||
            path.subresource == "portforward") {
            return "create";
        }
        if (path.watch) return "watch";
        if (!path.name.empty()) return "get";
        return request.query.flag("watch") ? "watch" : "list";
    }
    if (method == "POST") return "create";
    if (method == "PUT") return "update";
    if (method == "PATCH") return "patch";
    if (method == "DELETE") return path.name.empty() ? "deletecollection" : "delete";
    return to_lower(method);
}

bool is_served(std::string_view group, std::string_view version) {
    const auto kinds = all_kinds();
    return std::any_of(kinds.begin(), kinds.end(), [&](const Kind& kind) {
        return kind.group == group && kind.version == version;
    });
}

/// For what no kind is served: words for clients where the group is known in another version, and
/// the bare text of a server without that group elsewhere.
http::Response no_such_version(std::string_view group) {
    const auto kinds = all_kinds();
    const bool known = std::any_of(kinds.begin(), kinds.end(),
                                   [&](const Kind& kind) { return kind.group == group; });
    return known ? status_response(no_such_resource()) : text_response(404, "404 page not found\n");
}

http::Response health(const http::Request& request) {
    if (!request.query.flag("verbose")) return text_response(200, "ok");
    return text_response(200, cat("[+]ping ok\n[+]store ok\n", request.path[0], " check passed\n"));
}
}  // namespace

Routes::Routes(Registry& registry, Loop& streams, Watches& watches, PodStreams& pods,
               const Authenticator& authenticator, Lab lab)
    : registry_(registry),
      store_(registry.store()),
      streams_(streams),
      watches_(watches),
      pods_(pods),
      authenticator_(authenticator),
      lab_(std::move(lab)) {}

void Routes::handle(http::Request& request, http::Responder& responder) {
    Call call{request, responder, {}, {}, Form::kJson};
    if (Reply reply = answer(call)) responder.send(std::move(*reply));
}

Routes::Reply Routes::answer(Call& call) {
    http::Request& request = call.request;
    if (open_to_all(request.path)) return non_resource(call);
    const auto caller = authenticator_.authenticate(request);
    if (!caller) return status_response(unauthorized());
    auto user = acting_user(*caller, request);
    if (!user) return status_response(user.error());
    call.user = std::move(*user);

    const bool api =
        !request.path.empty() && (request.path[0] == "api" || request.path[0] == "apis");
    const auto path = api ? parse_api_path(request.path) : std::nullopt;
    Attributes what;
    what.verb = to_lower(request.method);
    what.path = request.raw_path;
    if (path && !path->plural.empty()) {
        what = {verb_of(request, *path), path->group, path->plural,
                path->subresource,       path->ns,    path->name,
                request.raw_path};
    }
    if (const auto allowed = authorize(call.user, what); !allowed) {
        return status_response(allowed.error());
    }
    if (!path || path->plural.empty()) return non_resource(call);
    call.path = *path;
    return resource(call);
}

Routes::Reply Routes::non_resource(Call& call) {
    const auto& path = call.request.path;
    if (path.empty()) return json_response(200, root_paths());
    const std::string& root = path[0];
    if (root == "healthz" || root == "livez" || root == "readyz") return health(call.request);
    if (root == "version") return json_response(200, version_info());
    if (root == "apply") return apply_documents(call);
    if (root == "kin" && call.user.is_admin() && path.size() == 5 && path[2] == "hosts" &&
        path[4] == "exec") {
        return pods_.exec_in_host(path[3], call.request, call.responder);
    }
    if (root == "kin" && lab_ && call.user.is_admin()) {
        if (auto response = lab_(call.request)) return response;
    }
    if (call.request.method != "GET" && call.request.method != "HEAD") {
        return status_response(method_not_allowed());
    }
    if (root == "api" || root == "apis") return discovery(call);
    if (root == "openapi") return openapi(call);
    return json_response(404, root_paths());
}

Routes::Reply Routes::discovery(Call& call) {
    const auto& path = call.request.path;
    const bool core = path[0] == "api";
    const bool root = path.size() == 1;
    const auto form = negotiate(call.request.headers.get("Accept"), {false, false, root});
    if (!form) return status_response(not_acceptable());
    std::optional<Json> document;
    if (root && (*form == Form::kDiscoveryV2 || *form == Form::kDiscoveryV2beta1)) {
        const std::string body =
            to_text(aggregated(core ? DiscoveryRoot::kApi : DiscoveryRoot::kApis, *form));
        http::Response response(200, aggregated_content_type(*form), body);
        response.headers.add("Vary", "Accept");
        response.headers.add("ETag", etag_of(body));
        if (call.request.headers.get("If-None-Match") == etag_of(body)) {
            response.status = 304;
            response.body.clear();
        }
        return response;
    }
    if (root) {
        document = core ? core_versions(call.request.headers.get("Host")) : group_list();
    } else if (core && path.size() == 2) {
        document = resource_list("", path[1]);
    } else if (!core && path.size() == 2) {
        document = group(path[1]);
    } else if (!core && path.size() == 3) {
        document = resource_list(path[1], path[2]);
    }
    if (!document) return no_such_version(core ? "" : path[1]);
    http::Response response = json_response(200, *document);
    response.headers.add("Vary", "Accept");
    return response;
}

Routes::Reply Routes::openapi(Call& call) {
    const auto& path = call.request.path;
    DocumentBytes document;
    std::string type = "application/json";
    if (path.size() == 2 && path[1] == "v2") {
        document = openapi_v2_protobuf();
        type = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";
    } else if (path.size() == 2 && path[1] == "v3") {
        document = openapi_v3_index();
    } else if (path.size() > 2 && path[1] == "v3") {
        document =
            openapi_v3_document(join(std::vector<std::string>(path.begin() + 2, path.end()), "/"));
    }
    if (!document) return text_response(404, "404 page not found\n");
    const std::string etag = etag_of(*document);
    http::Response response(200, type, document);
    response.headers.add("ETag", etag);
    if (call.request.query.has("hash")) {
        response.headers.add("Cache-Control", "public, immutable");
    }
    if (call.request.headers.get("If-None-Match") == etag) {
        response.status = 304;
        response.body.clear();
    }
    return response;
}

Routes::Reply Routes::resource(Call& call) {
    const ApiPath& path = call.path;
    const std::string& method = call.request.method;
    if (path.group == "authorization.k8s.io" || path.group == "authentication.k8s.io") {
        return create_review(call);
    }
    // kubectl looks here for kinds that it does not know, and takes a 404 for a broken server.
    if (path.plural == "customresourcedefinitions" && path.name.empty() && method == "GET" &&
        path.group == "apiextensions.k8s.io" && path.version == "v1") {
        return json_response(200, {{"kind", "CustomResourceDefinitionList"},
                                   {"apiVersion", "apiextensions.k8s.io/v1"},
                                   {"metadata", {{"resourceVersion", cat(store_.revision())}}},
                                   {"items", Json::array()}});
    }
    if (!is_served(path.group, path.version)) return no_such_version(path.group);
    const bool to_port = path.kind && (path.kind->kind == "Pod" || path.kind->kind == "Service");
    // What is behind "proxy" is the pod's business.
    if (to_port && path.subresource == "proxy")
        return pods_.proxy(path, call.request, call.responder);
    // Clean paths only: no proxy in between should have to guess.
    const bool unclean = call.request.raw_path.find("//") != std::string::npos;
    if (!path.kind || unclean) return status_response(no_such_resource());
    if (method == "HEAD") return status_response(method_not_allowed());
    if (!path.subresource.empty()) {
        const auto& known = path.kind->subresources;
        const bool served = std::any_of(known.begin(), known.end(), [&](const Subresource& item) {
            return item.name == path.subresource;
        });
        if (!served) return status_response(no_such_resource());
    }
    const Offers offers{true, true, false};
    const auto form = negotiate(call.request.headers.get("Accept"), offers);
    const std::string& sub = path.subresource;
    if (path.kind->kind == "Pod" &&
        (sub == "log" || sub == "exec" || sub == "attach" || sub == "portforward")) {
        return pods_.handle({path.ns, path.name}, sub, call.request, call.responder);
    }
    if (!form) return status_response(not_acceptable());
    call.form = *form;
    if (method == "GET") return read(call);
    if (method == "DELETE" && path.name.empty()) return remove_collection(call);
    const bool whole_cluster = path.kind->namespaced && path.ns.empty();
    if (whole_cluster) return status_response(method_not_allowed());
    if (method == "POST") {
        if (path.kind->kind == "ServiceAccount" && sub == "token") return create_token(call);
        if (!path.name.empty() && sub.empty()) return status_response(method_not_allowed());
        return create(call);
    }
    if (path.name.empty()) return status_response(method_not_allowed());
    if (method == "PUT") return update(call);
    if (method == "PATCH") return patch(call);
    if (method == "DELETE" && sub.empty()) return remove(call);
    return status_response(method_not_allowed());
}

}  // namespace kin::apiserver
