#pragma once

#include <string>
#include <string_view>

#include "core/client/client.h"

namespace kin::controllers {

/// Of which kind the objects are that a controller reports on, and under which name it does so.
struct Reporter {
    std::string_view kind, api_version, component;
};
enum class EventType { kNormal, kWarning };

/// Records an Event about `object`.
inline void record(Client& client, const Reporter& reporter, const Metadata& object, EventType type,
                   std::string_view reason, std::string message) {
    Client::EventNote note;
    note.kind = reporter.kind;
    note.api_version = reporter.api_version;
    note.key = object.key;
    note.uid = object.uid;
    note.type = type == EventType::kNormal ? "Normal" : "Warning";
    note.reason = reason;
    note.message = std::move(message);
    note.component = reporter.component;
    client.record(std::move(note));
}

/// The name of the object that a create made.
inline std::string written_name(const Written& written) {
    return written.object ? string_at(*written.object, {"metadata", "name"}) : "";
}

/// Deletes this object, not a later one of the same name.
inline DeleteOptions only(const std::string& uid) {
    DeleteOptions options;
    options.precondition_uid = uid;
    return options;
}

}  // namespace kin::controllers
