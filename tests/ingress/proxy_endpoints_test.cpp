#include <gmock/gmock.h>
#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <sys/socket.h>

#include "core/base/strings.h"
#include "proxy_fixture.h"

namespace kin::ingress::test {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(ProxyTest, TakesEndpointsInTurn) {
    Backend a(named("a")), b(named("b"));
    route({location("/", {a.endpoint(), b.endpoint()})});
    Wire wire = client();
    std::string order;
    for (int i = 0; i < 10; ++i) {
        wire.send(get("/"));
        order += wire.read_message().back();
    }
    EXPECT_THAT(order, testing::AnyOf("ababababab", "bababababa"));
}

TEST_F(ProxyTest, TriesAnotherEndpointWhenOneIsDead) {
    Backend alive(echo);
    route({location("/", {nobody(), alive.endpoint(), nobody()})});
    for (int i = 0; i < 6; ++i)
        ASSERT_THAT(ask("POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\n\r\nhello"),
                    AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("hello")));
}

TEST_F(ProxyTest, SaysWhenNobodyCanAnswer) {
    LocationOptions impatient;
    impatient.read_timeout = std::chrono::milliseconds(50);
    Backend silent([](Wire& wire) { wire.read_to_end(); });
    Backend nonsense([](Wire& wire) {
        wire.read_head();
        wire.send("SSH-2.0-OpenSSH_9.2\r\n\r\n");
    });
    route({location("/none", {}), location("/dead", {nobody(), nobody()}),
           location("/silent", {silent.endpoint()}, impatient),
           location("/nonsense", {nonsense.endpoint()})});
    Wire wire = client();
    const auto status = [&](std::string_view path) {
        wire.send(get(path));
        const std::string answer = wire.read_message();
        EXPECT_THAT(answer, HasSubstr("<center>nginx</center>"));
        return answer.substr(0, answer.find("\r\n"));
    };
    EXPECT_EQ(status("/none"), "HTTP/1.1 503 Service Temporarily Unavailable");
    EXPECT_EQ(status("/dead"), "HTTP/1.1 502 Bad Gateway");
    EXPECT_EQ(status("/nonsense"), "HTTP/1.1 502 Bad Gateway");
    EXPECT_EQ(status("/silent"), "HTTP/1.1 504 Gateway Time-out");
    EXPECT_EQ(status("/other"), "HTTP/1.1 404 Not Found");
}

TEST_F(ProxyTest, AKubernetesClientIsToldThatThisIsNotTheApi) {
    Backend backend([](Wire& wire) {
        wire.read_head();
        wire.send(response("an application"));
    });
    route({location("/api/v1", {backend.endpoint()})});
    Wire wire = client();
    const auto ask = [&](std::string_view path, std::string_view agent) {
        wire.send(cat("GET ", path, " HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: ", agent, "\r\n\r\n"));
        return wire.read_message();
    };
    constexpr std::string_view kKubectl = "kubectl/v1.35.0 (linux/amd64) kubernetes/6645204";
    const std::string told = ask("/api?timeout=32s", kKubectl);
    EXPECT_THAT(told, HasSubstr("HTTP/1.1 415 "));
    EXPECT_THAT(told, HasSubstr("Content-Type: text/plain\r\n"));
    EXPECT_THAT(told, HasSubstr("export KUBECONFIG=$(kin kubeconfig)"));
    EXPECT_THAT(ask("/api", "curl/7.88.1"), HasSubstr("<center>nginx</center>"));
    EXPECT_THAT(ask("/apiary", kKubectl), HasSubstr("<center>nginx</center>"));
    EXPECT_THAT(ask("/api/v1", kKubectl), HasSubstr("an application"));
}

/// Answers one request, then closes when the next one comes: as one that timed out just now.
std::function<void(Wire&)> closes_on_second(std::atomic<int>& posts) {
    return [&posts](Wire& wire) {
        for (int i = 0;; ++i) {
            const std::string message = wire.read_message();
            if (message.empty()) return;
            if (message.starts_with("POST")) ++posts;
            if (i == 1) return;
            wire.send(response("ok"));
        }
    };
}

