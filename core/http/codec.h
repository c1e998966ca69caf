#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/http/head.h"
#include "core/http/message.h"

namespace kin::http {

/// cpp-httplib as the codec of responses, and as the guard that turns an exception in a handler
/// into an answer. One per worker thread.
///
/// httplib sees one canonical request head at a time, in memory. It reads neither bodies (its
/// limits come too late), nor fields (it decodes escapes in their values and knows no limit of
/// their number and size), nor the query (a second '?' is an error to it).
class Codec {
public:
    /// Makes the answer to a request whose handler threw.
    explicit Codec(std::function<Response()> after_exception);
    ~Codec();

    struct Answer {
        std::string head;         ///< Status line and fields with the empty line.
        std::vector<Bytes> body;  ///< Empty for HEAD.
    };
    /// Runs `serve`; frames what it returns. Nothing if it returns nothing, because the connection
    /// was handed over. `close` says whether the answer announces the connection's end.
    std::optional<Answer> answer(const RequestHead& head, bool close,
                                 const std::function<std::optional<Response>()>& serve);

private:
    struct Httplib;
    std::unique_ptr<Httplib> httplib_;
};

/// The head of a response whose body is framed by somebody else: 101, and streams.
std::string plain_head(const Response& response, const Headers& framing);

}  // namespace kin::http
