#include "apiserver/table.h"

#include <gtest/gtest.h>

#include <fstream>

#include "core/base/strings.h"
#include "tests/support/golden.h"

namespace kin::apiserver {
namespace {

using std::chrono::seconds;

const WallTime kNow = *parse_rfc3339("2026-01-02T03:04:05Z");

const Kind& kind_named(std::string_view name) {
    for (const Kind& kind : all_kinds()) {
        if (kind.kind == name) return kind;
    }
    ADD_FAILURE() << "no kind " << name;
    return all_kinds().front();
}

/// One cell of an object given as text.
Json cell(std::string_view kind, std::string_view column, std::string_view object) {
    const Json columns = table_columns(kind_named(kind));
    const auto cells = table_cells(kind_named(kind), parse_json(object).value(), kNow);
    for (size_t i = 0; i < columns.size(); ++i) {
        if (columns[i]["name"] == column) return cells[i];
    }
    return "no such column";
}

TEST(TableTest, AgesAreShownAsKubectlShowsThem) {
    const std::pair<int64_t, const char*> cases[] = {
        {-5, "0s"},       {0, "0s"},          {119, "119s"},     {120, "2m"},
        {283, "4m43s"},   {599, "9m59s"},     {600, "10m"},      {10799, "179m"},
        {10800, "3h"},    {11100, "3h5m"},    {28800, "8h"},     {172799, "47h"},
        {172800, "2d"},   {187200, "2d4h"},   {691200, "8d"},    {25920000, "300d"},
        {63072000, "2y"}, {63504000, "2y5d"}, {252288000, "8y"}, {283824000, "9y"},
    };
    for (const auto& [count, text] : cases) EXPECT_EQ(human_duration(seconds(count)), text);
    EXPECT_EQ(cell("ConfigMap", "Age", "{}"), "<unknown>");
    EXPECT_EQ(
        cell("ConfigMap", "Age", R"({"metadata":{"creationTimestamp":"2026-01-02T03:00:05Z"}})"),
        "4m");
}

TEST(TableTest, EveryKindHasAsManyCellsAsColumnsEvenForAnEmptyObject) {
    for (const Kind& kind : all_kinds()) {
        EXPECT_EQ(table_columns(kind).size(), table_cells(kind, Json::object(), kNow).size());
        EXPECT_GE(table_columns(kind).size(), 2u);
    }
}

TEST(TableTest, RestartsTellWhenTheLastOneWas) {
    const char* pod = R"({"spec":{"containers":[{"name":"web"}]},"status":{"phase":"Running",
        "containerStatuses":[{"name":"web","ready":true,"restartCount":2,"state":{"running":{}},
        "lastState":{"terminated":{"exitCode":1,"finishedAt":"2026-01-02T02:59:05Z"}}}]}})";
    EXPECT_EQ(cell("Pod", "Restarts", pod), "2 (5m ago)");
    EXPECT_EQ(cell("Pod", "Ready", pod), "1/1");
}

TEST(TableTest, ADeletedPodIsTerminating) {
    EXPECT_EQ(cell("Pod", "Status", R"({"metadata":{"deletionTimestamp":"2026-01-02T03:04:00Z"},
                                        "status":{"phase":"Running"}})"),
              "Terminating");
    EXPECT_EQ(cell("Pod", "Status", R"({"metadata":{"deletionTimestamp":"2026-01-02T03:04:00Z"},
                                        "status":{"phase":"Succeeded"}})"),
              "Succeeded");
}

TEST(TableTest, ASidecarCountsAsAContainer) {
    const char* pod = R"({"spec":{"containers":[{"name":"web"}],
        "initContainers":[{"name":"proxy","restartPolicy":"Always"}]},"status":{"phase":"Running",
        "initContainerStatuses":[{"name":"proxy","started":true,"ready":true,"state":{"running":{}}}],
        "containerStatuses":[{"name":"web","ready":true,"state":{"running":{}}}]}})";
    EXPECT_EQ(cell("Pod", "Ready", pod), "2/2");
    EXPECT_EQ(cell("Pod", "Status", pod), "Running");
}

