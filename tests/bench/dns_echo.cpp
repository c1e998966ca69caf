#include <arpa/inet.h>

#include <cstdio>

#include "core/base/strings.h"
#include "tests/bench/datagrams.h"
#include "tests/bench/dns.h"
#include "tests/bench/requests.h"

namespace kin::bench {

sockaddr_in socket_address(const std::string& address, int port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(static_cast<uint16_t>(port));
    if (::inet_pton(AF_INET, address.c_str(), &out.sin_addr) != 1) {
        give_up(cat(address, " is no address"));
    }
    return out;
}

UniqueFd datagram_socket() {
    UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!fd.valid()) give_up("no socket");
    return fd;
}

void serve_echo(const std::string& address, int port) {
    const UniqueFd fd = datagram_socket();
    const sockaddr_in own = socket_address(address, port);
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&own), sizeof own) < 0) {
        give_up(cat("cannot listen on ", address));
    }
    Datagrams batch;
    for (unsigned i = 0; i < kBatch; ++i) {
        batch.messages[i].msg_hdr.msg_name = &batch.peers[i];
        batch.messages[i].msg_hdr.msg_namelen = sizeof batch.peers[i];
    }
    std::puts("listening");
    std::fflush(stdout);
    for (;;) {
        const int received =
            ::recvmmsg(fd.get(), batch.messages.data(), kBatch, MSG_WAITFORONE, nullptr);
        if (received < 0) continue;  // An answer of before was refused.
        const auto count = static_cast<unsigned>(received);
        for (unsigned i = 0; i < count; ++i) batch.parts[i].iov_len = batch.messages[i].msg_len;
        for (unsigned sent = 0; sent < count;) {
            const int now = ::sendmmsg(fd.get(), &batch.messages[sent], count - sent, 0);
            sent += now > 0 ? static_cast<unsigned>(now) : 1;
        }
        for (unsigned i = 0; i < count; ++i) batch.parts[i].iov_len = Datagrams::kSize;
    }
}

}  // namespace kin::bench
