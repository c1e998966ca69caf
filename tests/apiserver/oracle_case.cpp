#include "oracle_case.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/base/strings.h"

namespace kin::test {

namespace {
void forget_managed_fields(Json& json) {
    if (json.is_array())
        for (Json& element : json) forget_managed_fields(element);
    if (!json.is_object()) return;
    if (Json* metadata = find(json, "metadata"); metadata && metadata->is_object())
        metadata->erase("managedFields");
    for (auto& [key, value] : json.items()) forget_managed_fields(value);
}

/// What the columns of a table mean is told in words of one's own.
void forget_descriptions(Json& answer) {
    Json* columns = find(answer, {"body", "columnDefinitions"});
    if (!columns || !columns->is_array()) return;
    for (Json& column : *columns) column.erase("description");
}

std::string name_of(const Json& json) {
    const Json& object = json.contains("object") ? json["object"] : json;
    return cat(string_at(object, {"metadata", "name"}), string_at(object, {"name"}));
}

void sort_by_name(Json& list) {
    std::stable_sort(list.begin(), list.end(),
                     [](const Json& a, const Json& b) { return name_of(a) < name_of(b); });
}

/// How often a thing is said of a field differs between versions (updates were judged twice), and
/// so does the order: what counts is which fields are wrong, and why. The texts go with the
/// message.
void sort_causes(Json& answer) {
    Json* causes = find(answer, "causes");
    if (!causes) return;
    std::set<std::string> fields, texts;
    for (const Json& cause : *causes) {
        const std::string field = string_at(cause, {"field"});
        fields.insert(cat(field, ' ', string_at(cause, {"reason"})));
        texts.insert(cat(field, ": ", string_at(cause, {"message"})));
    }
    *causes = fields;
    answer["causes message"] = join({texts.begin(), texts.end()}, "; ");
}

std::string joined(const std::vector<std::string>& lines) {
    constexpr size_t kMost = 6;
    std::string out;
    for (size_t i = 0; i < lines.size() && i < kMost; ++i) out += cat("    ", lines[i], '\n');
    return out;
}
}  // namespace

OracleCase::OracleCase(OracleServer& server, std::string file, const Json& recorded)
    : server_(server),
      file_(std::move(file)),
      recorded_(recorded),
      judged_(judged_today(file_, string_at(recorded, {"name"}))),
      matcher_(string_at(recorded, {"kind"})) {}

Verdict OracleCase::run() {
    run_setup();
    if (recorded_.contains("request")) run_request();
    if (recorded_.contains("input")) run_defaults();
    if (recorded_.contains("patch")) run_patch();
    int number = 0;
    for (const Json& step : array_at(recorded_, {"steps"})) {
        const std::string name = cat('r', number++);
        if (step.contains("method")) {
            run_step(step);
            answers_[name] = answers_["last"];
        } else if (step.contains("sleep")) {
            server_.settle();
        } else if (step.contains("compact")) {
            server_.compact();
        } else {
            run_watch_step(step);
        }
        if (!matcher_.differences().empty()) {
            matcher_.add_difference(cat("in step ", number - 1));
            break;
        }
    }
    Verdict verdict;
    verdict.agrees = matcher_.differences().empty();
    verdict.words = verdict.agrees && matcher_.wordings().empty();
    verdict.differences = joined(verdict.agrees ? matcher_.wordings() : matcher_.differences());
    return verdict;
}

void OracleCase::run_setup() {
    int number = 0;
    for (const Json& recorded : array_at(recorded_, {"setup"})) {
        const Json object = filled(recorded);
        const Json answer =
            object.contains("method") ? server_.send(object) : server_.create(object);
        if (answer["code"].get<int>() >= 300)
            matcher_.add_difference(cat("setup: ", to_text(answer)));
        answers_[cat('s', number++)] = OracleServer::whole_body(answer);
    }
}

void OracleCase::run_request() {
    compare_answer(recorded_["response"], server_.send(filled(recorded_["request"])), "");
}

void OracleCase::run_defaults() {
    Json answer = server_.create(filled(recorded_["input"]));
    compare_answer({{"code", 201}, {"body", recorded_["stored"]}}, answer, "");
    const Json& object = answers_["r0"] = answers_["last"] = OracleServer::whole_body(answer);
    const std::string own_path =
        cat(collection_path(recorded_["input"]), '/', string_at(object, {"metadata", "name"}));
    int number = 1;
    for (const Json& update : array_at(recorded_, {"updates"})) {
        if (!matcher_.differences().empty()) return;
        Json request = filled(update);
        if (!request.contains("path")) request["path"] = own_path;
        answer = server_.send(request);
        Json expected = update.value("error", Json::object());
        expected["code"] = update["code"];
        if (update.contains("stored")) expected["body"] = update["stored"];
        compare_answer(std::move(expected), answer, "");
        answers_[cat('r', number++)] = OracleServer::whole_body(answer);
        if (answer["code"].get<int>() < 300) answers_["last"] = OracleServer::whole_body(answer);
    }
}

void OracleCase::run_patch() {
    Json answer = server_.create(recorded_["before"]);
    compare_answer({{"code", 201}, {"body", recorded_["stored"]}}, answer, "");
    matcher_.forget_differences();  // defaults.jsonl judges those.
    const Json& stored = OracleServer::whole_body(answer);
    const std::string own_path =
        cat(collection_path(recorded_["before"]), '/', string_at(stored, {"metadata", "name"}));
    answer = server_.send({{"method", "PATCH"},
                           {"path", string_at(recorded_, {"path"}, own_path)},
                           {"headers", {{"Content-Type", recorded_["contentType"]}}},
                           {"body", filled(recorded_["patch"])}});
    Json expected = recorded_.value("error", Json::object());
    expected["code"] = recorded_["code"];
    if (recorded_.contains("after")) expected["body"] = recorded_["after"];
    compare_answer(std::move(expected), answer, "");
}

void OracleCase::run_step(const Json& step) {
    const Json request = filled(step);
    Json answer = server_.send(request);
    if (const Json* until = find(step, "until")) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(3);
        while (answer["code"] != *until && std::chrono::steady_clock::now() < deadline) {
            server_.settle();
            answer = server_.send(request);
        }
    }
    answers_["last"] = OracleServer::whole_body(answer);
    Json expected = step["response"];
    if (const Json* version = find(expected, "resourceVersion")) {
        // The short form: the answer's own version or that of the list.
        Json held = *find(answers_["last"], {"metadata", "resourceVersion"});
        expected = {{"code", expected["code"]}, {"resourceVersion", *version}};
        answer = {{"code", answer["code"]}, {"resourceVersion", std::move(held)}};
    }
    if (bool_at(step, {"unordered"})) {
        for (Json* side : {&expected, &answer})
            for (const char* list : {"items", "rows"})
                if (Json* items = find(*side, {"body", list})) sort_by_name(*items);
    }
    compare_answer(std::move(expected), std::move(answer), "");
}

