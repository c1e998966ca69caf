#include "netns/router/datagram_relay.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include "core/base/log.h"

namespace kin::netns {

namespace {
constexpr size_t kMaxClients = 1024;
constexpr size_t kMaxWaiting = 16;
constexpr size_t kMaxDatagram = 65'536;
constexpr std::chrono::seconds kQuiet{60};
constexpr std::chrono::seconds kLookForQuiet{10};
constexpr int kAtOnce = 64;  // Datagrams of one turn; others of the loop have theirs, too.
}  // namespace

DatagramRelay::DatagramRelay(Loop& loop, UniqueFd door, Connect connect)
    : loop_(loop),
      door_(std::move(door)),
      connect_(std::move(connect)),
      watch_(loop.watch(door_.get(), Readiness::kReadable, [this](int) { on_datagram(); })) {}

void DatagramRelay::on_datagram() {
    std::string buffer(kMaxDatagram, '\0');
    for (int count = 0; count < kAtOnce; ++count) {
        sockaddr_in from{};
        socklen_t size = sizeof from;
        const ssize_t got = ::recvfrom(door_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT,
                                       reinterpret_cast<sockaddr*>(&from), &size);
        if (got < 0) return;
        const Client client{Ipv4::from_network_order(from.sin_addr.s_addr), ntohs(from.sin_port)};
        const auto found = flows_.find(client);
        if (found == flows_.end()) {
            begin(client, buffer.substr(0, static_cast<size_t>(got)));
            continue;
        }
        Flow& flow = *found->second;
        flow.last = std::chrono::steady_clock::now();
        if (flow.server.valid()) {
            // What cannot be sent is lost, as datagrams may be; a refusal shows with the next one.
            (void)::send(flow.server.get(), buffer.data(), static_cast<size_t>(got), MSG_DONTWAIT);
        } else if (flow.waiting.size() < kMaxWaiting) {
            flow.waiting.push_back(buffer.substr(0, static_cast<size_t>(got)));
        }
    }
}

void DatagramRelay::begin(const Client& client, std::string first) {
    if (flows_.size() >= kMaxClients) return;
    const auto flow = std::make_shared<Flow>();
    flow->waiting.push_back(std::move(first));
    flow->last = std::chrono::steady_clock::now();
    flows_.emplace(client, flow);
    if (!quiet_.active()) quiet_ = loop_.after(kLookForQuiet, [this] { forget_quiet(); });
    // The flow dies with this relay: whoever still holds it, may go on.
    connect_([this, client, weak = std::weak_ptr<Flow>(flow)](Result<UniqueFd> server) {
        const auto here = weak.lock();
        if (!here) return;
        if (server) return join(client, *here, std::move(server).value());
        log_debug("router", server.error().text());
        flows_.erase(client);
    });
}

void DatagramRelay::join(const Client& client, Flow& flow, UniqueFd server) {
    flow.server = std::move(server);
    flow.watch = loop_.watch(flow.server.get(), Readiness::kReadable,
                             [this, client, &flow](int) { answer(client, flow); });
    for (const std::string& datagram : flow.waiting) {
        (void)::send(flow.server.get(), datagram.data(), datagram.size(), MSG_DONTWAIT);
    }
    flow.waiting.clear();
}

void DatagramRelay::answer(const Client& client, Flow& flow) {
    std::string buffer(kMaxDatagram, '\0');
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(client.second);
    to.sin_addr.s_addr = client.first.network_order();
    for (int count = 0; count < kAtOnce; ++count) {
        const ssize_t got = ::recv(flow.server.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (got < 0) return;  // Nothing more, or refused: the client will hear nothing.
        flow.last = std::chrono::steady_clock::now();
        (void)::sendto(door_.get(), buffer.data(), static_cast<size_t>(got), MSG_DONTWAIT,
                       reinterpret_cast<const sockaddr*>(&to), sizeof to);
    }
}

void DatagramRelay::forget_quiet() {
    const auto now = std::chrono::steady_clock::now();
    std::erase_if(flows_, [&](const auto& flow) { return now - flow.second->last > kQuiet; });
    if (!flows_.empty()) quiet_ = loop_.after(kLookForQuiet, [this] { forget_quiet(); });
}

}  // namespace kin::netns
