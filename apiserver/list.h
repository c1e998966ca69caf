#pragma once

#include <string>

#include "apiserver/api_path.h"
#include "apiserver/negotiate.h"
#include "core/api/selectors.h"
#include "core/api/status.h"
#include "core/http/message.h"
#include "core/store/store.h"

namespace kin::apiserver {

/// Which objects a list, watch or collection delete is about.
struct Selection {
    LabelSelector labels;
    FieldSelector fields;

    bool empty() const { return labels.empty() && fields.empty(); }
    bool matches(const StoredObject& object) const;
};
Answer<Selection> parse_selection(const Kind& kind, const http::Query& query);

/// The query's timeoutSeconds; 0: not given. 400 if it is no number.
Answer<int> parse_timeout(const http::Query& query);

/// GET of a collection: selectors, resourceVersion semantics, limit and continue.
Answer<std::string> list_objects(const Store& store, const ApiPath& path, const http::Query& query,
                                 Form form);

/// GET of one object.
Answer<std::string> get_object(const Store& store, const ApiPath& path, const http::Query& query,
                               Form form);

/// The text of one object as it was asked for: whole, as a table, or its metadata alone.
Answer<std::string> object_in_form(const Kind& kind, std::string body, const http::Query& query,
                                   Form form);

/// "PodList".
std::string list_kind(const Kind& kind);

}  // namespace kin::apiserver
