#include "apiserver/channels.h"

#include "core/base/strings.h"

namespace kin::apiserver {

namespace {
constexpr unsigned char kClosedChannel = 255;
constexpr int64_t kMaxCells = 10'000;  // Of a terminal, in one direction.
}  // namespace

std::optional<ChannelInput> parse_resize(std::string_view json) {
    const auto size = parse_json(trim(json), 4);
    if (!size) return {};
    const int64_t columns = int_at(*size, {"Width"});
    const int64_t rows = int_at(*size, {"Height"});
    if (columns < 1 || rows < 1 || columns > kMaxCells || rows > kMaxCells) return {};
    return ChannelInput{ChannelInput::Kind::kResize,
                        {},
                        static_cast<uint16_t>(columns),
                        static_cast<uint16_t>(rows)};
}

std::optional<ChannelInput> parse_channel_message(std::string_view message, bool closes_channels) {
    if (message.empty()) return {};
    const auto channel = static_cast<unsigned char>(message[0]);
    message.remove_prefix(1);
    if (channel == kClosedChannel && closes_channels) {
        const bool stdin_ends = message.size() == 1 && message[0] == '\0';
        if (!stdin_ends) return {};
        return ChannelInput{ChannelInput::Kind::kStdinEnd, {}, 0, 0};
    }
    if (channel == static_cast<unsigned char>(Channel::kResize)) return parse_resize(message);
    if (channel != static_cast<unsigned char>(Channel::kStdin) || message.empty()) return {};
    return ChannelInput{ChannelInput::Kind::kStdin, message, 0, 0};
}

std::string channel_message(Channel channel, std::string_view bytes) {
    std::string message(1, static_cast<char>(channel));
    return message.append(bytes);
}

Json exec_status(const PodAccess::ExitStatus& exit) {
    if (!exit.started) {
        return exec_failure(
            internal_error(cat("error executing command in container: ", exit.message)));
    }
    if (exit.code == 0) return {{"metadata", Json::object()}, {"status", "Success"}};
    const std::string code = cat(exit.code);
    return {{"metadata", Json::object()},
            {"status", "Failure"},
            {"message", cat("command terminated with non-zero exit code: exit code ", code)},
            {"reason", "NonZeroExitCode"},
            {"details", {{"causes", Json::array({{{"reason", "ExitCode"}, {"message", code}}})}}}};
}

Json exec_failure(const Status& status) { return status.to_json(); }

}  // namespace kin::apiserver
