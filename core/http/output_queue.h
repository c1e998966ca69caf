#pragma once

#include <deque>

#include "core/http/message.h"
#include "core/http/transport.h"

namespace kin::http {

/// Bytes that wait to be written to a Transport. Small pieces are joined, large shared ones are
/// sent from where they lie.
class OutputQueue {
public:
    void push(Bytes bytes);
    bool empty() const { return size_ == 0; }
    size_t size() const { return size_; }  ///< Bytes not yet taken by the kernel.

    /// Writes as much as the socket takes: kDone when the queue is empty.
    Transport::Outcome flush(Transport& transport);

private:
    /// The bytes to write next: from one piece, or several small ones copied into `buffer`.
    std::string_view next(char* buffer, size_t capacity) const;
    void drop(size_t count);

    std::deque<Bytes> pieces_;
    size_t offset_ = 0;  // Of the first piece, already written.
    size_t size_ = 0;
};

}  // namespace kin::http