TEST_F(ProxyTest, RepeatsOnAFreshConnectionOnlyWhatDoesNoHarmTwice) {
    std::atomic<int> posts = 0;
    Backend backend(closes_on_second(posts));
    route({location("/", {backend.endpoint()})});
    Wire wire = client();
    for (int i = 0; i < 10; ++i) {
        wire.send(get("/"));
        ASSERT_THAT(wire.read_message(), EndsWith("ok"));
    }
    // The warm connection has carried one request now, so the POST is its second.
    wire.send("POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 1\r\n\r\nx");
    EXPECT_THAT(wire.read_message(), StartsWith("HTTP/1.1 502 "));
    EXPECT_EQ(posts, 1);
}

/// Has the kernel throw away what comes with data for this socket, or for those that it accepts:
/// nothing of it is acknowledged, so it is as if it had not arrived in time.
void drop_data(int fd) {
    // Of a segment: its header is 20 bytes, and some 12 of options.
    sock_filter program[] = {{BPF_LD | BPF_W | BPF_LEN, 0, 0, 0},
                             {BPF_JMP | BPF_JGT | BPF_K, 0, 1, 60},
                             {BPF_RET | BPF_K, 0, 0, 0},
                             {BPF_RET | BPF_K, 0, 0, 0xFFFF}};
    const sock_fprog filter{4, program};
    EXPECT_EQ(::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter), 0);
}

bool has_dropped(int fd) {
    uint32_t memory[SK_MEMINFO_VARS] = {};
    socklen_t size = sizeof memory;
    return ::getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &size) == 0 &&
           memory[SK_MEMINFO_DROPS] > 0;
}

const std::string kPost = "POST / HTTP/1.1\r\nHost: shop\r\nContent-Length: 5\r\n\r\nhello";

TEST_F(ProxyTest, APostThatMeetsAClosingConnectionIsSentOnAnotherOnce) {
    std::atomic<int> posts = 0, connections = 0;
    Backend backend([&](Wire& wire) {
        const bool first = ++connections == 1;
        while (true) {
            const std::string message = wire.read_message();
            if (message.empty()) return;
            if (message.starts_with("POST")) ++posts;
            if (first) drop_data(wire.fd());  // Before the answer, which lets the next one come.
            wire.send(response(message));
            if (!first) continue;
            // It closes, as one that nobody needs any more, and the next request crosses its end.
            EXPECT_TRUE(eventually([&] { return has_dropped(wire.fd()); }));
            return;
        }
    });
    route({location("/", {backend.endpoint()})});
    Wire wire = client();
    wire.send(get("/"));
    ASSERT_THAT(wire.read_message(), StartsWith("HTTP/1.1 200 "));
    wire.send(kPost);
    EXPECT_THAT(wire.read_message(), AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("hello")));
    EXPECT_EQ(posts, 1);
    EXPECT_EQ(connections, 2);
}

TEST_F(ProxyTest, APostThatAnEndpointNeverReceivedIsSentToAnotherOne) {
    uint16_t port = 0;
    UniqueFd deaf = listener(port);
    drop_data(deaf.get());
    std::atomic<int> posts = 0;
    Backend alive([&](Wire& wire) {
        while (true) {
            const std::string message = wire.read_message();
            if (message.empty()) return;
            ++posts;  // First: who reads the answer asks for the number at once.
            if (!wire.send(response(message))) return;
        }
    });
    route({location("/", {{{0x7F000001}, port}, alive.endpoint()})});
    Wire one = client(), other = client();  // In turn: one of them begins with the deaf one.
    one.send(kPost);
    other.send(kPost);
    pollfd waiting{deaf.get(), POLLIN, 0};
    ASSERT_EQ(::poll(&waiting, 1, 10'000), 1);
    Wire accepted{UniqueFd(::accept4(deaf.get(), nullptr, nullptr, SOCK_CLOEXEC))};
    ASSERT_TRUE(eventually([&] { return has_dropped(accepted.fd()); }));
    accepted.reset();
    for (Wire* wire : {&one, &other})
        EXPECT_THAT(wire->read_message(), AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("hello")));
    EXPECT_EQ(posts, 2);
}

TEST_F(ProxyTest, APostThatMayHaveBeenReadIsNotSentAgain) {
    std::atomic<int> posts = 0;
    Backend dies([&](Wire& wire) {
        if (wire.read_message().starts_with("POST")) ++posts;
        wire.reset();
    });
    route({location("/", {dies.endpoint(), dies.endpoint()})});
    EXPECT_THAT(ask(kPost), StartsWith("HTTP/1.1 502 "));
    EXPECT_EQ(posts, 1);
}

TEST_F(ProxyTest, APutIsSentAgainWithItsBody) {
    std::atomic<int> puts = 0;
    Backend dies([&](Wire& wire) { puts += wire.read_message().starts_with("PUT"); });
    Backend alive(echo);
    route({location("/", {dies.endpoint(), alive.endpoint()})});
    for (int i = 0; i < 2; ++i) {
        EXPECT_THAT(ask("PUT / HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n"
                        "5\r\nhello\r\n0\r\n\r\n"),
                    AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("5\r\nhello\r\n0\r\n\r\n")));
    }
    EXPECT_EQ(puts, 1);
}

