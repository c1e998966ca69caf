#include "apiserver/spdy_session.h"

namespace kin::apiserver::spdy {

void Session::start(Loop& loop, Events events) {
    events_ = std::move(events);
    wire_->start(loop, {.on_bytes = [this](std::string_view bytes) { read(bytes); },
                        .on_drained = [this] { events_.on_drained(); },
                        .on_closed = [this] { events_.on_closed(); }});
}

void Session::send(StreamId stream, std::string_view bytes, bool ends) {
    wire_->send(encoder_.data(stream, bytes, ends));
}

void Session::read(std::string_view bytes) {
    decoder_.feed(bytes);
    while (const auto frame = decoder_.next()) take(*frame);
    if (decoder_.broken()) wire_->close();
}

void Session::take(const Frame& frame) {
    if (const auto* opened = std::get_if<Opened>(&frame)) {
        wire_->send(encoder_.reply(opened->stream));
        events_.on_stream(*opened);
        if (opened->ends) events_.on_end(opened->stream);
    } else if (const auto* data = std::get_if<Data>(&frame)) {
        if (!data->bytes.empty()) events_.on_data(data->stream, data->bytes);
        if (data->ends) events_.on_end(data->stream);
    } else if (const auto* reset = std::get_if<Reset>(&frame)) {
        events_.on_reset(reset->stream);
    } else if (const auto* ping = std::get_if<Ping>(&frame)) {
        wire_->send(ping->frame);
    } else {
        wire_->close();  // The client goes away.
    }
}

}  // namespace kin::apiserver::spdy
