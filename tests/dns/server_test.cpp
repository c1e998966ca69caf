#include "dns/server.h"

#include <gmock/gmock.h>

#include "tests/core/store/store_fixture.h"
#include "tests/dns/loopback.h"
#include "tests/dns/messages.h"

namespace kin::dns {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// A pod whose network is this machine's loopback.
class LoopbackPod : public Namespaces {
public:
    Result<UniqueFd> open_in_pod(const ObjectKey&, SocketType type, Ipv4, uint16_t) override {
        if (type == SocketType::kTcpListener) return test::bound_socket(SOCK_STREAM);
        UniqueFd fd = test::bound_socket(SOCK_DGRAM, udp_port);
        udp_port = test::port_of(fd);
        return fd;
    }
    Result<UniqueFd> open_in_node(const std::string&, SocketType, Ipv4, uint16_t) override {
        return Error(Errc::kNotFound, "there is no node");
    }

    uint16_t udp_port = 0;
};

class ServerTest : public testing::Test {
protected:
    void SetUp() override {
        create(Namespace::kResource, {{"metadata", {{"name", "shop"}}}});
        ASSERT_TRUE(client_.start());
        loop_.call([this] { ASSERT_TRUE(server_->start({{"kube-system", "dns"}, "", {}, {}})); });
        settle();
    }
    ~ServerTest() override { server_.reset(); }

    void create(std::string_view resource, Json object) {
        const Target to = target(resource, string_at(object, {"metadata", "name"}));
        object["apiVersion"] = to.kind->group.empty() ? std::string(to.kind->version)
                                                      : cat(to.kind->group, '/', to.kind->version);
        object["kind"] = to.kind->kind;
        if (!to.key.ns.empty()) object["metadata"]["namespace"] = to.key.ns;
        const auto written = blocking_write(
            [&](WriteDone done) { registry_.create(to, object, {}, std::move(done)); });
        ASSERT_TRUE(written) << written.error().message;
    }
    void remove(std::string_view resource, const std::string& name) {
        const auto written = blocking_write(
            [&](WriteDone done) { registry_.remove(target(resource, name), {}, std::move(done)); });
        ASSERT_TRUE(written) << written.error().message;
    }
    void settle() {
        std::string why;
        ASSERT_TRUE(client_.settle(20'000, &why)) << why;
    }
    /// One question, by a datagram.
    test::Answer ask(const std::string& name) {
        const UniqueFd fd = test::connected(SOCK_DGRAM, pod_.udp_port);
        const std::string packet = test::question(cat(name, ".svc.cluster.local"), Type::kA);
        EXPECT_GT(::send(fd.get(), packet.data(), packet.size(), 0), 0);
        return test::AnswerReader(test::receive(fd, 2000)).read();
    }

    std::unique_ptr<Store> store_ = test::open_store();
    Registry registry_{*store_, Registry::Options{}};
    Loop loop_{"kin-test"}, data_{"kin-test-data"};
    Client client_{registry_, loop_};
    LoopbackPod pod_;
    std::unique_ptr<Server> server_ = std::make_unique<Server>(data_, client_, pod_);

private:
    static Target target(std::string_view resource, const std::string& name) {
        const Kind* kind = find_resource(resource);
        return {kind, {kind->namespaced ? "shop" : "", name}, ""};
    }
};

TEST_F(ServerTest, TheFirstQuestionAfterAChangeIsAnsweredRight) {
    for (int round = 0; round < 20; ++round) {
        EXPECT_EQ(ask("web.shop").rcode, 3) << round;
        const std::string address = cat("10.96.0.", 20 + round);
        create(Service::kResource,
               {{"metadata", {{"name", "web"}}},
                {"spec", {{"clusterIP", address}, {"ports", {{{"port", 80}}}}}}});
        settle();
        EXPECT_THAT(ask("web.shop").answers,
                    ElementsAre(cat("web.shop.svc.cluster.local. A ", address)));
        remove(Service::kResource, "web");
        settle();
    }
}

TEST_F(ServerTest, TheFirstQuestionAfterAnEndpointCameIsAnsweredRight) {
    create(Service::kResource, {{"metadata", {{"name", "db"}}},
                                {"spec", {{"clusterIP", "None"}, {"ports", {{{"port", 80}}}}}}});
    settle();
    EXPECT_THAT(ask("db.shop").answers, IsEmpty());
    create(EndpointSlice::kResource,
           {{"metadata", {{"name", "db-1"}, {"labels", {{"kubernetes.io/service-name", "db"}}}}},
            {"addressType", "IPv4"},
            {"ports", {{{"port", 80}}}},
            {"endpoints", {{{"addresses", {"10.244.1.2"}}, {"conditions", {{"ready", true}}}}}}});
    settle();
    EXPECT_THAT(ask("db.shop").answers, ElementsAre("db.shop.svc.cluster.local. A 10.244.1.2"));
    remove(EndpointSlice::kResource, "db-1");
    settle();
    EXPECT_THAT(ask("db.shop").answers, IsEmpty());
}

}  // namespace
}  // namespace kin::dns
