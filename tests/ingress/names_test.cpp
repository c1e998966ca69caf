#include "ingress/names.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "core/base/strings.h"
#include "proxy_fixture.h"

namespace kin::ingress::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string shorts(std::initializer_list<unsigned> values) {
    std::string out;
    for (const unsigned value : values) {
        out += static_cast<char>(value >> 8);
        out += static_cast<char>(value & 0xFF);
    }
    return out;
}

/// A DNS server of 127.0.0.1 that knows what it is told.
class Server {
public:
    Server() : fd_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        at_.sin_family = AF_INET;
        at_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at_;
        EXPECT_EQ(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&at_), size), 0);
        EXPECT_EQ(::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&at_), &size), 0);
        thread_ = std::thread([this] { serve(); });
    }
    ~Server() {
        stop_ = true;
        thread_.join();
    }
    Result<UniqueFd> connect() const {
        UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&at_), sizeof at_), 0);
        return fd;
    }
    void know(const std::string& name, std::vector<Ipv4> addresses) {
        const std::lock_guard lock(mutex_);
        known_[name] = std::move(addresses);
    }
    std::vector<std::string> asked() {
        const std::lock_guard lock(mutex_);
        return asked_;
    }
    std::atomic<int> silent = 0;  ///< So many questions get no answer.

private:
    void serve() {
        while (!stop_) {
            pollfd ready{fd_.get(), POLLIN, 0};
            if (::poll(&ready, 1, 10) != 1) continue;
            char question[512];
            sockaddr_in from{};
            socklen_t size = sizeof from;
            const ssize_t got = ::recvfrom(fd_.get(), question, sizeof question, 0,
                                           reinterpret_cast<sockaddr*>(&from), &size);
            const std::string reply = answer({question, static_cast<size_t>(got)});
            if (silent-- > 0) continue;
            ::sendto(fd_.get(), reply.data(), reply.size(), 0, reinterpret_cast<sockaddr*>(&from),
                     size);
        }
    }
    std::string answer(std::string question) {
        std::string name;
        for (size_t at = 12; question[at] != 0; at += static_cast<size_t>(question[at]) + 1)
            name += cat(name.empty() ? "" : ".",
                        question.substr(at + 1, static_cast<size_t>(question[at])));
        const std::lock_guard lock(mutex_);
        asked_.push_back(name);
        const auto found = known_.find(name);
        const size_t count = found == known_.end() ? 0 : found->second.size();
        std::string out = question.substr(0, 2) +
                          shorts({found == known_.end() ? 0x8183u : 0x8180u, 1,
                                  static_cast<unsigned>(count), 0, 0}) +
                          question.substr(12);
        for (size_t i = 0; i < count; ++i) {
            const uint32_t address = found->second[i].value;
            out += shorts({0xC00C, 1, 1, 0, 0, 4, address >> 16, address & 0xFFFF});  // TTL 0.
        }
        return out;
    }

    UniqueFd fd_;
    sockaddr_in at_{};
    std::mutex mutex_;
    std::map<std::string, std::vector<Ipv4>> known_;
    std::vector<std::string> asked_;
    std::atomic<bool> stop_ = false;
    std::thread thread_;
};

class NamesTest : public testing::Test {
protected:
    NamesTest() {
        Names::Cluster cluster;
        cluster.connect = [this] { return server_.connect(); };
        cluster.search = {"shop.svc.cluster.local", "cluster.local"};
        cluster.wanted = [this](const ObjectKey&, const std::string&) { return wanted_.load(); };
        cluster.changed = [this](const ObjectKey& service) {
            EXPECT_EQ(service, key_);
            ++changes_;
        };
        const std::chrono::milliseconds soon(20);
        loop_.call([&] {
            names_ = std::make_unique<Names>(loop_, cluster, Names::Times{soon, soon, soon, soon});
        });
    }
    ~NamesTest() override {
        loop_.call([&] { names_.reset(); });
    }
    std::vector<Ipv4> find(const std::string& name) {
        std::vector<Ipv4> out;
        loop_.call([&] { out = names_->find(key_, name); });
        return out;
    }
    bool comes(const std::string& name, const std::vector<Ipv4>& wanted) {
        return eventually([&] { return find(name) == wanted; });
    }

