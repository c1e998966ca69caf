#include <algorithm>
#include <chrono>
#include <deque>
#include <future>

#include "apiserver/body.h"
#include "apiserver/call.h"
#include "apiserver/respond.h"
#include "core/api/yaml.h"
#include "core/base/strings.h"
#include "core/base/time.h"

namespace kin::apiserver {

namespace {
/// One document of a file that is applied as a whole: its line of the answer.
struct Applied {
    int code = 200;
    std::string line;
};

std::string short_name(const Kind& kind, std::string_view name) {
    return cat(kind.singular, kind.group.empty() ? "" : ".", kind.group, '/', name);
}

/// A file's documents on their way: carried out one after the other, but not each in a commit of
/// its own.
class Application {
public:
    Application(Registry& registry, DryRun dry_run) : registry_(registry), dry_run_(dry_run) {}

    void add(Json document) {
        const std::string api_version = string_at(document, {"apiVersion"});
        const std::string kind_name = string_at(document, {"kind"});
        const std::string name = string_at(document, {"metadata", "name"});
        const Kind* kind = find_kind_of(api_version, kind_name);
        if (!kind) {
            return refuse({404, cat("error: no matches for kind \"", kind_name, "\" in version \"",
                                    api_version, "\"")});
        }
        if (name.empty())
            return refuse({422, cat("error: a ", kind->kind, " without metadata.name")});
        Target target{kind, {"", name}, ""};
        if (kind->namespaced) {
            target.key.ns = string_at(document, {"metadata", "namespace"}, "default");
        }
        begin(std::move(target), std::move(document));
    }

    /// The lines of all, when the last is answered.
    http::Response finish() {
        await_all_but(0);
        return text_response(code_, lines_);
    }

private:
    constexpr static size_t kMostUnderWay = 256;
    struct Begun {
        Target target;
        std::future<Answer<Written>> answer;
    };

    void begin(Target target, Json document) {
        WriteOptions options;
        options.field_manager = "kin-apply";
        options.force_apply = true;
        options.dry_run = dry_run_;
        auto promise = std::make_shared<std::promise<Answer<Written>>>();
        begun_.push_back({target, promise->get_future()});
        registry_.patch(
            target, PatchType::kApply, std::move(document), options,
            [promise](Answer<Written> answer) { promise->set_value(std::move(answer)); });
        await_all_but(kMostUnderWay);
    }

    void refuse(const Applied& applied) {
        await_all_but(0);  // Lines stand in the order of the documents.
        note(applied);
    }

    void await_all_but(size_t left) {
        for (; begun_.size() > left; begun_.pop_front()) note(await(begun_.front()));
    }

    static Applied await(Begun& begun) {
        const auto written = begun.answer.get();
        const std::string what = short_name(*begun.target.kind, begun.target.key.name);
        if (!written) {
            return {written.error().code, cat("error: ", what, ": ", written.error().message)};
        }
        std::string line = cat(what, written->code == 201 ? " created"
                                     : written->changed   ? " configured"
                                                          : " unchanged");
        for (const std::string& warning : written->warnings) line += cat("\nWarning: ", warning);
        return {200, std::move(line)};
    }

    void note(const Applied& applied) {
        lines_ += applied.line + '\n';
        code_ = std::max(code_, applied.code);
    }

