#include "dns/server.h"

#include "core/base/strings.h"

namespace kin::dns {

namespace {
constexpr uint16_t kPort = 53, kMetricsPort = 9153;

/// The sockets of one pod, and what they answer from.
struct PodSockets {
    Source source;
    std::unique_ptr<UdpSocket> udp;
    std::unique_ptr<TcpSocket> tcp, metrics;
};
}  // namespace

struct Server::Served {
    std::shared_ptr<const Zone> zone;
    std::map<ObjectKey, PodSockets> pods;
    PodSockets outside_host;
};

Server::Server(Loop& data, Client& client, Namespaces& namespaces, ZoneOptions options)
    : data_(data), client_(client), namespaces_(namespaces), served_(std::make_unique<Served>()) {
    served_->zone = ZoneBuilder(options).snapshot();
    ZoneOptions beyond = options;
    beyond.cluster = false;
    served_->outside_host.source.zone = ZoneBuilder(beyond).snapshot();
    const auto publish = [this](std::shared_ptr<const Zone> zone) {
        ++on_their_way_;
        data_.post([this, zone = std::move(zone)]() mutable {
            served_->zone = std::move(zone);
            for (auto& [pod, sockets] : served_->pods) sockets.source.zone = served_->zone;
            --on_their_way_;
        });
    };
    client_.loop().call([&] {
        publisher_ = std::make_unique<Publisher>(client_, std::move(options), publish,
                                                 [this] { return on_their_way_ > 0; });
    });
}

Server::~Server() {
    client_.loop().call([this] { publisher_.reset(); });
    data_.call([this] { served_.reset(); });
}

Result<> Server::start(const Instance& instance) {
    // On the pod's own address: answers leave from where they were asked.
    TRY_ASSIGN(UdpPair udp, UdpPair::open([&] {
                   return namespaces_.open_in_pod(instance.pod, Namespaces::SocketType::kUdp,
                                                  instance.address, kPort);
               }));
    TRY_ASSIGN(UniqueFd tcp,
               namespaces_.open_in_pod(instance.pod, Namespaces::SocketType::kTcpListener,
                                       instance.address, kPort));
    TRY_ASSIGN(UniqueFd metrics,
               namespaces_.open_in_pod(instance.pod, Namespaces::SocketType::kTcpListener,
                                       instance.address, kMetricsPort));
    data_.post([this, pod = instance.pod, udp = std::move(udp), tcp = std::move(tcp),
                metrics = std::move(metrics)]() mutable {
        PodSockets& sockets = served_->pods[pod];
        Source& source = sockets.source;
        source.zone = served_->zone;
        sockets.udp = std::make_unique<UdpSocket>(data_, source, std::move(udp));
        sockets.tcp = std::make_unique<TcpSocket>(data_, source, std::move(tcp));
        sockets.metrics =
            std::make_unique<TcpSocket>(data_, source, std::move(metrics), answer_metrics_stream);
    });
    if (instance.log) {
        instance.log(".:53");
        instance.log(
            "[INFO] kin answers here in place of CoreDNS-1.12.1, for cluster.local and "
            "the addresses of pods and Services");
    }
    return Ok{};
}

Result<> Server::serve_outside(const std::string& host, Ipv4 address) {
    using SocketType = Namespaces::SocketType;
    TRY_ASSIGN(UdpPair udp, UdpPair::open([&] {
                   return namespaces_.open_in_node(host, SocketType::kUdp, address, kPort);
               }));
    TRY_ASSIGN(UniqueFd tcp,
               namespaces_.open_in_node(host, SocketType::kTcpListener, address, kPort));
    data_.post([this, udp = std::move(udp), tcp = std::move(tcp)]() mutable {
        PodSockets& sockets = served_->outside_host;
        sockets.udp = std::make_unique<UdpSocket>(data_, sockets.source, std::move(udp));
        sockets.tcp = std::make_unique<TcpSocket>(data_, sockets.source, std::move(tcp));
    });
    return Ok{};
}

void Server::stop(const ObjectKey& pod) {
    data_.post([this, pod] { served_->pods.erase(pod); });
}

}  // namespace kin::dns
