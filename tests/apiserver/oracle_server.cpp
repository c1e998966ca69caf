#include "oracle_server.h"

#include <cstdlib>
#include <set>

#include "apiserver/server.h"
#include "controllers/garbage_collector.h"
#include "core/base/assert.h"
#include "core/base/strings.h"
#include "core/store/saved.h"
#include "fake_pods.h"
#include "raw_client.h"

namespace kin::test {

namespace {
const http::KeyPair& authority() {
    static const http::KeyPair kPair = *http::make_ca("oracle");
    return kPair;
}

const http::KeyPair& server_pair() {
    static const http::KeyPair kPair =
        *http::make_server_certificate(authority(), "kin", {"IP:127.0.0.1"});
    return kPair;
}

Json first_objects() {
    Json out = Json::array();
    for (const char* name : {"default", "kube-system", "kube-public", "kube-node-lease", "test"})
        out.push_back(
            {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", name}}}});
    out.push_back({{"apiVersion", "v1"},
                   {"kind", "ServiceAccount"},
                   {"metadata", {{"name", "default"}, {"namespace", "test"}}},
                   {"automountServiceAccountToken", false}});
    out.push_back({{"apiVersion", "v1"},
                   {"kind", "Service"},
                   {"metadata", {{"name", "kubernetes"}, {"namespace", "default"}}},
                   {"spec",
                    {{"clusterIP", "10.96.0.1"},
                     {"ports", Json::array({{{"name", "https"}, {"port", 443}}})}}}});
    return out;
}

std::string oracle_body(const Json& request) {
    const Json* body = find(request, "body");
    if (!body) return "";
    return body->is_string() ? body->get<std::string>() : to_text(*body);
}

/// What a stream gave until its end.
std::string whole_chunks(RawClient& connection) {
    std::string out;
    for (;;) {
        const std::string line = connection.read_until("\r\n");
        const size_t size = line.empty() ? 0 : std::stoul(line, nullptr, 16);
        if (size == 0) return out;
        out += connection.read_exactly(size);
        connection.read_exactly(2);
    }
}

}  // namespace

Json flattened(Json status) {
    for (const char* key : {"kind", "apiVersion", "metadata"}) status.erase(key);
    if (const auto details = status.find("details"); details != status.end()) {
        if (details->contains("causes")) {
            status["causes"] = (*details)["causes"];
            details->erase("causes");
        }
        if (details->empty()) status.erase("details");
    }
    return status;
}

struct OracleServer::Parts {
    TemporaryFolder folder;
    std::unique_ptr<Store> store = *Store::open({.path = ":memory:"});
    Registry registry{*store, {.service_cidr = Cidr{{0x0A600000}, 12}}};
    FakePods pods;
    Loop streams{"streams"};
    Loop control{"control"};
    std::unique_ptr<Client> client;
    std::unique_ptr<controllers::GarbageCollector> collector;
    std::unique_ptr<apiserver::ApiServer> api;
    std::set<std::string> first;  ///< what is there from the start: "pods default/web"

    ~Parts() {
        api.reset();
        control.call([this] { collector.reset(); });
        client.reset();
    }
    std::vector<StoredPtr> objects() const {
        std::vector<StoredPtr> out;
        for (const Kind& kind : all_kinds())
            for (const StoredPtr& object : store->list(kind.resource(), "").objects)
                if (!first.contains(cat(object->resource, ' ', object->key))) out.push_back(object);
        return out;
    }
};

OracleServer::OracleServer(OracleControllers controllers) : parts_(std::make_unique<Parts>()) {
    apiserver::ApiServer::Options options;
    options.socket_path = socket_path();
    options.tls_port = 0;
    options.server = server_pair();
    options.client_ca_pem = authority().certificate_pem;
    options.token_secret = "secret";
    auto api =
        apiserver::ApiServer::start(parts_->registry, parts_->streams, &parts_->pods, options);
    KIN_ASSERT(api);
    parts_->api = std::move(*api);
    for (const Json& object : first_objects()) KIN_ASSERT(create(object)["code"] == 201);
    for (const StoredPtr& object : parts_->objects())
        parts_->first.insert(cat(object->resource, ' ', object->key));
    if (controllers == OracleControllers::kNone) return;
    parts_->client = std::make_unique<Client>(parts_->registry, parts_->control);
    parts_->control.call([this] {
        parts_->collector = std::make_unique<controllers::GarbageCollector>(*parts_->client);
    });
    KIN_ASSERT(parts_->client->start());
}

OracleServer::~OracleServer() = default;

std::string OracleServer::socket_path() const { return parts_->folder.file("api.sock"); }

std::string oracle_head(std::string_view method, const Json& request) {
    std::map<std::string, std::string> headers = {
        {"Host", "kin"}, {"Accept", "application/json"}, {"User-Agent", "tester/1.0"}};
    if (request.contains("body")) headers["Content-Type"] = "application/json";
    for (const auto& [name, value] : object_at(request, {"headers"}).items()) {
        headers.erase(name);
        if (value.is_string()) headers[name] = value.get<std::string>();
    }
    std::string out = cat(method, ' ', string_at(request, {"path"}), " HTTP/1.1\r\n");
    for (const auto& [name, value] : headers) out += cat(name, ": ", value, "\r\n");
    return out;
}

Json OracleServer::send(const Json& request) const {
    RawClient connection = RawClient::to_socket(socket_path());
    const std::string body = oracle_body(request);
    std::string head = oracle_head(string_at(request, {"method"}), request);
    if (!body.empty()) head += cat("Content-Length: ", body.size(), "\r\n");
    connection.send(head + "Connection: close\r\n\r\n").send(body);
    const std::string answered = connection.read_until("\r\n\r\n");
    const bool chunked = to_lower(answered).find("chunked") != answered.npos;
    const std::string text = chunked ? whole_chunks(connection) : connection.read_to_end();
    const int code = answered.size() < 12
                         ? 0
                         : parse_number<int>(std::string_view(answered).substr(9, 3)).value_or(0);
    Json out = {{"code", code}};
    auto json = parse_json(text);
    if (!json || !json->is_object() || !json->contains("kind")) {
        out["text"] = text;
    } else if (string_at(*json, {"kind"}) == "Status") {
        out.update(flattened(*std::move(json)));
        out["code"] = code;
    } else {
        out["body"] = *std::move(json);
    }
    for (const std::string_view line : split(answered, '\n'))
        for (const char* name : {"Warning", "Allow", "Retry-After", "Location"})
            if (line.starts_with(cat(name, ": ")))
                out["headers"][name] = trim(line.substr(std::string_view(name).size() + 2));
    return out;
}

std::string collection_path(const Json& object) {
    const Kind* kind = find_kind_of(string_at(object, {"apiVersion"}), string_at(object, {"kind"}));
    if (!kind) return "";
    const std::string root = kind->group.empty() ? "/api/" : cat("/apis/", kind->group, '/');
    const std::string ns = string_at(object, {"metadata", "namespace"}, "test");
    return cat(root, kind->version, kind->namespaced ? cat("/namespaces/", ns) : "", '/',
               kind->plural);
}

Json OracleServer::create(const Json& object) const {
    return send({{"method", "POST"}, {"path", collection_path(object)}, {"body", object}});
}

Json OracleServer::whole_body(const Json& answer) {
    return answer.contains("body") ? answer["body"] : answer;
}

void OracleServer::reset() {
    for (const StoredPtr& object : parts_->objects()) {
        const Target target{find_resource(object->resource), object->key, ""};
        const auto drop_finalizers = [&](WriteDone done) {
            parts_->registry.patch(target, PatchType::kMerge,
                                   {{"metadata", {{"finalizers", nullptr}}}}, {}, std::move(done));
        };
        if (object->body.find("\"finalizers\"") != std::string::npos)
            (void)blocking_write(drop_finalizers);
        DeleteOptions now;
        now.grace_period_seconds = 0;
        (void)blocking_write(
            [&](WriteDone done) { parts_->registry.remove(target, now, std::move(done)); });
    }
    // What only a controller or a node would let go of.
    for (const StoredPtr& object : parts_->objects()) {
        KIN_ASSERT(parts_->store->run([&](StoreTransaction& transaction) {
            transaction.remove(object->resource, object->key);
        }));
    }
    settle();
}

std::string OracleServer::not_restorable() const {
    std::string out;
    for (const StoredPtr& object : parts_->objects()) {
        if (const auto checked = check_restorable(*object); !checked)
            out += cat(checked.error().text(), '\n');
    }
    return out;
}

void OracleServer::settle() {
    if (parts_->client) parts_->client->settle(2000);
}

void OracleServer::compact() { KIN_ASSERT(parts_->store->compact(parts_->store->revision())); }

}  // namespace kin::test
