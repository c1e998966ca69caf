#include "core/http/output_queue.h"

#include <algorithm>
#include <cstring>

namespace kin::http {

namespace {
constexpr size_t kRecord = 16u << 10;  // A TLS record holds no more, and a syscall gains little.
}

void OutputQueue::push(Bytes bytes) {
    const size_t size = bytes.size();
    if (size == 0) return;
    size_ += size;
    std::string* last = pieces_.empty() ? nullptr : pieces_.back().own();
    if (last && last->size() + size <= kRecord) {
        last->append(bytes.view());
    } else {
        pieces_.push_back(std::move(bytes));
    }
}

std::string_view OutputQueue::next(char* buffer, size_t capacity) const {
    const std::string_view first = pieces_.front().view().substr(offset_);
    if (first.size() >= capacity || pieces_.size() == 1) return first;
    size_t filled = 0;
    for (const Bytes& piece : pieces_) {
        std::string_view bytes = filled == 0 ? first : piece.view();
        bytes = bytes.substr(0, capacity - filled);
        std::memcpy(buffer + filled, bytes.data(), bytes.size());
        filled += bytes.size();
        if (filled == capacity) break;
    }
    return {buffer, filled};
}

void OutputQueue::drop(size_t count) {
    size_ -= count;
    offset_ += count;
    while (!pieces_.empty() && offset_ >= pieces_.front().size()) {
        offset_ -= pieces_.front().size();
        pieces_.pop_front();
    }
}

Transport::Outcome OutputQueue::flush(Transport& transport) {
    char buffer[kRecord];
    while (!empty()) {
        const std::string_view bytes = next(buffer, sizeof buffer);
        const auto outcome = transport.write(bytes.data(), bytes.size());
        if (outcome.kind != Transport::Outcome::Kind::kDone) return outcome;
        drop(outcome.bytes);
    }
    return {Transport::Outcome::Kind::kDone, 0, Transport::Outcome::Wait::kWritable};
}

}  // namespace kin::http
