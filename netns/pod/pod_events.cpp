#include "netns/pod/pod_events.h"

#include "core/base/strings.h"
#include "core/client/client.h"

namespace kin::netns {

void record_event(Client& client, const PodSpec& pod, const std::string& field_path,
                  std::string_view type, std::string reason, std::string message) {
    Client::EventNote note;
    note.kind = "Pod";
    note.api_version = "v1";
    note.key = pod.key;
    note.uid = pod.uid;
    note.field_path = field_path;
    note.type = type;
    note.reason = std::move(reason);
    note.message = std::move(message);
    note.component = "kubelet";
    note.host = pod.node;
    client.record(std::move(note));
}

std::string already_present(std::string_view image) {
    return cat("Container image \"", image, "\" already present on machine");
}

std::string go_duration(std::chrono::seconds duration) {
    const int64_t seconds = duration.count();
    return seconds < 60 ? cat(seconds, 's') : cat(seconds / 60, 'm', seconds % 60, 's');
}

}  // namespace kin::netns
