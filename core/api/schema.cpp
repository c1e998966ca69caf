#include "core/api/schema.h"

#include <algorithm>
#include <deque>
#include <unordered_map>

#include "core/api/schema_reader.h"
#include "core/base/assert.h"
#include "embedded/schema_access.h"
#include "embedded/schema_core.h"
#include "embedded/schema_meta.h"
#include "embedded/schema_networking.h"
#include "embedded/schema_others.h"
#include "embedded/schema_pod.h"
#include "embedded/schema_volumes.h"
#include "embedded/schema_workloads.h"

namespace kin {

const Field* Message::find(std::string_view json_name) const {
    for (const Field& field : fields)
        if (!field.inlined && field.name == json_name) return &field;
    for (const Field& field : fields) {
        if (!field.inlined) continue;
        if (const Field* found = field.message->find(json_name)) return found;
    }
    return nullptr;
}

const Schema& Schema::builtin() {
    static const Schema kSchema = [] {
        // All at once: messages may name messages of any part.
        auto schema = SchemaReader::read(
            {embedded::schema_meta(), embedded::schema_core(), embedded::schema_pod(),
             embedded::schema_volumes(), embedded::schema_workloads(),
             embedded::schema_networking(), embedded::schema_access(), embedded::schema_others()});
        if (!schema) std::fprintf(stderr, "schema: %s\n", schema.error().text().c_str());
        KIN_ASSERT(schema.has_value());
        return std::move(schema).value();
    }();
    return kSchema;
}

const Message* Schema::find(std::string_view name) const {
    const auto found = std::lower_bound(
        all_.begin(), all_.end(), name,
        [](const Message* message, std::string_view wanted) { return message->name < wanted; });
    return found != all_.end() && (*found)->name == name ? *found : nullptr;
}

}  // namespace kin
