// Docker's voting example: ballots go through redis to a worker, which keeps the last one of each
// voter in the database, from where the result is read. And the databases that only take
// connections.
#include <cstdio>
#include <ctime>
#include <memory>

#include "core/base/json.h"
#include "core/base/strings.h"
#include "netns/images/programs.h"
#include "netns/images/redis_protocol.h"
#include "netns/images/service.h"

namespace kin::images {
namespace {

constexpr std::string_view kHtml = "text/html; charset=utf-8";

int listen_and_run(Service& service, int port, Service::Answer answer) {
    service.set_log([](const HttpRequest& request, const HttpResponse& response, size_t bytes) {
        print_line(cat(request.peer_address, " - - [", log_time(), "] \"", request.method, ' ',
                       request.target, "\" ", response.status, ' ', bytes));
    });
    const auto listening = service.listen_http(static_cast<uint16_t>(port), std::move(answer));
    if (!listening) {
        std::fprintf(stderr, "%s\n", listening.error().text().c_str());
        return 1;
    }
    return service.run();
}

std::string ballot_page(const Strings& env, std::string_view chosen) {
    const auto option = [&](std::string_view name, std::string_view otherwise) {
        const std::string_view value = variable(env, name);
        return escape_html(value.empty() ? otherwise : value);
    };
    const std::string a = option("OPTION_A", "Cats"), b = option("OPTION_B", "Dogs");
    std::string html = cat("<!DOCTYPE html>\n<html>\n<head><title>", a, " vs ", b,
                           "!</title></head>\n<body>\n<h3>", a, " vs ", b,
                           "!</h3>\n<form method=\"POST\" action=\"/\">\n");
    for (const auto& [value, label] : {std::pair("a", a), std::pair("b", b)}) {
        html += cat("<button name=\"vote\" value=\"", value, "\"",
                    chosen == value ? " disabled" : "", ">", label, "</button>\n");
    }
    return html + cat("</form>\nProcessed by container ID ", host_name(), "\n</body>\n</html>\n");
}

/// The value of a cookie, or of a field of a form.
std::string_view value_of(std::string_view text, char separator, std::string_view name) {
    for (const std::string_view part : split(text, separator)) {
        const std::string_view pair = trim(part);
        if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) {
            return pair.substr(name.size() + 1);
        }
    }
    return {};
}

std::string new_voter() {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return hex(cat(now.tv_sec % 1000000, now.tv_nsec / 1000));
}

HttpResponse vote(const HttpRequest& request, const Strings& env) {
    HttpResponse page = HttpResponse::text(ballot_page(env, ""), kHtml);
    std::string voter(value_of(request.header("Cookie"), ';', "voter_id"));
    if (voter.empty() || voter.find_first_not_of("0123456789abcdef") != std::string::npos) {
        voter = new_voter();
        page.headers.emplace_back("Set-Cookie", cat("voter_id=", voter, "; Path=/"));
    }
    if (request.method != "POST") return page;
    const std::string choice(value_of(request.body, '&', "vote"));
    if (choice != "a" && choice != "b") return HttpResponse::error(400);
    page.body = ballot_page(env, choice);
    HttpResponse out;
    out.in_child = [page, voter, choice] {
        const Json ballot{{"voter_id", voter}, {"vote", choice}};
        const auto reply = redis::ask("redis", "6379", {"RPUSH", "votes", to_text(ballot)});
        return reply ? page : HttpResponse::error(500);
    };
    return out;
}

HttpResponse result_page() {
    const auto count = [](std::string_view choice) {
        const auto votes = redis::ask("db", "5432", {"HGETALL", "votes"});
        if (!votes) return std::optional<int>();
        int number = 0;
        size_t at = votes->find("\r\n") + 2;
        for (bool name = true; at < votes->size(); name = !name) {
            const size_t size = redis::reply_size(*votes, at);
            if (size == 0) break;
            number += !name && redis::text_of(votes->substr(at, size)) == choice ? 1 : 0;
            at += size;
        }
        return std::optional(number);
    };
    const auto a = count("a"), b = count("b");
    if (!a || !b) {
        return HttpResponse::text(
            "<!DOCTYPE html>\n<html><head><title>Result</title></head>\n"
            "<body><p>Waiting for db</p></body></html>\n",
            kHtml);
    }
    return HttpResponse::text(
        cat("<!DOCTYPE html>\n<html><head><title>Cats vs Dogs -- Result</title></head>\n<body>\n",
            "<p>Cats: ", *a, "</p>\n<p>Dogs: ", *b, "</p>\n<p>",
            *a + *b == 0 ? "No votes yet" : cat(*a + *b, *a + *b == 1 ? " vote" : " votes"),
            "</p>\n</body></html>\n"),
        kHtml);
}

/// One ballot from redis to the database; soon again if there was one.
void work(Service& service, bool& was_told) {
    const auto popped = redis::ask("redis", "6379", {"LPOP", "votes"});
    int pause_ms = 500;
    if (!popped) {
        if (!was_told) print_line("Waiting for redis");
        was_told = true;
    } else if (const auto ballot = parse_json(redis::text_of(*popped));
               ballot && ballot->is_object()) {
        const std::string voter = ballot->value("voter_id", ""), choice = ballot->value("vote", "");
        print_line(cat("Processing vote for '", choice, "' by '", voter, "'"));
        if (!redis::ask("db", "5432", {"HSET", "votes", voter, choice})) {
            print_line("Waiting for db");
            (void)redis::ask("redis", "6379", {"LPUSH", "votes", to_text(*ballot)});
        } else {
            pause_ms = 1;
        }
    }
    service.after(pause_ms, [&] { work(service, was_told); });
}

/// What is written into the client's log when the database is asked as what it is named after.
std::string refuse_postgres() {
    const std::string fields =
        cat("SFATAL", '\0', "VFATAL", '\0', "C0A000", '\0',
            "Mkin's stand-in for PostgreSQL takes connections only", '\0', '\0');
    const auto size = static_cast<uint32_t>(fields.size() + 4);
    std::string out = "E";
    for (const int shift : {24, 16, 8, 0}) out += static_cast<char>(size >> shift & 0xff);
    return out + fields;
}

}  // namespace