void OracleCase::run_watch_step(const Json& step) {
    if (step.contains("watch")) {
        auto& watch = watches_[string_at(step, {"watch"})];
        watch = std::make_unique<OracleWatch>(server_.socket_path(), filled(step));
        compare_answer(step["answer"], watch->answer(), "");
        return;
    }
    const bool to_end = step.contains("end");
    OracleWatch& watch = *watches_.at(string_at(step, {to_end ? "end" : "read"}));
    if (!to_end) return compare_events(step, watch.read(step["events"].size()));
    const double expected = step["endedAfterSeconds"].get<double>();
    compare_events(step, watch.read_to_end(expected + 2));
    if (std::abs(watch.seconds() - expected) > 1.5)
        matcher_.add_difference(cat("ended after ", static_cast<int>(watch.seconds()), " s"));
}

void OracleCase::compare_events(const Json& step, Json actual) {
    Json expected = step["events"];
    if (bool_at(step, {"unordered"})) {
        sort_by_name(expected);
        sort_by_name(actual);
    }
    for (size_t i = 0; i < actual.size(); ++i) {
        const double seconds = actual[i].value("afterSeconds", 0.0);
        actual[i].erase("afterSeconds");
        if (i >= expected.size() || !expected[i].contains("afterSeconds")) continue;
        if (std::abs(expected[i]["afterSeconds"].get<double>() - seconds) > 1.5)
            matcher_.add_difference(cat("event ", i, " after ", static_cast<int>(seconds), " s"));
        expected[i].erase("afterSeconds");
    }
    matcher_.compare(expected, actual, "events");
}

void OracleCase::compare_answer(Json expected, Json actual, const std::string& path) {
    const int wanted = expected["code"].get<int>(), code = actual["code"].get<int>();
    if (judged_ == Judged::kNotAtAll) return;
    if (judged_ == Judged::kAsRefused) {
        if (code != 400 && code != 409 && code != 422)
            matcher_.add_difference(cat("accepted: ", code));
        return;
    }
    if (judged_ == Judged::kAsAccepted) {
        if (code >= 300) matcher_.add_difference(cat("refused: ", to_text(actual)));
        return;
    }
    // Those that could not be understood were the server's fault then: 4xx today.
    if (wanted == 500 && code >= 400 && code != 500) return;
    if (expected.size() == 1 && wanted == code) return;
    if (judged_ == Judged::kByReason) {
        expected = {{"code", wanted}, {"reason", expected.value("reason", "")}};
        actual = {{"code", code}, {"reason", actual.value("reason", "")}};
    }
    if (file_ != "apply" && file_ != "tables") forget_managed_fields(actual);
    for (Json* side : {&expected, &actual}) {
        forget_descriptions(*side);
        sort_causes(*side);
    }
    if (!expected.contains("headers")) actual.erase("headers");
    matcher_.compare(expected, actual, path);
}

const Json* OracleCase::find_answer(std::string_view name, std::string_view path) const {
    const auto answer = answers_.find(std::string(name));
    if (answer == answers_.end()) return nullptr;
    const Json* at = &answer->second;
    for (const std::string_view step : split(path, '.'))
        if (at) at = find(*at, step);
    return at;
}

Json OracleCase::filled(Json json) const {
    if (json.is_structured()) {
        for (auto& [key, value] : json.items()) value = filled(std::move(value));
        return json;
    }
    if (!json.is_string()) return json;
    std::string text = json.get<std::string>();
    for (size_t at; (at = text.find("{{")) != text.npos;) {
        const size_t end = text.find("}}", at);
        const size_t colon = text.find(':', at);
        if (end == text.npos || colon > end) break;
        const std::string name = text.substr(at + 2, colon - at - 2);
        const std::string path = text.substr(colon + 1, end - colon - 1);
        std::string value;
        if (name == "pad") {
            value = std::string(parse_number<size_t>(path).value_or(0), 'x');
        } else {
            const Json* found = find_answer(name, path);
            if (found && at == 0 && end + 2 == text.size()) return *found;
            if (found) value = found->is_string() ? found->get<std::string>() : to_text(*found);
        }
        text.replace(at, end + 2 - at, value);
    }
    return text;
}

}  // namespace kin::test
