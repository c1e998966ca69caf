#include "apiserver/pod_proxy.h"

#include "core/base/strings.h"

namespace kin::apiserver {

namespace {
constexpr size_t kMostHead = 64u << 10;
/// More than this in one direction and the other end is not read for a while.
constexpr size_t kMostQueued = 1u << 20;

/// "HTTP/1.1 100 Continue" and the like: another head follows.
bool is_interim(std::string_view head) {
    return head.size() > 12 && head[9] == '1' && head.substr(9, 3) != "101";
}
}  // namespace

PodProxy::PodProxy(Loop& loop, std::unique_ptr<ByteWire> client, Wanted wanted,
                   std::function<void()> ended)
    : loop_(loop),
      client_(std::move(client)),
      wanted_(std::move(wanted)),
      ended_(std::move(ended)) {}

void PodProxy::start(PodAccess& pods) {
    client_->start(loop_, {.on_bytes =
                               [this](std::string_view bytes) {
                                   pod_->send(bytes);
                                   if (pod_->waiting_bytes() > kMostQueued) client_->pause_reading();
                               },
                           .on_drained = [this] { pod_->resume(); },
                           .on_closed =
                               [this] {
                                   pod_->end();
                                   ended_();
                               }});
    pod_ = std::make_shared<ForwardedConnection>(
        loop_, ForwardedConnection::Events{
                   .on_bytes = [this](std::string_view bytes) { from_pod(bytes); },
                   .on_end =
                       [this] {
                           if (!answered_) return fail("EOF");
                           client_->close();
                       },
                   .on_failed = [this](const std::string& why) { fail(why); },
                   .on_drained = [this] { client_->resume_reading(); }});
    pod_->send(wanted_.request);
    pod_->open(pods, wanted_.target.pod, wanted_.target.port);
}

void PodProxy::from_pod(std::string_view bytes) {
    if (answered_) return send(bytes);
    head_ += bytes;
    answer_head();
}

void PodProxy::answer_head() {
    constexpr std::string_view kEnd = "\r\n\r\n";
    for (size_t end; (end = head_.find(kEnd)) != std::string::npos;) {
        const std::string head = head_.substr(0, end + kEnd.size());
        head_.erase(0, head.size());
        if (is_interim(head)) continue;
        const std::string answer = proxied_answer(head, wanted_.prefix);
        if (answer.empty()) return fail("it does not speak HTTP");
        answered_ = true;
        send(answer + std::exchange(head_, {}));
        return;
    }
    if (head_.size() > kMostHead) fail("the head of its answer is too long");
}

void PodProxy::send(std::string_view bytes) {
    client_->send(bytes);
    if (client_->queued_bytes() > kMostQueued) pod_->pause();
}

void PodProxy::fail(const std::string& why) {
    if (std::exchange(answered_, true)) return client_->close();
    Status status;
    status.code = 503;
    status.reason = "ServiceUnavailable";
    status.message = cat("error trying to reach service: ", wanted_.target.host, ": ", why);
    const std::string body = to_text(status.to_json()) + '\n';
    client_->send(cat("HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n",
                      "Content-Length: ", body.size(), "\r\nConnection: close\r\n\r\n", body));
    client_->close();
}

}  // namespace kin::apiserver
