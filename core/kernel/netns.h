#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/base/unique_fd.h"

namespace kin {

/// One line of a namespace's /proc/sys: {"net/ipv4/ip_forward", "1"}.
struct Sysctl {
    std::string path;  ///< Below /proc/sys, with slashes.
    std::string value;
};

/// Writes a setting of the namespace that the calling thread is in. Fails with kNotFound if this
/// kernel does not have it.
Result<> write_sysctl(const Sysctl& setting);

/// A network namespace, held by a descriptor.
///
/// It lives as long as something holds it: this descriptor, a process or a socket inside. Closing
/// the last one ends its links, addresses, routes and rules; the kernel does that in the
/// background.
///
/// Only threads with a home namespace of their own (kin-control, kin-wiring) create and enter
/// others: without root on the host, a thread that has left the host's namespace can never come
/// back to it.
class Netns {
public:
    /// Makes a new namespace with nothing but a loopback that is down. The calling thread is inside
    /// for a moment and back when this returns. Needs CAP_SYS_ADMIN in the thread's user namespace.
    /// `inside` runs there, which is cheaper than to enter later; its failure is create()'s.
    static Result<Netns> create(const std::function<Result<>()>& inside = {});
    /// The namespace that the calling thread is in.
    static Result<Netns> current();
    /// Takes over a descriptor that names a network namespace.
    static Netns adopt(UniqueFd fd) { return Netns(std::move(fd)); }

    /// Runs `open` inside this namespace and returns its Result. Sockets and files of /proc/sys
    /// stay in the namespace they were opened in, so entering is for opening only.
    template <class F>
    auto enter(F&& open) const -> std::invoke_result_t<F>;

    /// Writes settings of this namespace (/proc/sys/net shows the namespace of the thread that
    /// opens a file). Stops at the first failure, which names the path.
    Result<> write_sysctls(const std::vector<Sysctl>& settings) const;
    /// The value of one setting, without the newline.
    Result<std::string> read_sysctl(std::string_view path) const;

    /// A second descriptor of the same namespace.
    Result<Netns> duplicate() const;
    int fd() const { return fd_.get(); }
    /// The inode, which is the namespace's identity on this machine: net:[4026531840].
    Result<uint64_t> id() const;

private:
    explicit Netns(UniqueFd fd) : fd_(std::move(fd)) {}
    Result<> join() const;
    void join_or_die() const;

    UniqueFd fd_;
};

template <class F>
auto Netns::enter(F&& open) const -> std::invoke_result_t<F> {
    TRY_ASSIGN(const Netns home, current());
    TRY(join());
    auto result = std::forward<F>(open)();
    home.join_or_die();  // A thread lost in the wrong namespace would change the wrong one next.
    return result;
}

}  // namespace kin
