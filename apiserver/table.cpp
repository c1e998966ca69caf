#include "apiserver/table.h"

#include <map>

#include "apiserver/table_columns.h"
#include "core/base/strings.h"

namespace kin::apiserver {
namespace {

using table::Column;
using table::Columns;

Columns make_columns(const Kind& kind) {
    for (auto* of : {table::pod_columns, table::workload_columns, table::network_columns,
                     table::other_columns}) {
        if (Columns columns = of(kind.kind); !columns.empty()) return columns;
    }
    return {table::name_column(), table::age_column()};
}

/// Made once; kinds are few and live for ever.
const Columns& columns_of(const Kind& kind) {
    static const auto kColumns = [] {
        std::map<std::string_view, Columns> all;
        for (const Kind& known : all_kinds()) all.emplace(known.message, make_columns(known));
        return all;
    }();
    static const Columns kDefault{table::name_column(), table::age_column()};
    const auto found = kColumns.find(kind.message);
    return found == kColumns.end() ? kDefault : found->second;
}

std::string_view description_of(const Column& column) {
    if (column.format == "name") return "The object's name.";
    if (column.name == "Age") return "How long ago the object was created.";
    if (column.name == "Created At") return "When the object was created.";
    return "";
}

/// Marks rows of Pods that have ended.
Json row_conditions(const Kind& kind, const Json& object) {
    const std::string phase = string_at(object, {"status", "phase"});
    if (kind.kind != "Pod" || (phase != "Succeeded" && phase != "Failed")) return Json::array();
    const std::string_view message =
        phase == "Failed" ? "The pod failed." : "The pod has completed successfully.";
    return Json::array(
        {{{"type", "Completed"}, {"status", "True"}, {"reason", phase}, {"message", message}}});
}

}  // namespace

Answer<IncludeObject> parse_include_object(std::string_view text) {
    if (text.empty() || text == "Metadata") return IncludeObject::kMetadata;
    if (text == "Object") return IncludeObject::kObject;
    if (text == "None") return IncludeObject::kNone;
    return bad_request(
        cat("Unable to convert to Table as requested: includeObject: Invalid value: \"", text,
            "\": must be 'Metadata', 'Object', 'None', or empty"));
}

Json table_columns(const Kind& kind) {
    Json out = Json::array();
    for (const Column& column : columns_of(kind)) {
        out.push_back({{"name", column.name},
                       {"type", column.type},
                       {"format", column.format},
                       {"description", description_of(column)},
                       {"priority", column.priority}});
    }
    return out;
}

std::vector<Json> table_cells(const Kind& kind, const Json& object, WallTime now) {
    std::vector<Json> cells;
    for (const Column& column : columns_of(kind)) cells.push_back(column.cell({object, now}));
    return cells;
}

Json partial_metadata(const Json& object) {
    return {{"kind", "PartialObjectMetadata"},
            {"apiVersion", "meta.k8s.io/v1"},
            {"metadata", object_at(object, {"metadata"})}};
}

Json table_row(const Kind& kind, const Json& object, IncludeObject include, WallTime now) {
    Json row{{"cells", table_cells(kind, object, now)}, {"object", nullptr}};
    if (Json conditions = row_conditions(kind, object); !conditions.empty())
        row["conditions"] = std::move(conditions);
    if (include == IncludeObject::kMetadata) row["object"] = partial_metadata(object);
    if (include == IncludeObject::kObject) row["object"] = object;
    return row;
}

std::string human_duration(std::chrono::seconds duration) {
    const int64_t seconds = std::max<int64_t>(duration.count(), 0);
    const int64_t minutes = seconds / 60;
    const int64_t hours = minutes / 60;
    const int64_t days = hours / 24;
    const auto two = [](int64_t big, char big_unit, int64_t small, char small_unit) {
        return small == 0 ? cat(big, big_unit) : cat(big, big_unit, small, small_unit);
    };
    if (minutes < 2) return cat(seconds, 's');
    if (minutes < 10) return two(minutes, 'm', seconds % 60, 's');
    if (hours < 3) return cat(minutes, 'm');
    if (hours < 8) return two(hours, 'h', minutes % 60, 'm');
    if (hours < 48) return cat(hours, 'h');
    if (days < 8) return two(days, 'd', hours % 24, 'h');
    if (days < 2 * 365) return cat(days, 'd');
    if (days < 8 * 365) return two(days / 365, 'y', days % 365, 'd');
    return cat(days / 365, 'y');
}

}  // namespace kin::apiserver
