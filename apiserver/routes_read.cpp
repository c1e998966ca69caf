#include "apiserver/call.h"
#include "apiserver/list.h"
#include "apiserver/respond.h"

namespace kin::apiserver {

Routes::Reply Routes::read(Call& call) {
    const ApiPath& path = call.path;
    const http::Query& query = call.request.query;
    if (path.watch) return open_watch(call);
    if (path.name.empty()) {
        if (query.flag("watch")) return open_watch(call);
        auto list = list_objects(store_, path, query, call.form);
        if (!list) return status_response(list.error());
        return object_response(200, std::move(*list), call.form);
    }
    const std::string& sub = path.subresource;
    if (!sub.empty() && sub != "status" && sub != "scale" && sub != "ephemeralcontainers") {
        return status_response(method_not_allowed());
    }
    auto object = get_object(store_, path, query, call.form);
    if (!object) return status_response(object.error());
    return object_response(200, std::move(*object), call.form);
}

Routes::Reply Routes::open_watch(Call& call) {
    // YAML is no framing for a stream: watches are JSON.
    const Form form = call.form == Form::kYaml ? Form::kJson : call.form;
    auto watch = parse_watch(store_, call.path, call.request.query, form);
    if (!watch) return status_response(watch.error());
    http::Response head(200, "application/json");
    head.headers.add("Cache-Control", "no-cache, private");
    watches_.open(std::move(*watch), call.responder.stream(std::move(head)));
    return {};
}

}  // namespace kin::apiserver
