// A store of keys that speaks Redis' protocol, and its client.
#include <algorithm>
#include <cstdio>
#include <deque>
#include <map>

#include "core/base/strings.h"
#include "netns/images/programs.h"
#include "netns/images/redis_protocol.h"
#include "netns/images/service.h"

namespace kin::images {
using namespace redis;

namespace {

/// The keys, all in memory.
class Store {
public:
    std::string run(const Strings& words);

private:
    using Words = const Strings&;
    std::string add_to(const std::string& key, int64_t by);
    std::string range(Words words) const;
    std::string hash(const std::string& name, Words words);
    std::string list(const std::string& name, Words words);
    std::string text(const std::string& name, Words words);
    bool holds(const std::string& key) const {
        return texts_.count(key) + lists_.count(key) + hashes_.count(key) > 0;
    }
    int64_t erase(Words words);

    std::map<std::string, std::string> texts_;
    std::map<std::string, std::deque<std::string>> lists_;
    std::map<std::string, std::map<std::string, std::string>> hashes_;
};

std::string Store::add_to(const std::string& key, int64_t by) {
    std::string& value = texts_[key];
    const auto number = value.empty() ? std::optional<int64_t>(0) : parse_number<int64_t>(value);
    if (!number) return failure("ERR value is not an integer or out of range");
    value = cat(*number + by);
    return integer(*number + by);
}

std::string Store::range(const Strings& words) const {
    const auto found = lists_.find(words[1]);
    const auto size = static_cast<int64_t>(found == lists_.end() ? 0 : found->second.size());
    int64_t first = parse_number<int64_t>(words[2]).value_or(0);
    int64_t last = parse_number<int64_t>(words[3]).value_or(-1);
    if (first < 0) first = std::max<int64_t>(size + first, 0);
    if (last < 0) last += size;
    Strings out;
    for (int64_t at = first; at <= std::min(last, size - 1); ++at) {
        out.push_back(found->second[static_cast<size_t>(at)]);
    }
    return array_of(out);
}

int64_t Store::erase(const Strings& words) {
    int64_t gone = 0;
    for (size_t at = 1; at < words.size(); ++at) {
        gone += holds(words[at]) ? 1 : 0;
        texts_.erase(words[at]);
        lists_.erase(words[at]);
        hashes_.erase(words[at]);
    }
    return gone;
}

std::string Store::text(const std::string& name, const Strings& words) {
    const std::string& key = words[1];
    if (name == "GET") {
        const auto found = texts_.find(key);
        return found == texts_.end() ? nothing() : bulk(found->second);
    }
    if (name == "INCR" || name == "DECR") return add_to(key, name == "INCR" ? 1 : -1);
    if (name == "EXISTS") return integer(holds(key) ? 1 : 0);
    if (words.size() < 3) return failure("ERR wrong number of arguments");
    if (name == "SET") {
        texts_[key] = words[2];
        return simple("OK");
    }
    if (name == "APPEND") {
        texts_[key] += words[2];
        return integer(static_cast<int64_t>(texts_[key].size()));
    }
    const auto by = parse_number<int64_t>(words[2]);
    if (!by) return failure("ERR value is not an integer or out of range");
    return add_to(key, name == "DECRBY" ? -*by : *by);
}

std::string Store::list(const std::string& name, const Strings& words) {
    if (name == "LRANGE") {
        return words.size() < 4 ? failure("ERR wrong number of arguments") : range(words);
    }
    std::deque<std::string>& items = lists_[words[1]];
    if (name == "RPUSH") items.insert(items.end(), words.begin() + 2, words.end());
    if (name == "LPUSH") {
        for (size_t at = 2; at < words.size(); ++at) items.push_front(words[at]);
    }
    const auto size = static_cast<int64_t>(items.size());
    std::string popped = nothing();
    if (name.ends_with("POP") && size > 0) {
        popped = bulk(name == "LPOP" ? items.front() : items.back());
        if (name == "LPOP") {
            items.pop_front();
        } else {
            items.pop_back();
        }
    }
    if (items.empty()) lists_.erase(words[1]);
    return name.ends_with("POP") ? popped : integer(size);
}

std::string Store::hash(const std::string& name, const Strings& words) {
    auto& fields = hashes_[words[1]];
    if (name == "HGETALL") {
        Strings all;
        for (const auto& [field, value] : fields) {
            all.push_back(field);
            all.push_back(value);
        }
        return array_of(all);
    }
    if (name == "HLEN") return integer(static_cast<int64_t>(fields.size()));
    if (words.size() < 3) return failure("ERR wrong number of arguments");
    if (name == "HGET") {
        const auto found = fields.find(words[2]);
        return found == fields.end() ? nothing() : bulk(found->second);
    }
    if (words.size() < 4) return failure("ERR wrong number of arguments");
    if (name == "HINCRBY") {
        const int64_t sum = parse_number<int64_t>(fields[words[2]]).value_or(0) +
                            parse_number<int64_t>(words[3]).value_or(0);
        fields[words[2]] = cat(sum);
        return integer(sum);
    }
    int64_t added = 0;
    for (size_t at = 2; at + 1 < words.size(); at += 2) {
        added += fields.count(words[at]) == 0 ? 1 : 0;
        fields[words[at]] = words[at + 1];
    }
    return integer(added);
}

std::string Store::run(const Strings& words) {
    if (words.empty()) return "";
    std::string name = to_lower(words[0]);
    for (char& c : name) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
    if (name == "PING") return words.size() > 1 ? bulk(words[1]) : simple("PONG");
    if (name == "COMMAND" || name == "CONFIG") return array_of({});
    for (const char* accepted : {"SELECT", "AUTH", "CLIENT", "QUIT", "SAVE", "BGSAVE", "HELLO"}) {
        if (name == accepted) return simple("OK");
    }
    const size_t keys = texts_.size() + lists_.size() + hashes_.size();
    if (name == "DBSIZE") return integer(static_cast<int64_t>(keys));
    if (name == "FLUSHALL" || name == "FLUSHDB") {
        *this = Store();
        return simple("OK");
    }
    if (name == "INFO") {
        return bulk(cat("# Server\r\nredis_version:7.2.0\r\n# Replication\r\nrole:master\r\n",
                        "# Keyspace\r\ndb0:keys=", keys, "\r\n"));
    }
    if (words.size() < 2) return failure(cat("ERR unknown command '", words[0], "'"));
    if (name == "ECHO") return bulk(words[1]);
    if (name == "DEL") return integer(erase(words));
    if (name == "KEYS") {
        Strings all;
        for (const auto& one : texts_) all.push_back(one.first);
        for (const auto& one : lists_) all.push_back(one.first);
        for (const auto& one : hashes_) all.push_back(one.first);
        return array_of(all);
    }
    const auto is_one_of = [&](std::initializer_list<std::string_view> names) {
        return std::find(names.begin(), names.end(), name) != names.end();
    };
    if (is_one_of({"GET", "SET", "INCR", "DECR", "INCRBY", "DECRBY", "APPEND", "EXISTS"})) {
        return text(name, words);
    }
    if (is_one_of({"RPUSH", "LPUSH", "LRANGE", "LLEN", "LPOP", "RPOP"})) return list(name, words);
    if (is_one_of({"HSET", "HGET", "HGETALL", "HINCRBY", "HLEN"})) return hash(name, words);
    return failure(cat("ERR unknown command '", words[0], "'"));
}

int redis_cli(const Strings& args) {
    runs();
    Strings words;
    std::string host = "127.0.0.1", port = "6379";
    for (size_t at = 1; at < args.size(); ++at) {
        const bool more = at + 1 < args.size();
        if (words.empty() && args[at] == "-h" && more) {
            host = args[++at];
        } else if (words.empty() && args[at] == "-p" && more) {
            port = args[++at];
        } else {
            words.push_back(args[at]);
        }
    }
    if (words.empty()) words = {"PING"};
    const auto reply = ask(host, port, words);
    if (!reply) {
        std::fprintf(stderr, "Could not connect to Redis at %s:%s: %s\n", host.c_str(),
                     port.c_str(), reply.error().text().c_str());
        return 1;
    }
    std::printf("%s", for_people(*reply).c_str());
    return 0;
}

/// Where a follower finds its leader; "" if this is none.
std::string leader_of(const Strings& args, const Strings& env) {
    for (size_t at = 0; at + 1 < args.size(); ++at) {
        if (args[at] == "--slaveof" || args[at] == "--replicaof") return args[at + 1];
    }
    if (variable(env, "KIN_FOLLOW").empty()) return "";
    const std::string_view by_env = variable(env, "REDIS_LEADER_SERVICE_HOST");
    if (variable(env, "GET_HOSTS_FROM") == "env" && !by_env.empty()) return std::string(by_env);
    return std::string(variable(env, "KIN_FOLLOW"));
}

}  // namespace

std::function<Service::Session()> redis::new_store(const std::string& leader) {
    // A follower has no copy of its own: it asks its leader each time, so it cannot lag behind.
    return [store = std::make_shared<Store>(), leader]() -> Service::Session {
        return [store, leader](std::string& input) {
            std::string out;
            while (true) {
                Command command = parse_command(input);
                if (command.state == Command::State::kIncomplete) return out;
                if (command.state == Command::State::kInvalid) {
                    input.clear();
                    return out + failure("ERR Protocol error");
                }
                input.erase(0, command.consumed);
                if (leader.empty()) {
                    out += store->run(command.words);
                    continue;
                }
                auto reply = ask(leader, "6379", command.words);
                out += reply ? *reply : failure(cat("ERR leader: ", reply.error().text()));
            }
        };
    };
}

int redis_main(const Strings& args, const Strings& env) {
    const std::string program = args.empty() ? "" : args[0].substr(args[0].rfind('/') + 1);
    if (program == "redis-cli") return redis_cli(args);
    const int port = port_flag(args, "port", 6379).value_or(6379);
    const std::string leader = leader_of(args, env);
    Service service;
    if (auto listening =
            service.listen_sessions(static_cast<uint16_t>(port), redis::new_store(leader));
        !listening) {
        std::fprintf(stderr, "Could not create server TCP listening socket *:%d: %s\n", port,
                     listening.error().text().c_str());
        return 1;
    }
    print_line("1:C * Redis is starting, as kin's built-in store of keys");
    if (!leader.empty()) print_line(cat("1:S * Connecting to MASTER ", leader, ":6379"));
    print_line("1:M * Ready to accept connections tcp");
    return service.run();
}

}  // namespace kin::images
