#include "web/sessions.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>

#include "core/base/assert.h"
#include "core/base/strings.h"

namespace kin::web {

namespace {
std::string random_word() {
    unsigned char bytes[16];
    KIN_ASSERT(RAND_bytes(bytes, sizeof bytes) == 1);
    return hex({reinterpret_cast<const char*>(bytes), sizeof bytes});
}

/// In constant time, so that a secret cannot be guessed byte by byte.
bool same(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

int64_t seconds(Sessions::Clock::time_point time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}
}  // namespace

std::string Sessions::sign(std::string_view purpose, std::string_view text) const {
    const std::string message = cat("kin page ", purpose, '\n', text);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
         reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest, &size);
    return hex({reinterpret_cast<const char*>(digest), size});
}

std::string Sessions::add(Guarded<Waiting>& waiting, std::string word, Clock::duration life) {
    waiting.with([&](Waiting& list) {
        if (list.size() == kMostWaiting) list.pop_front();
        list.push_back({word, now_() + life});
    });
    return word;
}

bool Sessions::take(Guarded<Waiting>& waiting, std::string_view word) {
    return waiting.with([&](Waiting& list) {
        std::erase_if(list, [&](const OneShot& item) { return item.until < now_(); });
        const auto found =
            std::ranges::find_if(list, [&](const OneShot& item) { return same(item.word, word); });
        if (found == list.end()) return false;
        list.erase(found);
        return true;
    });
}

std::string Sessions::new_code() { return add(codes_, random_word(), kCodeLife); }

std::optional<std::string> Sessions::cookie_for(std::string_view code) {
    if (!take(codes_, code)) return {};
    // Until when it is good, something that nobody guesses, and both signed.
    const std::string text = cat(seconds(now_() + kCookieLife), '-', random_word());
    return cat(text, '-', sign("cookie", text));
}

bool Sessions::is_cookie(std::string_view cookie) const {
    const size_t end = cookie.rfind('-');
    if (end == std::string_view::npos) return false;
    const std::string_view text = cookie.substr(0, end);
    if (!same(sign("cookie", text), cookie.substr(end + 1))) return false;
    const auto until = parse_number<int64_t>(text.substr(0, text.find('-')));
    return until && seconds(now_()) < *until;
}

std::string Sessions::key_of(std::string_view cookie) const { return sign("key", cookie); }

bool Sessions::is_key(std::string_view cookie, std::string_view key) const {
    return same(key_of(cookie), key);
}

std::string Sessions::new_ticket(std::string_view cookie) {
    std::string word = random_word();
    add(tickets_, cat(word, ' ', cookie), kTicketLife);
    return word;
}

bool Sessions::use_ticket(std::string_view cookie, std::string_view ticket) {
    return take(tickets_, cat(ticket, ' ', cookie));
}

}  // namespace kin::web