TEST(TableTest, AJobTellsItsStatus) {
    EXPECT_EQ(
        cell("Job", "Status", R"({"status":{"conditions":[{"type":"Complete","status":"True"}]}})"),
        "Complete");
    EXPECT_EQ(cell("Job", "Status", "{}"), "Running");
}

TEST(TableTest, AServiceWithoutItsLoadBalancerIsPending) {
    EXPECT_EQ(cell("Service", "External-IP", R"({"spec":{"type":"LoadBalancer"}})"), "<pending>");
    EXPECT_EQ(
        cell("Service", "External-IP", R"({"spec":{"type":"ExternalName","externalName":"a.b"}})"),
        "a.b");
    EXPECT_EQ(cell("Service", "Cluster-IP", R"({"spec":{"clusterIP":"None"}})"), "None");
}

TEST(TableTest, AnAutoscalerShowsEachMetric) {
    EXPECT_EQ(cell("HorizontalPodAutoscaler", "Targets", R"({"spec":{"metrics":[
                  {"type":"Resource","resource":{"name":"cpu","target":{"averageUtilization":80}}}]}})"),
              "cpu: <unknown>/80%");
}

TEST(TableTest, RowsCarryWhatIncludeObjectAsksFor) {
    const Json pod =
        parse_json(R"({"kind":"Pod","apiVersion":"v1","metadata":{"name":"web"},"spec":{}})")
            .value();
    const Kind& kind = kind_named("Pod");
    EXPECT_EQ(table_row(kind, pod, IncludeObject::kNone, kNow)["object"], nullptr);
    EXPECT_EQ(table_row(kind, pod, IncludeObject::kObject, kNow)["object"], pod);
    EXPECT_EQ(table_row(kind, pod, IncludeObject::kMetadata, kNow)["object"],
              Json({{"kind", "PartialObjectMetadata"},
                    {"apiVersion", "meta.k8s.io/v1"},
                    {"metadata", {{"name", "web"}}}}));
    EXPECT_EQ(*parse_include_object(""), IncludeObject::kMetadata);
    EXPECT_EQ(*parse_include_object("None"), IncludeObject::kNone);
    EXPECT_EQ(parse_include_object("Foo").error().code, 400);
}

// --- Against what a real API server answered ---

/// What a create adds that shows in a table.
Json with_defaults(Json object) {
    static const std::map<std::string, const char*> kDefaults = {
        {"Deployment", R"({"spec":{"replicas":1}})"},
        {"HorizontalPodAutoscaler", R"({"spec":{"minReplicas":1}})"},
        {"Namespace", R"({"status":{"phase":"Active"}})"},
        {"PersistentVolume", R"({"spec":{"persistentVolumeReclaimPolicy":"Retain",
                                 "volumeMode":"Filesystem"},"status":{"phase":"Pending"}})"},
        {"PersistentVolumeClaim",
         R"({"spec":{"volumeMode":"Filesystem"},"status":{"phase":"Pending"}})"},
        {"Pod", R"({"status":{"phase":"Pending"}})"},
        {"ReplicaSet", R"({"spec":{"replicas":1}})"},
        {"ReplicationController", R"({"spec":{"replicas":1}})"},
        {"Secret", R"({"type":"Opaque"})"},
        {"Service", R"({"spec":{"type":"ClusterIP"}})"},
        {"StatefulSet", R"({"spec":{"replicas":1}})"},
    };
    const std::string kind = string_at(object, {"kind"});
    Json out = Json::object();
    if (const auto found = kDefaults.find(kind); found != kDefaults.end()) {
        out = parse_json(found->second).value();
    }
    out.merge_patch(object);
    const bool bare =
        !find(out, JsonPath{"spec", "completions"}) && !find(out, JsonPath{"spec", "parallelism"});
    if (kind == "Job" && bare) out["spec"]["completions"] = out["spec"]["parallelism"] = 1;
    if (kind == "ReplicationController" && !find(out, JsonPath{"spec", "selector"})) {
        out["spec"]["selector"] = object_at(out, {"spec", "template", "metadata", "labels"});
    }
    return out;
}