TEST_F(ProxyTest, AnotherTableHoldsForTheNextRequest) {
    Backend a(named("a")), b(named("b"));
    route({location("/", {a.endpoint()})});
    Wire wire = client();
    wire.send(get("/"));
    EXPECT_THAT(wire.read_message(), EndsWith("a"));
    route({location("/", {b.endpoint()})});
    wire.send(get("/"));
    EXPECT_THAT(wire.read_message(), EndsWith("b"));
}

/// A backend that can be told to go: it answers what it is asked, once, and ends its connections.
struct Replica {
    std::atomic<bool> going = false;
    std::mutex mutex;
    std::map<std::string, int> posts;
    Backend backend{[this](Wire& wire) {
        while (true) {
            const std::string message = wire.read_message();
            if (message.empty()) return;
            if (message.starts_with("POST ")) {
                const std::lock_guard lock(mutex);
                ++posts[message.substr(5, message.find(' ', 5) - 5)];
            }
            wire.send(response("ok", going ? "Connection: close\r\n" : ""));
            if (going) return;
        }
    }};
};

TEST_F(ProxyTest, NothingIsLostOrDoneTwiceWhileReplicasComeAndGo) {
    std::list<Replica> all;
    std::list<Replica*> now;
    const auto publish = [&] {
        std::vector<ingress::Endpoint> endpoints;
        for (const Replica* one : now) endpoints.push_back(one->backend.endpoint());
        route({location("/", endpoints)});
    };
    for (int i = 0; i < 3; ++i) now.push_back(&all.emplace_back());
    publish();
    std::atomic<bool> stop = false;
    std::atomic<int> sent = 0, right = 0;
    std::vector<std::thread> clients;
    for (int id = 0; id < 8; ++id) {
        clients.emplace_back([&, id] {
            Wire wire = client();
            for (int i = 0; !stop; ++i) {
                wire.send(i % 2 == 0
                              ? get("/")
                              : cat("POST /", id, "-", i,
                                    " HTTP/1.1\r\nHost: shop\r\nContent-Length: 1\r\n\r\nx"));
                const std::string answer = wire.read_message();
                ++sent;
                right += answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("ok");
            }
        });
    }
    for (int roll = 0; roll < 12; ++roll) {
        const int before = sent;
        EXPECT_TRUE(eventually([&] { return sent > before + 100; }));
        now.push_back(&all.emplace_back());
        Replica* const old = now.front();
        now.pop_front();
        publish();
        old->going = true;
    }
    stop = true;
    for (std::thread& one : clients) one.join();
    EXPECT_EQ(sent, right);
    std::map<std::string, int> posts;
    for (Replica& one : all)
        for (const auto& [id, times] : one.posts) posts[id] += times;
    EXPECT_GT(posts.size(), 100u);
    for (const auto& [id, times] : posts) EXPECT_EQ(times, 1) << id;
}

}  // namespace
}  // namespace kin::ingress::test
