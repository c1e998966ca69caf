#include "netns/router/datagram_relay.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include "core/base/strings.h"

namespace kin::netns {
namespace {

/// A socket of UDP on a free port of 127.0.0.1.
struct Socket {
    UniqueFd fd{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    sockaddr_in at{};
    Socket() {
        at.sin_family = AF_INET;
        at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof at;
        EXPECT_EQ(::bind(fd.get(), reinterpret_cast<sockaddr*>(&at), size), 0);
        ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&at), &size);
    }
    void send(const std::string& text, const sockaddr_in& to) const {
        ::sendto(fd.get(), text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&to),
                 sizeof to);
    }
    /// The next datagram, and who sent it; "nothing" after 3 s.
    std::string receive(sockaddr_in* from = nullptr) const {
        pollfd wait{fd.get(), POLLIN, 0};
        if (::poll(&wait, 1, 3000) != 1) return "nothing";
        char buffer[256];
        sockaddr_in sender{};
        socklen_t size = sizeof sender;
        const ssize_t got = ::recvfrom(fd.get(), buffer, sizeof buffer, 0,
                                       reinterpret_cast<sockaddr*>(&sender), &size);
        if (from) *from = sender;
        return {buffer, got > 0 ? static_cast<size_t>(got) : 0};
    }
};

Result<UniqueFd> connected_to(const sockaddr_in& server) {
    UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&server), sizeof server) < 0) {
        return Error::from_errno("connect");
    }
    return fd;
}

class DatagramRelayTest : public testing::Test {
protected:
    void start(DatagramRelay::Connect connect) {
        Socket door;
        door_at_ = door.at;
        loop_.call([&] {
            relay_ = std::make_unique<DatagramRelay>(loop_, std::move(door.fd), std::move(connect));
        });
    }
    /// Before what the relay's Connect uses goes.
    void stop() {
        loop_.call([this] { relay_.reset(); });
    }
    void TearDown() override { stop(); }

    Loop loop_{"test"};
    Socket server_;
    sockaddr_in door_at_{};
    std::unique_ptr<DatagramRelay> relay_;
};

TEST_F(DatagramRelayTest, EachClientHearsTheAnswersToItsOwnDatagrams) {
    start([this](const DatagramRelay::Answer& answer) { answer(connected_to(server_.at)); });
    const Socket first, second;
    first.send("one", door_at_);
    sockaddr_in from_first{}, from_second{};
    EXPECT_EQ(server_.receive(&from_first), "one");
    second.send("two", door_at_);
    EXPECT_EQ(server_.receive(&from_second), "two");
    EXPECT_NE(from_first.sin_port, from_second.sin_port);
    server_.send("for the second", from_second);
    server_.send("for the first", from_first);
    EXPECT_EQ(first.receive(), "for the first");
    EXPECT_EQ(second.receive(), "for the second");
    first.send("again", door_at_);
    sockaddr_in again{};
    EXPECT_EQ(server_.receive(&again), "again");
    EXPECT_EQ(again.sin_port, from_first.sin_port);
}

TEST_F(DatagramRelayTest, WhatComesBeforeThereIsASocketWaitsForIt) {
    DatagramRelay::Answer later;
    start([&](DatagramRelay::Answer answer) { later = std::move(answer); });
    const Socket client;
    client.send("one", door_at_);
    client.send("two", door_at_);
    // Both have been read, when the loop has nothing else to do.
    while (true) {
        bool asked = false;
        loop_.call([&] { asked = later != nullptr; });
        if (asked) break;
    }
    loop_.call([&] { later(connected_to(server_.at)); });
    EXPECT_EQ(server_.receive(), "one");
    EXPECT_EQ(server_.receive(), "two");
    stop();
}

TEST_F(DatagramRelayTest, FailureToConnectIsForgottenAndTheNextDatagramTriesAgain) {
    int tries = 0;
    start([&](const DatagramRelay::Answer& answer) {
        if (++tries == 1) return answer(Error(Errc::kSystem, "no way"));
        answer(connected_to(server_.at));
    });
    const Socket client;
    client.send("lost", door_at_);
    while (true) {
        int now = 0;
        loop_.call([&] { now = tries; });
        if (now == 1) break;
    }
    client.send("arrives", door_at_);
    EXPECT_EQ(server_.receive(), "arrives");
    stop();
}

TEST_F(DatagramRelayTest, AfterTheServerMovedClientsReachTheNewOne) {
    const Socket other;
    const Socket* current = &server_;
    start([&](const DatagramRelay::Answer& answer) { answer(connected_to(current->at)); });
    const Socket client;
    client.send("one", door_at_);
    EXPECT_EQ(server_.receive(), "one");
    loop_.call([&] {
        current = &other;
        relay_->forget_clients();
    });
    client.send("two", door_at_);
    EXPECT_EQ(other.receive(), "two");
    stop();
}

}  // namespace
}  // namespace kin::netns
