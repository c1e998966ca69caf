#include "ingress/upstream.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

namespace kin::ingress {
namespace {

struct Order {
    size_t count;
    std::function<void(std::vector<UniqueFd>)> done;

    void deliver(size_t sockets) {
        std::vector<UniqueFd> out;
        for (size_t i = 0; i < sockets; ++i)
            out.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        std::exchange(done, nullptr)(std::move(out));
    }
};

class SocketStockTest : public testing::Test {
protected:
    OpenSockets opener() {
        return [this](size_t count, std::function<void(std::vector<UniqueFd>)> done) {
            orders.push_back({count, std::move(done)});
        };
    }
    std::vector<Order> orders;
    SocketStock stock{opener()};
    int got = 0, missed = 0;

    void take() {
        stock.take([this](UniqueFd fd) { ++(fd.valid() ? got : missed); });
    }
};

TEST_F(SocketStockTest, OrdersManyAtOnceAndAgainWhenHalfAreGone) {
    ASSERT_EQ(orders.size(), 1u);
    EXPECT_EQ(orders[0].count, SocketStock::kStock);
    orders[0].deliver(SocketStock::kStock);
    for (size_t i = 0; i < SocketStock::kStock / 2 - 1; ++i) take();
    EXPECT_EQ(orders.size(), 1u);
    take();
    ASSERT_EQ(orders.size(), 2u);
    EXPECT_EQ(orders[1].count, SocketStock::kStock / 2);
    EXPECT_EQ(got, static_cast<int>(SocketStock::kStock / 2));
}

TEST_F(SocketStockTest, WhoComesToAnEmptyStockWaitsForTheNextDelivery) {
    for (int i = 0; i < 3; ++i) take();
    EXPECT_EQ(got, 0);
    orders[0].deliver(2);
    EXPECT_EQ(got, 2);
    ASSERT_EQ(orders.size(), 2u);
    orders[1].deliver(1);
    EXPECT_EQ(got, 3);
}

TEST_F(SocketStockTest, ToldWhenNoneCanBeOpened) {
    take();
    orders[0].deliver(0);
    EXPECT_EQ(missed, 1);
    take();
    ASSERT_EQ(orders.size(), 2u);
    orders[1].deliver(1);
    EXPECT_EQ(got, 1);
}

}  // namespace
}  // namespace kin::ingress