    const ObjectKey key_{"shop", "outside"};
    const Ipv4 one_{0xCB007114}, two_{0xCB007115};
    std::atomic<bool> wanted_ = true;
    std::atomic<int> changes_ = 0;
    Server server_;
    Loop loop_{"names"};
    std::unique_ptr<Names> names_;
};

TEST_F(NamesTest, FollowWhatDnsSays) {
    EXPECT_THAT(find("example.com"), IsEmpty());
    server_.know("example.com", {two_, one_});
    EXPECT_TRUE(comes("example.com", {one_, two_}));
    EXPECT_EQ(changes_, 1);
    server_.know("example.com", {two_});
    EXPECT_TRUE(comes("example.com", {two_}));
    EXPECT_EQ(changes_, 2);
}

TEST_F(NamesTest, AreLookedForInTheSearchDomainsFirst) {
    server_.know("web", {two_});
    server_.know("web.cluster.local", {one_});
    EXPECT_TRUE(comes("web", {one_}));
    EXPECT_TRUE(comes("web.", {two_}));  // Written in full.
    EXPECT_EQ(server_.asked().front(), "web.shop.svc.cluster.local");
}

TEST_F(NamesTest, StayAsTheyWereWhileNobodyAnswers) {
    server_.know("example.com", {one_});
    EXPECT_TRUE(comes("example.com", {one_}));
    server_.silent = 1000;
    const size_t asked = server_.asked().size();
    EXPECT_TRUE(eventually([&] { return server_.asked().size() > asked + 4; }));
    EXPECT_THAT(find("example.com"), ElementsAre(one_));
}

TEST_F(NamesTest, NeverLeadToTheProxyItself) {
    server_.know("evil.com", {{0x7F000001}, {0xA9FEA9FE}, {0}, {0xE0000001}, one_});
    EXPECT_TRUE(comes("evil.com", {one_}));
}

TEST_F(NamesTest, AreNotAskedForOnceNobodyNeedsThem) {
    server_.know("example.com", {one_});
    EXPECT_TRUE(comes("example.com", {one_}));
    wanted_ = false;
    // Forgotten: who asks again begins anew.
    EXPECT_TRUE(comes("example.com", {}));
}

TEST(DnsMessageTest, RefusesWhatIsNoNameAndNoAnswer) {
    EXPECT_EQ(address_question(1, ""), "");
    EXPECT_EQ(address_question(1, "a..b"), "");
    EXPECT_EQ(address_question(1, std::string(64, 'a')), "");
    EXPECT_EQ(address_question(0x1234, "a.bc."),
              shorts({0x1234, 0x0100, 1, 0, 0, 0}) + std::string("\1a\2bc\0\0\1\0\1", 10));
    const auto read = [](const std::string& text) {
        return read_address_answer(1, {reinterpret_cast<const uint8_t*>(text.data()), text.size()});
    };
    const std::string head = shorts({1, 0x8180, 0, 1, 0, 0});
    EXPECT_FALSE(read("short"));
    EXPECT_FALSE(read(shorts({2, 0x8180, 0, 0, 0, 0})));  // Another id.
    EXPECT_FALSE(read(shorts({1, 0x0100, 0, 0, 0, 0})));  // A question.
    EXPECT_FALSE(read(head));                             // An answer is missing.
    EXPECT_FALSE(read(head + "\xC0\x0C"));                // A name that leads to itself.
    EXPECT_EQ(read(shorts({1, 0x8182, 0, 0, 0, 0}))->what, AddressAnswer::What::kFailed);
    EXPECT_EQ(read(shorts({1, 0x8183, 0, 0, 0, 0}))->what, AddressAnswer::What::kNoSuchName);
}

}  // namespace
}  // namespace kin::ingress::test
