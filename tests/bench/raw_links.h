#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

struct nlmsghdr;

namespace kin::bench {

/// Namespaces, links, addresses and routes by hand-written rtnetlink messages: what limits and
/// references are made of. Nothing of kin's own code is in it; a failure ends the process.

/// A negative `result` ends the process with errno's words.
int checked(int result, const char* what);

/// The process leaves the host's network, as the root of a user namespace of its own.
void leave_host();

/// A namespace, as a file and as a socket in it.
struct Host {
    int ns, socket;
};
/// A new one, with the calling thread left inside.
Host make_host();

/// Writes the first character of `value`; a file that this kernel does not have is left out.
void write_to(const char* path, const char* value);

/// Several messages, one sendmsg, one acknowledgement.
class Batch {
public:
    nlmsghdr* add(uint16_t type, uint16_t flags);
    void send(int socket);

private:
    void close();

    alignas(8) char bytes_[16384] = {};
    size_t size_ = 0;
    nlmsghdr* message_ = nullptr;
};

/// The cable's end here is link 2; the other end is link `peer_index` of namespace `peer_ns`.
void add_veth(Batch& batch, const char* name, const std::string& peer, int peer_index, int peer_ns);
void add_bridge(Batch& batch, const char* name, int index);
/// Link `index` goes up, as a port of link `bridge` if that is not 0.
void set_up(Batch& batch, int index, int bridge = 0);
void add_address(Batch& batch, int index, uint32_t address, uint8_t bits);
/// `via` 0: on the link itself.
void add_route(Batch& batch, int index, uint32_t to, uint8_t bits, uint32_t via);

}  // namespace kin::bench
