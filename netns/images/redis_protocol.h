#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "netns/images/service.h"

/// Redis' protocol, as far as a store of keys needs it. All pure, but ask() and new_store().
namespace kin::images::redis {

std::string simple(std::string_view text);   ///< "+OK"
std::string failure(std::string_view text);  ///< "-ERR ..."
std::string integer(int64_t number);
std::string bulk(std::string_view text);
std::string nothing();
std::string array_of(const std::vector<std::string>& items);

struct Command {
    enum class State { kIncomplete, kCommand, kInvalid };
    State state = State::kIncomplete;
    std::vector<std::string> words;
    size_t consumed = 0;
};
/// An array of bulk strings, or one line of words as people type them.
Command parse_command(std::string_view input);

/// How far one reply at `at` reaches; 0: it is not all there.
size_t reply_size(std::string_view bytes, size_t at = 0);
/// The text of a reply that is one; "" for nothing.
std::string text_of(std::string_view reply);
/// As redis-cli shows a reply.
std::string for_people(std::string_view reply);

/// Asks another server. Blocks for at most some seconds.
Result<std::string> ask(const std::string& host, const std::string& port,
                        const std::vector<std::string>& words);

/// A store in memory, as what Service::listen_sessions() takes; with a leader, one that repeats it.
std::function<Service::Session()> new_store(const std::string& leader = "");

}  // namespace kin::images::redis
