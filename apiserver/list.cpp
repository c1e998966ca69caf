#include "apiserver/list.h"

#include <algorithm>
#include <chrono>

#include "apiserver/table.h"
#include "core/api/object_text.h"
#include "core/base/strings.h"
#include "core/registry/registry.h"

namespace kin::apiserver {

namespace {
/// What a continue token holds: the list's revision and the last key given.
struct Continue {
    Revision revision = 0;
    ObjectKey after;
};

std::string write_continue(const Continue& token) {
    return base64_encode(to_text({{"v", "kin/v1"},
                                  {"rv", token.revision},
                                  {"ns", token.after.ns},
                                  {"name", token.after.name}}));
}

Answer<Continue> read_continue(std::string_view text) {
    const auto bytes = base64_decode(text);
    const auto json = bytes ? parse_json(*bytes, 3) : Error(Errc::kInvalid, "no base64");
    if (!json || string_at(*json, {"v"}) != "kin/v1" || int_at(*json, {"rv"}) <= 0) {
        return bad_request(
            cat("continue key is not valid: ", json ? "wrong content" : json.error().text()));
    }
    return Continue{static_cast<Revision>(int_at(*json, {"rv"})),
                    {string_at(*json, {"ns"}), string_at(*json, {"name"})}};
}

Status invalid_option(std::string_view option, Cause cause) {
    (void)option;
    return invalid_of("meta.k8s.io", "ListOptions", "", {std::move(cause)});
}

Status too_large(Revision asked, Revision current) {
    Status status;
    status.code = 504;
    status.reason = "Timeout";
    status.message = cat("Timeout: Too large resource version: ", asked, ", current: ", current);
    status.causes.push_back({"ResourceVersionTooLarge", "Too large resource version", ""});
    status.retry_after_seconds = 1;
    return status;
}

/// What the query says about paging and versions, checked.
struct Paging {
    size_t limit = 0;  ///< 0: no limit
    std::optional<Continue> from;
    std::optional<Revision> exact;
};

Answer<Paging> parse_paging(const http::Query& query, Revision current) {
    Paging paging;
    TRY(parse_timeout(query));
    if (const std::string_view limit = query.get("limit"); !limit.empty()) {
        const auto number = parse_number<int64_t>(limit);
        if (!number)
            return bad_request(cat("strconv.ParseInt: parsing \"", limit, "\": invalid syntax"));
        paging.limit = *number > 0 ? static_cast<size_t>(*number) : 0;
    }
    const std::string_view revision = query.get("resourceVersion");
    const std::string_view match = query.get("resourceVersionMatch");
    const std::string_view from = query.get("continue");
    if (!match.empty() && match != "Exact" && match != "NotOlderThan") {
        return invalid_option("", field_not_supported("resourceVersionMatch", std::string(match),
                                                      {"Exact", "NotOlderThan", ""}));
    }
    if (!match.empty() && revision.empty()) {
        return invalid_option(
            "", field_forbidden(
                    "resourceVersionMatch",
                    "resourceVersionMatch is forbidden unless resourceVersion is provided"));
    }
    if (!from.empty()) {
        if (!match.empty()) {
            return invalid_option("", field_forbidden("resourceVersionMatch",
                                                      "resourceVersionMatch is forbidden when "
                                                      "continue is provided"));
        }
        if (!revision.empty() && revision != "0") {
            return bad_request("specifying resource version is not allowed when using continue");
        }
        TRY_ASSIGN(paging.from, read_continue(from));
        return paging;
    }
    if (revision.empty()) return paging;
    const auto number = parse_number<Revision>(revision);
    if (!number)
        return bad_request(cat("Invalid value: \"", revision, "\": strconv.ParseUint: parsing \"",
                               revision, "\": invalid syntax"));
    if (match == "Exact" && *number == 0) {
        return invalid_option("", field_forbidden("resourceVersionMatch",
                                                  "resourceVersionMatch \"exact\" is forbidden for "
                                                  "resourceVersion \"0\""));
    }
    if (*number > current) return too_large(*number, current);
    const bool exact = match == "Exact" || (match.empty() && paging.limit > 0 && *number > 0);
    if (exact) paging.exact = *number;
    return paging;
}

Answer<StoreList> read_list(const Store& store, const Kind& kind, const std::string& ns,
                            const Paging& paging) {
    const std::optional<Revision> at = paging.from    ? paging.from->revision
                                       : paging.exact ? *paging.exact
                                                      : std::optional<Revision>();
    if (!at) return store.list(kind.resource(), ns);
    auto list = store.list_at(kind.resource(), ns, *at);
    if (list) return std::move(*list);
    if (list.error().code() == Errc::kGone) {
        return gone(paging.from ? "The provided continue parameter is too old to display a "
                                  "consistent list result. You can start a new list without the "
                                  "continue parameter, or use the continue token in this "
                                  "response to retrieve the remainder of the results."
                                : "The resourceVersion for the provided list is too old.");
    }
    return internal_error(list.error());
}

/// Lists come in the order of the paths "NAMESPACE/NAME": test-a/x is before test/x.
bool comes_before(const ObjectKey& a, const ObjectKey& b) {
    if (a.ns == b.ns) return a.name < b.name;
    return cat(a.ns, '/') < cat(b.ns, '/');
}

void sort_as_paths(StoreList& list) {
    const auto before = [](const StoredPtr& a, const StoredPtr& b) {
        return comes_before(a->key, b->key);
    };
    // Almost always they are: only a namespace whose name begins another's is out of place.
    if (std::is_sorted(list.objects.begin(), list.objects.end(), before)) return;
    std::sort(list.objects.begin(), list.objects.end(), before);
}

Json list_metadata(const StoreList& list, const std::string& next, size_t remaining) {
    Json meta = {{"resourceVersion", cat(list.revision)}};
    if (!next.empty()) {
        meta["continue"] = next;
        if (remaining > 0) meta["remainingItemCount"] = remaining;
    }
    return meta;
}

std::string plain_list(const Kind& kind, const std::vector<StoredPtr>& objects, const Json& meta) {
    const size_t prefix = type_prefix(kind).size();
    size_t size = 256;
    for (const StoredPtr& object : objects) size += object->body.size();
    std::string out;
    out.reserve(size);
    out += cat("{\"kind\":\"", list_kind(kind), "\",\"apiVersion\":\"", kind.api_version(),
               "\",\"metadata\":", to_text(meta), ",\"items\":[");
    bool first = true;
    for (const StoredPtr& object : objects) {
        if (!first) out.push_back(',');
        first = false;
        out.push_back('{');
        out.append(object->body, prefix);
    }
    out += "]}";
    return out;
}

std::string partial_list(const std::vector<StoredPtr>& objects, const Json& meta) {
    Json items = Json::array();
    for (const StoredPtr& object : objects) items.push_back(partial_metadata(*json_of(*object)));
    return to_text({{"kind", "PartialObjectMetadataList"},
                    {"apiVersion", "meta.k8s.io/v1"},
                    {"metadata", meta},
                    {"items", std::move(items)}});
}

Json empty_table(const Kind& kind, const Json& meta) {
    return {{"kind", "Table"},
            {"apiVersion", "meta.k8s.io/v1"},
            {"metadata", meta},
            {"columnDefinitions", table_columns(kind)},
            {"rows", Json::array()}};
}

std::string table_list(const Kind& kind, const std::vector<StoredPtr>& objects, const Json& meta,
                       IncludeObject include) {
    Json table = empty_table(kind, meta);
    const auto now = std::chrono::system_clock::now();
    for (const StoredPtr& object : objects) {
        table["rows"].push_back(table_row(kind, *json_of(*object), include, now));
    }
    return to_text(table);
}
}  // namespace

std::string list_kind(const Kind& kind) { return cat(kind.kind, "List"); }

bool Selection::matches(const StoredObject& object) const {
    if (!labels.matches(object.labels)) return false;
    if (fields.empty()) return true;
    if (fields.only_key()) return fields.matches_key(object.key.ns, object.key.name);
    return fields.matches(*json_of(object));
}

Answer<Selection> parse_selection(const Kind& kind, const http::Query& query) {
    Selection selection;
    TRY_ASSIGN(selection.labels, LabelSelector::parse(query.get("labelSelector")));
    TRY_ASSIGN(selection.fields, FieldSelector::parse(query.get("fieldSelector"), kind));
    return selection;
}

Answer<int> parse_timeout(const http::Query& query) {
    const std::string_view text = query.get("timeoutSeconds");
    if (text.empty()) return 0;
    const auto number = parse_number<int64_t>(text);
    if (!number)
        return bad_request(cat("strconv.ParseInt: parsing \"", text, "\": invalid syntax"));
    constexpr int64_t kDay = 24 * 3600;
    return static_cast<int>(std::clamp<int64_t>(*number, 0, kDay));
}

Answer<std::string> list_objects(const Store& store, const ApiPath& path, const http::Query& query,
                                 Form form) {
    const Kind& kind = *path.kind;
    TRY_ASSIGN(const Selection selection, parse_selection(kind, query));
    TRY_ASSIGN(const Paging paging, parse_paging(query, store.revision()));
    TRY_ASSIGN(StoreList list, read_list(store, kind, path.ns, paging));
    sort_as_paths(list);
    TRY_ASSIGN(const IncludeObject include, parse_include_object(query.get("includeObject")));

    std::vector<StoredPtr> given;
    std::string next;
    size_t remaining = 0;
    for (const StoredPtr& object : list.objects) {
        if (paging.from && !comes_before(paging.from->after, object->key)) continue;
        if (!next.empty()) {
            ++remaining;
            continue;
        }
        if (!selection.matches(*object)) continue;
        if (paging.limit > 0 && given.size() == paging.limit) {
            next = write_continue({list.revision, given.back()->key});
            ++remaining;
            continue;
        }
        given.push_back(object);
    }
    if (!selection.empty()) remaining = 0;  // Unknown: the rest was not judged.
    const Json meta = list_metadata(list, next, remaining);
    if (form == Form::kTable) return table_list(kind, given, meta, include);
    if (form == Form::kPartialMetadata) return partial_list(given, meta);
    return plain_list(kind, given, meta);
}

Answer<std::string> get_object(const Store& store, const ApiPath& path, const http::Query& query,
                               Form form) {
    const Kind& kind = *path.kind;
    const StoredPtr stored = store.find(kind.resource(), {path.ns, path.name});
    if (!stored) return not_found(kind, path.name);
    if (path.subresource == "scale") return to_text(Registry::scale_of(kind, *json_of(*stored)));
    return object_in_form(kind, stored->body, query, form);
}

Answer<std::string> object_in_form(const Kind& kind, std::string body, const http::Query& query,
                                   Form form) {
    if (form != Form::kTable && form != Form::kPartialMetadata) return body;
    TRY_ASSIGN(const IncludeObject include, parse_include_object(query.get("includeObject")));
    const auto json = parse_json(body);
    // The Status of a DELETE stays a Status.
    if (!json || string_at(*json, {"kind"}) != kind.kind) return body;
    if (form == Form::kPartialMetadata) return to_text(partial_metadata(*json));
    const std::string revision = string_at(*json, {"metadata", "resourceVersion"});
    Json table = empty_table(kind, {{"resourceVersion", revision}});
    table["rows"].push_back(table_row(kind, *json, include, std::chrono::system_clock::now()));
    return to_text(table);
}

}  // namespace kin::apiserver