/// The objects of a case's setup, by kind and name.
std::map<std::string, Json> stored_objects(const Json& setup) {
    std::map<std::string, Json> out;
    std::string last;
    for (const Json& step : setup) {
        const std::string method = string_at(step, {"method"});
        if (method.empty()) {
            last = cat(string_at(step, {"kind"}), '/', string_at(step, {"metadata", "name"}));
            out[last] = with_defaults(step);
        } else if (method == "PATCH") {
            out[last].merge_patch(step["body"]);
        } else {
            out[last]["metadata"]["deletionTimestamp"] = "2026-01-02T03:04:05Z";
            if (string_at(out[last], {"kind"}) == "Namespace") {
                out[last]["status"]["phase"] = "Terminating";
            }
        }
    }
    return out;
}

std::string as_text(const Json& cell) {
    return cell.is_string() ? cell.get<std::string>() : to_text(cell);
}

/// Cells that the server chose, and those that a later version words otherwise.
bool comparable(std::string_view kind, std::string_view column, const Json& cell) {
    if (kind == "HorizontalPodAutoscaler" && column == "Targets") return false;
    const std::string text = as_text(cell);
    for (const char* chosen : {"<age>", "<time>", "<uid:", "<clusterIP:", "<nodePort:"}) {
        if (text.find(chosen) != std::string::npos) return false;
    }
    return true;
}

int compare_row(const Kind& kind, const Json& columns, const Json& row, const Json& object) {
    const Json ours = table_columns(kind);
    const auto cells = table_cells(kind, object, kNow);
    int compared = 0;
    for (size_t i = 0; i < columns.size(); ++i) {
        const auto found = std::find_if(ours.begin(), ours.end(), [&](const Json& column) {
            return column["name"] == columns[i]["name"];
        });
        if (found == ours.end()) {
            ADD_FAILURE() << kind.kind << " has no column " << columns[i]["name"];
            continue;
        }
        const auto name = columns[i]["name"].get<std::string>();
        EXPECT_EQ((*found)["priority"], columns[i]["priority"]) << name;
        EXPECT_EQ((*found)["format"], columns[i]["format"]) << name;
        // Restarts became a text when it began to tell when the last one was.
        if (name != "Restarts") {
            EXPECT_EQ((*found)["type"], columns[i]["type"]) << name;
        }
        if (!comparable(kind.kind, name, row["cells"][i])) continue;
        EXPECT_EQ(as_text(cells[static_cast<size_t>(found - ours.begin())]),
                  as_text(row["cells"][i]))
            << kind.kind << ' ' << name;
        ++compared;
    }
    return compared;
}

int compare_case(const Json& test) {
    const std::string kind_name = string_at(test, {"kind"});
    const auto known = std::find_if(all_kinds().begin(), all_kinds().end(),
                                    [&](const Kind& kind) { return kind.kind == kind_name; });
    if (known == all_kinds().end()) return 0;
    const auto objects = stored_objects(test["setup"]);
    int compared = 0;
    for (const Json& step : test["steps"]) {
        const Json& body = object_at(step, {"response", "body"});
        const Json& columns = array_at(body, {"columnDefinitions"});
        for (const Json& row : array_at(body, {"rows"})) {
            for (const auto& [key, object] : objects) {
                const std::string name = string_at(object, {"metadata", "name"});
                const bool same =
                    std::any_of(row["cells"].begin(), row["cells"].end(), [&](const Json& value) {
                        return value == name || value == name + " (default)";
                    });
                if (same && key.starts_with(kind_name)) {
                    compared += compare_row(*known, columns, row, object);
                    break;
                }
            }
        }
    }
    return compared;
}

TEST(TableTest, CellsAreThoseThatARealApiServerGave) {
    const std::string folder = kin::test::shared_folder();
    if (folder.empty()) GTEST_SKIP() << "no recorded answers beside this checkout";
    std::ifstream file(folder + "/oracle/tables.jsonl");
    ASSERT_TRUE(file);
    int cells = 0;
    for (std::string line; std::getline(file, line);) {
        const Json recorded = parse_json(line).value();
        SCOPED_TRACE(string_at(recorded, {"name"}));
        cells += compare_case(recorded);
    }
    EXPECT_GE(cells, 900);
}

}  // namespace
}  // namespace kin::apiserver
