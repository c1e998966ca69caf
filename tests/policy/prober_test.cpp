#include "policy/prober.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <future>

#include "tests/core/store/store_fixture.h"

namespace kin::policy {
namespace {

/// Of this machine's loopback, and with a look at how many are open.
class Sockets : public Namespaces {
public:
    Result<UniqueFd> open_in_pod(const ObjectKey& pod, SocketType type, Ipv4, uint16_t) override {
        if (pod.name == "gone") return Error(Errc::kNotFound, "no such pod");
        const int kind = type == SocketType::kUdp ? SOCK_DGRAM : SOCK_STREAM;
        UniqueFd socket(::socket(AF_INET, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        std::erase_if(open_, [&](const auto& one) { return inode(one.first) != one.second; });
        open_[socket.get()] = inode(socket.get());
        most_ = std::max(most_, open_.size());
        return socket;
    }
    Result<UniqueFd> open_in_node(const std::string&, SocketType, Ipv4, uint16_t) override {
        return Error(Errc::kNotFound, "no nodes here");
    }
    size_t most() const { return most_; }

private:
    static uint64_t inode(int fd) {
        struct stat found {};
        return ::fstat(fd, &found) == 0 ? found.st_ino : 0;
    }
    std::map<int, uint64_t> open_;
    size_t most_ = 0;
};

class ProberTest : public testing::Test {
protected:
    void SetUp() override {
        loop_.call([&] {
            enforcer_.emplace(client_, std::vector<KernelNode*>{}, Enforcer::Established::kCut);
            prober_.emplace(loop_, sockets_, *enforcer_);
        });
        // Takes datagrams and says nothing.
        sockaddr_in at{};
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        ASSERT_EQ(::bind(silent_.get(), reinterpret_cast<const sockaddr*>(&at), size), 0);
        ::getsockname(silent_.get(), reinterpret_cast<sockaddr*>(&at), &size);
        port_ = ntohs(at.sin_port);
    }
    void TearDown() override {
        loop_.call([&] {
            prober_.reset();
            enforcer_.reset();
        });
    }
    Attempt attempt(std::string from) const {
        return {
            {"default", std::move(from)}, {}, *Ipv4::parse("127.0.0.1"), port_, nft::L4::kUdp, {}};
    }
    std::vector<Outcome> run(std::vector<Attempt> attempts) {
        std::promise<std::vector<Outcome>> answer;
        loop_.post([&] {
            prober_->run(std::move(attempts), std::chrono::milliseconds(20),
                         [&](std::vector<Outcome> outcomes) { answer.set_value(outcomes); });
        });
        return answer.get_future().get();
    }

    std::unique_ptr<Store> store_ = test::open_store();
    Registry registry_{*store_, Registry::Options{}};
    Loop loop_{"kin-test"};
    Client client_{registry_, loop_};
    Sockets sockets_;
    std::optional<Enforcer> enforcer_;
    std::optional<Prober> prober_;
    UniqueFd silent_{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    uint16_t port_ = 0;
};

TEST_F(ProberTest, ManyAttemptsAreNotMadeAllAtOnce) {
    const auto outcomes = run(std::vector<Attempt>(2 * Prober::kAtOnce + 10, attempt("a")));
    ASSERT_EQ(outcomes.size(), 2 * Prober::kAtOnce + 10);
    for (const Outcome& outcome : outcomes) {
        EXPECT_EQ(outcome.what, Outcome::What::kSilent) << outcome.detail;
    }
    EXPECT_EQ(sockets_.most(), Prober::kAtOnce);
}

TEST_F(ProberTest, WhatCouldNotBeTriedAgreesWithNothing) {
    const auto outcomes = run({attempt("gone"), attempt("a")});
    EXPECT_EQ(outcomes.at(0).what, Outcome::What::kFailed);
    EXPECT_EQ(outcomes.at(0).detail, "no such pod");
    EXPECT_EQ(outcomes.at(1).what, Outcome::What::kSilent);
    for (const auto meant : {Outcome::Meant::kAllow, Outcome::Meant::kDeny,
                             Outcome::Meant::kDepends, Outcome::Meant::kNowhere}) {
        Outcome failed = outcomes.at(0);
        failed.meant = meant;
        EXPECT_FALSE(failed.agrees());
    }
    EXPECT_TRUE(run({}).empty());
}

}  // namespace
}  // namespace kin::policy
