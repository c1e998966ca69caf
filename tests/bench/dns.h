#pragma once

#include <cstdint>
#include <string>

namespace kin::bench {

/// The least that a server of datagrams can do: sends each back to where it came from, 64 a system
/// call. Prints a line once it listens on `address`:`port`; never ends by itself. A failure ends
/// the process.
void serve_echo(const std::string& address, int port);

/// Asks `server` for the names of Services s0 to s999 (see `services` in tests/bench/run), with 128
/// questions on their way, 64 a system call, for `seconds`. `load`: "a" asks for addresses alone;
/// "mix" is half addresses, 30 % names that do not exist as a resolver's search makes them, 20 %
/// SRV. Every answer is held against its question: its id, the question itself, the rcode and how
/// many records there are; a wrong one ends the process. An `echo` only has to give the question
/// back.
/// Prints how many were answered, how many were not within 200 ms, and the answers per second.
struct DnsServer {
    std::string address;
    int port = 53;
    bool echo = false;
};
void ask_dns(const DnsServer& server, const std::string& load, int seconds);

/// Makes `times` Services through the lab's unix socket, each asked for as soon as the API has
/// answered, and again until its name exists. Prints when the first right answer was asked for,
/// microseconds after the API's answer (median, p99; 0: with the first question), and how many
/// first questions were answered right.
void ask_after_changes(const std::string& socket, const DnsServer& server, int times);

/// A packet with id 0 that asks for `name`, which has dots between its labels.
inline constexpr uint16_t kTypeA = 1, kTypeSrv = 33;
std::string question_for(const std::string& name, uint16_t type);

}  // namespace kin::bench
