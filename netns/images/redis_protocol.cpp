#include "netns/images/redis_protocol.h"

#include <poll.h>
#include <sys/socket.h>

#include <optional>

#include "core/base/strings.h"
#include "netns/images/dial.h"

namespace kin::images::redis {
namespace {

constexpr size_t kMaxParts = 1024, kMaxBulk = 4 << 20;
constexpr int kTimeoutMs = 2000;

/// One line of `input` from `at` on, which moves behind it; nothing while it is not there.
std::optional<std::string_view> next_line(std::string_view input, size_t& at) {
    const size_t end = input.find("\r\n", at);
    if (end == std::string_view::npos) return {};
    const std::string_view line = input.substr(at, end - at);
    at = end + 2;
    return line;
}

}  // namespace

std::string simple(std::string_view text) { return cat('+', text, "\r\n"); }
std::string failure(std::string_view text) { return cat('-', text, "\r\n"); }
std::string integer(int64_t number) { return cat(':', number, "\r\n"); }
std::string bulk(std::string_view text) { return cat('$', text.size(), "\r\n", text, "\r\n"); }
std::string nothing() { return "$-1\r\n"; }
std::string array_of(const std::vector<std::string>& items) {
    std::string out = cat('*', items.size(), "\r\n");
    for (const std::string& item : items) out += bulk(item);
    return out;
}

/// "*2\r\n$3\r\nGET\r\n$1\r\na\r\n", or "GET a\r\n" as people type it.
Command parse_command(std::string_view input) {
    Command out;
    size_t at = 0;
    if (!input.starts_with('*')) {
        const size_t end = input.find('\n');
        if (end == std::string_view::npos) return out;
        for (const std::string_view word : split(trim(input.substr(0, end)), ' ')) {
            if (!word.empty()) out.words.emplace_back(word);
        }
        out.consumed = end + 1;
        out.state = Command::State::kCommand;
        return out;
    }
    const auto head = next_line(input, at);
    if (!head) return out;
    const auto count = parse_number<size_t>(head->substr(1));
    if (!count || *count > kMaxParts) return {Command::State::kInvalid, {}, 0};
    for (size_t part = 0; part < *count; ++part) {
        const auto line = next_line(input, at);
        if (!line) return {};
        const auto size = parse_number<size_t>(line->substr(line->starts_with('$') ? 1 : 0));
        if (!line->starts_with('$') || !size || *size > kMaxBulk) {
            return {Command::State::kInvalid, {}, 0};
        }
        if (input.size() < at + *size + 2) return {};
        out.words.emplace_back(input.substr(at, *size));
        at += *size + 2;
    }
    out.consumed = at;
    out.state = Command::State::kCommand;
    return out;
}

size_t reply_size(std::string_view bytes, size_t at) {
    const size_t start = at;
    const auto line = next_line(bytes, at);
    if (!line || line->empty()) return 0;
    const int64_t number = parse_number<int64_t>(line->substr(1)).value_or(0);
    if (line->front() == '$' && number >= 0) at += static_cast<size_t>(number) + 2;
    if (line->front() == '*') {
        for (int64_t part = 0; part < number; ++part) {
            const size_t size = reply_size(bytes, at);
            if (size == 0) return 0;
            at += size;
        }
    }
    return at <= bytes.size() ? at - start : 0;
}

Result<std::string> ask(const std::string& host, const std::string& port,
                        const std::vector<std::string>& words) {
    TRY_ASSIGN(const UniqueFd fd, connect_tcp(host, port, kTimeoutMs));
    const std::string question = array_of(words);
    if (::send(fd.get(), question.data(), question.size(), MSG_NOSIGNAL) < 0) {
        return Error::from_errno("write");
    }
    std::string reply;
    char buffer[16384];
    pollfd readable{fd.get(), POLLIN, 0};
    while (reply_size(reply) == 0) {
        if (::poll(&readable, 1, kTimeoutMs) <= 0) return Error::from_errno("read", ETIMEDOUT);
        const ssize_t size = ::recv(fd.get(), buffer, sizeof buffer, 0);
        if (size <= 0) return Error(Errc::kSystem, "the connection was closed");
        reply.append(buffer, static_cast<size_t>(size));
    }
    return reply;
}

std::string text_of(std::string_view reply) {
    size_t at = 0;
    const auto line = next_line(reply, at);
    if (!line || line->empty()) return "";
    if (line->front() != '$') return std::string(line->substr(1));
    const auto size = parse_number<size_t>(line->substr(1));
    return size ? std::string(reply.substr(at, *size)) : "";
}

std::string for_people(std::string_view reply) {
    size_t at = 0;
    const auto line = next_line(reply, at);
    if (!line || line->empty()) return "";
    switch (line->front()) {
        case '-':
            return cat("(error) ", line->substr(1), '\n');
        case '*': {
            std::string out;
            for (int64_t left = parse_number<int64_t>(line->substr(1)).value_or(0); left > 0;
                 --left) {
                const size_t size = reply_size(reply, at);
                out += for_people(reply.substr(at, size));
                at += size;
            }
            return out;
        }
        default:
            return text_of(reply) + '\n';
    }
}

}  // namespace kin::images::redis
