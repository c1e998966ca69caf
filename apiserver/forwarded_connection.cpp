#include "apiserver/forwarded_connection.h"

#include <fcntl.h>

namespace kin::apiserver {

void ForwardedConnection::open(PodAccess& pods, const ObjectKey& pod, uint16_t port) {
    Loop& loop = loop_;
    const std::weak_ptr<ForwardedConnection> weak = weak_from_this();
    pods.connect(pod, port, [&loop, weak](Answer<UniqueFd> socket) {
        loop.post([weak, moved = std::move(socket)]() mutable {
            if (const auto self = weak.lock()) self->join(std::move(moved));
        });
    });
}

void ForwardedConnection::join(Answer<UniqueFd> socket) {
    if (!socket) {
        client_ended_ = pod_ended_ = true;
        return events_.on_failed(socket.error().message);
    }
    // One descriptor each: a loop watches a descriptor only once.
    UniqueFd writing(::fcntl(socket->get(), F_DUPFD_CLOEXEC, 0));
    writer_ = std::make_unique<PipeWriter>(loop_, std::move(writing), events_.on_drained);
    if (!early_.empty()) {
        writer_->write(std::exchange(early_, {}));
        // A pod that reads at once leaves nothing waiting whose end would be heard of.
        if (writer_->waiting_bytes() == 0) events_.on_drained();
    }
    if (client_ended_) writer_->end();
    reader_ = std::make_unique<PipeReader>(loop_, std::move(*socket), [this](auto bytes) {
        if (!bytes.empty()) return events_.on_bytes(bytes);
        pod_ended_ = true;
        events_.on_end();
    });
}

void ForwardedConnection::send(std::string_view bytes) {
    if (writer_) {
        writer_->write(bytes);
    } else if (!client_ended_) {
        early_.append(bytes);
    }
}

void ForwardedConnection::end() {
    client_ended_ = true;
    if (writer_) writer_->end();
}

size_t ForwardedConnection::waiting_bytes() const {
    return writer_ ? writer_->waiting_bytes() : early_.size();
}

void ForwardedConnection::pause() {
    if (reader_) reader_->pause();
}

void ForwardedConnection::resume() {
    if (reader_) reader_->resume();
}

bool ForwardedConnection::ended_both_ways() const {
    return pod_ended_ && client_ended_ && (!writer_ || writer_->ended());
}

}  // namespace kin::apiserver