int voting_main(const Strings&, const Strings& env) {
    const std::string_view app = variable(env, "KIN_APP");
    Service service;
    if (app == "vote") {
        return listen_and_run(service, 80,
                              [&](const HttpRequest& request) { return vote(request, env); });
    }
    if (app == "result") {
        return listen_and_run(service, 80, [](const HttpRequest&) {
            HttpResponse out;
            out.in_child = result_page;
            return out;
        });
    }
    bool was_told = false;
    service.after(0, [&] { work(service, was_told); });
    return service.run();
}

int database_main(const Strings& args, const Strings& env) {
    const std::string_view name = variable(env, "KIN_APP");
    const int port = parse_number<int>(variable(env, "KIN_PORT")).value_or(5432);
    const bool postgres = name == "postgres";
    if (args.size() > 1 && (args[1] == "--version" || args[1] == "-V")) {
        print_line(cat(name, " (kin's stand-in)"));
        return 0;
    }
    Service service;
    const auto open = [postgres, inner = redis::new_store()]() -> Service::Session {
        return [postgres, session = inner()](std::string& input) {
            // PostgreSQL's clients begin with a length, the voting app with a '*'.
            if (postgres && !input.empty() && input[0] == '\0') {
                input.clear();
                return refuse_postgres();
            }
            if (postgres) return session(input);
            input.clear();
            return std::string();
        };
    };
    if (auto listening = service.listen_sessions(static_cast<uint16_t>(port), open); !listening) {
        std::fprintf(stderr, "%s\n", listening.error().text().c_str());
        return 1;
    }
    print_line(
        cat(name, ": kin's stand-in takes connections on port ", port, ", and answers no queries"));
    if (postgres) print_line("database system is ready to accept connections");
    return service.run();
}

}  // namespace kin::images