    Registry& registry_;
    const DryRun dry_run_;
    std::deque<Begun> begun_;
    std::string lines_;
    int code_ = 200;
};

/// Documents of a file; the items of a List count as documents.
Result<std::vector<Json>> documents_of(const std::string& text) {
    TRY_ASSIGN(std::vector<Json> documents, parse_yaml_documents(text));
    std::vector<Json> out;
    for (Json& document : documents) {
        if (string_at(document, {"kind"}) == "List") {
            for (const Json& item : array_at(document, {"items"})) out.push_back(item);
        } else {
            out.push_back(std::move(document));
        }
    }
    return out;
}

std::string uid_of(const StoredObject& object) {
    return string_at(*json_of(object), {"metadata", "uid"});
}

/// A token lives ten minutes at least.
std::optional<Status> check_expiration(int64_t seconds) {
    constexpr int64_t kLeast = 600, kMost = int64_t{1} << 32;
    if (seconds >= kLeast && seconds <= kMost) return {};
    const std::string_view why = seconds < kLeast
                                     ? "may not specify a duration less than 10 minutes"
                                     : "may not specify a duration larger than 2^32 seconds";
    return invalid_of("authentication.k8s.io", "TokenRequest", "",
                      {field_invalid("spec.expirationSeconds", seconds, why)});
}

Json user_info(const User& user) { return {{"username", user.name}, {"groups", user.groups}}; }
}  // namespace

Routes::Reply Routes::apply_documents(Call& call) {
    const std::string& method = call.request.method;
    if (method != "PUT" && method != "POST") return status_response(method_not_allowed());
    const auto options = parse_write_options(call.request, "PatchOptions");
    if (!options) return status_response(options.error());
    auto documents = documents_of(call.request.body);
    if (!documents) return text_response(400, cat("error: ", documents.error().text(), '\n'));
    if (documents->empty()) return text_response(400, "error: no objects passed to apply\n");
    Application application(registry_, options->dry_run);
    for (Json& document : *documents) application.add(std::move(document));
    return application.finish();
}

Routes::Reply Routes::create_review(Call& call) {
    if (call.request.method != "POST") return status_response(method_not_allowed());
    auto body = read_body(call.request, "Review");
    if (!body) return status_response(body.error());
    Json review = std::move(body->json);
    const std::string& plural = call.path.plural;
    const bool admin = call.user.is_admin();
    if (plural == "selfsubjectaccessreviews" || plural == "subjectaccessreviews" ||
        plural == "localsubjectaccessreviews") {
        bool allowed = admin;
        if (plural != "selfsubjectaccessreviews") {
            const Json& groups = array_at(review, {"spec", "groups"});
            allowed = std::find(groups.begin(), groups.end(), "system:masters") != groups.end();
        }
        review["status"] = {{"allowed", allowed}, {"reason", ""}};
    } else if (plural == "selfsubjectrulesreviews") {
        const Json all = Json::array({"*"});
        Json resources = Json::array(), others = Json::array();
        if (admin) {
            resources.push_back({{"verbs", all}, {"apiGroups", all}, {"resources", all}});
            others.push_back({{"verbs", all}, {"nonResourceURLs", all}});
        }
        review["status"] = {
            {"resourceRules", resources}, {"nonResourceRules", others}, {"incomplete", false}};
    } else if (plural == "selfsubjectreviews") {
        review["status"] = {{"userInfo", user_info(call.user)}};
    } else if (plural == "tokenreviews") {
        http::Request probe;
        probe.headers.add("Authorization", cat("Bearer ", string_at(review, {"spec", "token"})));
        const auto user = authenticator_.authenticate(probe);
        review["status"] = {{"authenticated", user.has_value()}};
        if (user) review["status"]["user"] = user_info(*user);
    } else {
        Status status;
        status.code = 404;
        status.reason = "NotFound";
        status.message = "the server could not find the requested resource";
        return status_response(status);
    }
    if (!review.contains("metadata")) review["metadata"] = Json::object();
    return json_response(201, review);
}

Routes::Reply Routes::create_token(Call& call) {
    const ApiPath& path = call.path;
    auto body = read_body(call.request, "TokenRequest");
    if (!body) return status_response(body.error());
    const StoredPtr account = store_.find("serviceaccounts", {path.ns, path.name});
    if (!account) return status_response(not_found(*path.kind, path.name));
    Json request = body->json.is_object() ? std::move(body->json) : Json::object();
    const int64_t seconds = int_at(request, {"spec", "expirationSeconds"}, 3600);
    if (auto refused = check_expiration(seconds)) return status_response(*refused);
    ServiceAccountToken token;
    token.account = {path.ns, path.name};
    token.account_uid = uid_of(*account);
    token.pod_name = string_at(request, {"spec", "boundObjectRef", "name"});
    token.pod_uid = string_at(request, {"spec", "boundObjectRef", "uid"});
    for (const Json& audience : array_at(request, {"spec", "audiences"}))
        if (audience.is_string()) token.audiences.push_back(audience.get<std::string>());
    token.seconds = granted_seconds(seconds);
    request["kind"] = "TokenRequest";
    request["apiVersion"] = "authentication.k8s.io/v1";
    request["spec"]["expirationSeconds"] = seconds;
    const auto end = std::chrono::system_clock::now() + std::chrono::seconds(token.seconds);
    request["status"] = {{"token", authenticator_.service_account_token(token)},
                         {"expirationTimestamp", rfc3339(end)}};
    if (!request.contains("metadata")) {
        request["metadata"] = {{"name", path.name}, {"namespace", path.ns}};
    }
    return json_response(201, request);
}

}  // namespace kin::apiserver
