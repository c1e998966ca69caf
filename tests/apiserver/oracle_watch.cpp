#include "oracle_watch.h"

#include <poll.h>
#include <sys/socket.h>

#include "core/base/strings.h"
#include "oracle_server.h"

namespace kin::test {

namespace {
constexpr int kLongestMs = 2000;

void copy(Json& to, const Json& from, const char* key) {
    if (from.contains(key)) to[key] = from[key];
}

Json short_table(const Json& table) {
    Json out = {{"columnDefinitions", nullptr}, {"rows", Json::array()}};
    for (const char* key : {"kind", "apiVersion", "metadata"}) copy(out, table, key);
    for (const Json& column : array_at(table, {"columnDefinitions"}))
        out["columnDefinitions"].push_back(column["name"]);
    for (const Json& row : array_at(table, {"rows"})) {
        const Json& object = object_at(row, {"object"});
        out["rows"].push_back({{"cells", row["cells"]},
                               {"object",
                                {{"kind", string_at(object, {"kind"})},
                                 {"name", string_at(object, {"metadata", "name"})}}}});
    }
    return out;
}

Json short_object(const Json& object) {
    if (string_at(object, {"kind"}) == "Table") return short_table(object);
    Json out = Json::object();
    for (const char* key : {"kind", "apiVersion", "data"}) copy(out, object, key);
    if (string_at(object, {"kind"}) == "Event") copy(out, object, "type");
    const Json& metadata = object_at(object, {"metadata"});
    for (const char* key : {"name", "namespace", "labels", "resourceVersion", "generation",
                            "finalizers", "deletionTimestamp", "deletionGracePeriodSeconds"})
        copy(out, metadata, key);
    copy(out, object_at(object, {"status"}), "phase");
    copy(out, object_at(object, {"spec"}), "nodeName");
    return out;
}
}  // namespace

OracleWatch::OracleWatch(const std::string& socket_path, const Json& request)
    : connection_(RawClient::to_socket(socket_path)) {
    connection_.send(oracle_head("GET", request) + "\r\n");
    const std::string answered = read_head();
    const auto code = parse_number<int>(std::string_view(answered).substr(9, 3)).value_or(0);
    answer_ = {{"code", code}};
    if (answered.find("chunked") != std::string::npos) {
        take_chunks();
        return;
    }
    // Not a stream: one object, or a refusal.
    const size_t length = answered.find("content-length: ");
    const size_t size = length == answered.npos ? 0 : std::stoul(answered.substr(length + 16));
    while (bytes_.size() < size && receive_bytes(kLongestMs)) {
    }
    ended_ = true;
    const auto json = parse_json(bytes_);
    if (json && code == 200)
        events_.push_back({{"type", nullptr}, {"object", short_object(*json)}});
    if (json && code != 200) answer_.update(flattened(*json));
    answer_["code"] = code;
}

std::string OracleWatch::read_head() {
    size_t end;
    while ((end = bytes_.find("\r\n\r\n")) == bytes_.npos && receive_bytes(kLongestMs)) {
    }
    const std::string head = to_lower(bytes_.substr(0, end));
    bytes_.erase(0, end == bytes_.npos ? end : end + 4);
    return head;
}

double OracleWatch::seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
}

bool OracleWatch::receive(int timeout_ms) {
    if (!receive_bytes(timeout_ms)) return false;
    take_chunks();
    return true;
}

bool OracleWatch::receive_bytes(int timeout_ms) {
    pollfd ready{connection_.fd(), POLLIN, 0};
    if (ended_ || ::poll(&ready, 1, timeout_ms) != 1) return false;
    char buffer[65536];
    const ssize_t got = ::recv(connection_.fd(), buffer, sizeof buffer, 0);
    if (got <= 0) {
        ended_ = true;
        return false;
    }
    bytes_.append(buffer, static_cast<size_t>(got));
    return true;
}

void OracleWatch::take_chunks() {
    for (size_t end; (end = bytes_.find("\r\n")) != bytes_.npos;) {
        const size_t size = std::stoul(bytes_.substr(0, end), nullptr, 16);
        if (bytes_.size() < end + 2 + size + 2) return;
        text_ += bytes_.substr(end + 2, size);
        bytes_.erase(0, end + 2 + size + 2);
        if (size == 0) ended_ = true;
        take_lines();
    }
}

void OracleWatch::take_lines() {
    for (size_t end; (end = text_.find('\n')) != text_.npos; text_.erase(0, end + 1)) {
        auto json = parse_json(text_.substr(0, end));
        if (!json) continue;
        const std::string type = string_at(*json, {"type"});
        Json event = {{"type", type}, {"afterSeconds", seconds()}};
        const bool whole = type == "ERROR" || type == "BOOKMARK";
        event["object"] = whole ? (*json)["object"] : short_object((*json)["object"]);
        events_.push_back(std::move(event));
    }
}

Json OracleWatch::read(size_t wanted) {
    constexpr int kForMoreMs = 10;
    while (events_.size() < wanted && receive(kLongestMs)) {
    }
    while (receive(kForMoreMs)) {
    }
    return std::exchange(events_, Json::array());
}

Json OracleWatch::read_to_end(double at_most_seconds) {
    while (seconds() < at_most_seconds &&
           (receive(static_cast<int>((at_most_seconds - seconds()) * 1000)) || !ended_)) {
    }
    return std::exchange(events_, Json::array());
}

}  // namespace kin::test
