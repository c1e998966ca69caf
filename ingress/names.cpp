#include "ingress/names.h"

#include <sys/socket.h>

#include <algorithm>

#include "core/base/strings.h"

namespace kin::ingress {

/// One name, and the question that is on its way.
struct Names::Name {
    std::string text;
    std::set<ObjectKey> services;
    std::vector<Ipv4> addresses;

    std::vector<std::string> candidates;  // The last one is tried next.
    std::string question;
    uint16_t id = 0;
    int tries = 0;
    UniqueFd socket;
    Watch watch;  // After the socket: ends first.
    Timer timer;  // For an answer, or until it is asked again.
};

Names::Names(Loop& loop, Cluster cluster, Times times)
    : loop_(loop), cluster_(std::move(cluster)), times_(times) {}

Names::~Names() = default;

std::vector<Ipv4> Names::find(const ObjectKey& service, const std::string& text) {
    auto& name = names_[text];
    if (!name) {
        name = std::make_unique<Name>();
        name->text = text;
        // Not within find(): an answer may change what its caller is about to make of it.
        name->timer =
            loop_.after(std::chrono::milliseconds(0), [this, raw = name.get()] { ask(*raw); });
    }
    name->services.insert(service);
    return name->addresses;
}

void Names::ask(Name& name) {
    std::erase_if(name.services,
                  [&](const ObjectKey& service) { return !cluster_.wanted(service, name.text); });
    if (name.services.empty()) {
        names_.erase(std::string(name.text));  // With the timer whose task this is.
        return;
    }
    name.candidates = {name.text};
    if (!name.text.ends_with('.')) {
        for (auto domain = cluster_.search.rbegin(); domain != cluster_.search.rend(); ++domain)
            name.candidates.push_back(cat(name.text, ".", *domain));
    }
    ask_next(name);
}

void Names::ask_next(Name& name) {
    name.watch.cancel();
    name.socket.reset();
    if (name.candidates.empty()) return learn(name, {}, times_.again);
    auto socket = cluster_.connect();
    if (!socket) return ask_later(name);
    name.socket = std::move(*socket);
    name.id = static_cast<uint16_t>(random_());
    name.question = address_question(name.id, name.candidates.back());
    name.candidates.pop_back();
    if (name.question.empty()) return ask_next(name);
    name.watch =
        loop_.watch(name.socket.get(), Readiness::kReadable, [this, &name](int) { receive(name); });
    name.tries = 0;
    send(name);
}

void Names::send(Name& name) {
    ++name.tries;
    // What is lost is asked for again.
    (void)::send(name.socket.get(), name.question.data(), name.question.size(), MSG_NOSIGNAL);
    name.timer = loop_.after(times_.answer, [this, &name] { no_answer(name); });
}

void Names::no_answer(Name& name) {
    if (name.tries < 2) return send(name);
    ask_later(name);
}

/// Who gets no answer knows nothing new about the name: what was known of it stays.
void Names::ask_later(Name& name) {
    name.watch.cancel();
    name.socket.reset();
    name.timer = loop_.after(times_.again, [this, &name] { ask(name); });
}

void Names::receive(Name& name) {
    uint8_t datagram[4096];
    const ssize_t size = ::recv(name.socket.get(), datagram, sizeof datagram, MSG_DONTWAIT);
    if (size <= 0) return;
    const auto answer = read_address_answer(name.id, {datagram, static_cast<size_t>(size)});
    if (!answer) return;
    switch (answer->what) {
        case AddressAnswer::What::kFailed:
            return no_answer(name);
        case AddressAnswer::What::kNoSuchName:
            return ask_next(name);
        case AddressAnswer::What::kAddresses:
            return learn(name, answer->addresses,
                         std::clamp<std::chrono::milliseconds>(answer->valid, times_.shortest,
                                                               times_.longest));
    }
}

void Names::learn(Name& name, std::vector<Ipv4> addresses, std::chrono::milliseconds valid) {
    name.watch.cancel();
    name.socket.reset();
    std::erase_if(addresses, [](Ipv4 address) { return !is_outside(address); });
    std::sort(addresses.begin(), addresses.end());
    name.timer = loop_.after(valid, [this, &name] { ask(name); });
    if (addresses == name.addresses) return;
    name.addresses = std::move(addresses);
    for (const ObjectKey& service : std::set<ObjectKey>(name.services)) cluster_.changed(service);
}

bool is_outside(Ipv4 address) {
    const uint32_t first = address.value >> 24;
    return first != 0 && first != 127 && first < 224 && address.value >> 16 != 0xA9FE;
}

}  // namespace kin::ingress
