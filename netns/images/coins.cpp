// DockerCoins of container.training: a worker asks rng for bytes and hasher for their digest,
// counts in redis, and webui shows the count. KIN_APP says which of them this is.
#include <openssl/evp.h>

#include <chrono>
#include <cstdio>
#include <random>

#include "core/base/json.h"
#include "core/base/strings.h"
#include "netns/images/dial.h"
#include "netns/images/programs.h"
#include "netns/images/redis_protocol.h"
#include "netns/images/service.h"

namespace kin::images {
namespace {

constexpr int kSlownessMs = 100;  ///< Of rng and hasher, so that lessons have something to scale.

/// Answers after the time that the work is supposed to take.
HttpResponse slowly(HttpResponse response) {
    HttpResponse out;
    out.in_child = [response = std::move(response)] {
        const timespec pause{0, kSlownessMs * 1000000};
        ::nanosleep(&pause, nullptr);
        return response;
    };
    return out;
}

std::string random_bytes(size_t count) {
    std::random_device device;
    std::string bytes;
    while (bytes.size() < count) bytes += static_cast<char>(device());
    return bytes;
}

std::string digest_of(std::string_view bytes) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr);
    return hex({reinterpret_cast<const char*>(digest), size});
}

HttpResponse rng(const HttpRequest& request) {
    if (request.path == "/") return HttpResponse::text(cat("RNG running on ", host_name(), "\n"));
    const auto count = parse_number<size_t>(std::string_view(request.path).substr(1));
    if (!count || *count > 1 << 20) return HttpResponse::error(404);
    return slowly(HttpResponse::text(random_bytes(*count), "application/octet-stream"));
}

HttpResponse hasher(const HttpRequest& request) {
    if (request.method == "POST") return slowly(HttpResponse::text(digest_of(request.body)));
    return HttpResponse::text(cat("HASHER running on ", host_name(), "\n"));
}

HttpResponse webui(const HttpRequest& request) {
    if (request.path == "/") {
        HttpResponse out = HttpResponse::text("");
        out.status = 302;
        out.headers.emplace_back("Location", "/index.html");
        return out;
    }
    if (request.path == "/index.html") {
        return HttpResponse::text(
            "<!DOCTYPE html>\n<html><head><title>DockerCoin Miner WebUI</title></head>\n<body>\n"
            "<h1>DockerCoins</h1><p><a href=\"/json\">The count</a></p>\n</body></html>\n",
            "text/html; charset=utf-8");
    }
    if (request.path != "/json") return HttpResponse::error(404);
    HttpResponse out;
    out.in_child = [] {
        const auto coins = redis::ask("redis", "6379", {"HLEN", "wallet"});
        const auto hashes = redis::ask("redis", "6379", {"GET", "hashes"});
        if (!coins || !hashes) return HttpResponse::error(500);
        const auto number = [](const std::string& reply) {
            return parse_number<int64_t>(redis::text_of(reply)).value_or(0);
        };
        const double now =
            std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch())
                .count();
        return HttpResponse::text(
            to_text(Json{{"coins", number(*coins)}, {"hashes", number(*hashes)}, {"now", now}}),
            "application/json");
    };
    return out;
}

class Worker {
public:
    int run() {
        service_.after(0, [this] { work(); });
        return service_.run();
    }

private:
    void work() {
        const auto worked = unit_of_work();
        if (!worked) print_line(cat("ERROR in work loop: ", worked.error().text()));
        const auto now = std::chrono::steady_clock::now();
        if (worked && now - told_ >= std::chrono::seconds(1)) {
            print_line(cat("INFO: ", units_, " units of work done, updating hash counter"));
            (void)redis::ask("redis", "6379", {"INCRBY", "hashes", cat(units_)});
            units_ = 0;
            told_ = now;
        }
        service_.after(worked ? kSlownessMs : 1000, [this] { work(); });
    }

    Result<> unit_of_work() {
        TRY_ASSIGN(const std::string bytes, dial_once({"rng", "80", "http", "32"}));
        DialRequest question{"hasher", "80", "http", ""};
        question.body = bytes;
        const auto answer = dial_once(question);
        if (!answer) return answer.error();
        const std::string& digest = *answer;
        ++units_;
        if (!digest.starts_with('0')) return Ok{};
        print_line(cat("INFO: Coin found: ", digest.substr(0, 8), "..."));
        TRY(redis::ask("redis", "6379", {"HSET", "wallet", digest, hex(bytes)}));
        return Ok{};
    }

    Service service_;
    int units_ = 0;
    std::chrono::steady_clock::time_point told_ = std::chrono::steady_clock::now();
};

}  // namespace

int coins_main(const Strings&, const Strings& env) {
    const std::string_view app = variable(env, "KIN_APP");
    if (app == "worker") return Worker().run();
    Service service;
    service.set_log([](const HttpRequest& request, const HttpResponse& response, size_t) {
        print_line(cat(request.peer_address, " - - [", log_time(), "] \"", request.method, ' ',
                       request.target, "\" ", response.status));
    });
    const auto answer = app == "rng" ? rng : app == "hasher" ? hasher : webui;
    if (auto listening = service.listen_http(80, answer); !listening) {
        std::fprintf(stderr, "%s\n", listening.error().text().c_str());
        return 1;
    }
    return service.run();
}

}  // namespace kin::images
