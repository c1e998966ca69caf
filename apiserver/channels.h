#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/contracts/pod_access.h"

namespace kin::apiserver {

/// The streams of exec and attach, numbered as `channel.k8s.io` numbers them.
enum class Channel : uint8_t { kStdin = 0, kStdout = 1, kStderr = 2, kError = 3, kResize = 4 };

/// What one WebSocket message of a client means.
struct ChannelInput {
    enum class Kind { kStdin, kStdinEnd, kResize };
    Kind kind = Kind::kStdin;
    std::string_view bytes;          ///< kStdin
    uint16_t columns = 0, rows = 0;  ///< kResize
};

/// Takes a client's message apart. nullopt for what means nothing: empty messages, unknown
/// channels, malformed sizes. `closes_channels` is true for v5: byte 255 names a closed channel.
std::optional<ChannelInput> parse_channel_message(std::string_view message, bool closes_channels);

/// {"Width":100,"Height":30}: a terminal's size. nullopt if it is anything else.
std::optional<ChannelInput> parse_resize(std::string_view json);

/// A message of the server: the channel's number and the bytes.
std::string channel_message(Channel channel, std::string_view bytes);

/// The Status that ends a session, as kubectl takes its own exit code from it.
Json exec_status(const PodAccess::ExitStatus& exit);
/// The same when the session failed for another reason.
Json exec_failure(const Status& status);

}  // namespace kin::apiserver
