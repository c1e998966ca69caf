#include "core/store/body.h"

#include "core/base/assert.h"
#include "core/base/json.h"
#include "core/base/strings.h"

namespace kin {
namespace {

/// Walks over JSON text that is known to be well-formed.
class Scanner {
public:
    Scanner(std::string_view text, size_t at) : text_(text), at_(at) {}

    /// The value of `key` in the object that begins here, or nothing.
    std::optional<TextRange> member(std::string_view key) {
        if (!take('{')) return {};
        while (!done() && !take('}')) {
            const TextRange name = value();
            if (!take(':')) return {};
            const TextRange found = value();
            if (is_string(name, key)) return found;
            take(',');
        }
        return {};
    }

private:
    bool done() const { return at_ >= text_.size(); }
    void skip_blanks() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }
    bool take(char wanted) {
        skip_blanks();
        if (done() || text_[at_] != wanted) return false;
        ++at_;
        return true;
    }
    bool is_string(TextRange range, std::string_view content) const {
        return range.size == content.size() + 2 &&
               text_.substr(range.begin + 1, content.size()) == content;
    }

    /// Goes past one value: string, number, word, object or array.
    TextRange value() {
        skip_blanks();
        const size_t begin = at_;
        int depth = 0;
        do {
            // Inside of brackets only brackets and strings matter.
            const size_t next = text_.find_first_of(depth > 0 ? "\"{}[]" : "\"{}[],: \t\r\n", at_);
            if (next == std::string_view::npos) {
                at_ = text_.size();
                break;
            }
            at_ = next;
            const char c = text_[at_];
            if (c == '"') {
                skip_string();
            } else if (c == '{' || c == '[') {
                ++depth;
                ++at_;
            } else if (depth > 0) {
                --depth;
                ++at_;
            } else {
                break;  // The end of a number or word.
            }
        } while (depth > 0);
        return {begin, at_ - begin};
    }

    void skip_string() {
        for (++at_; !done() && text_[at_] != '"'; ++at_) {
            if (text_[at_] == '\\') ++at_;
        }
        at_ = std::min(at_ + 1, text_.size());
    }

    std::string_view text_;
    size_t at_;
};

std::optional<TextRange> find_in_metadata(std::string_view body, std::string_view key) {
    const auto metadata = Scanner(body, 0).member("metadata");
    if (!metadata) return {};
    return Scanner(body, metadata->begin).member(key);
}

}  // namespace

std::optional<TextRange> find_revision(std::string_view body) {
    const auto found = find_in_metadata(body, "resourceVersion");
    if (!found || found->size < 2 || body[found->begin] != '"') return {};
    return TextRange{found->begin + 1, found->size - 2};
}

std::string with_revision(std::string_view body, uint64_t revision) {
    const auto slot = find_revision(body);
    KIN_ASSERT(slot);
    return cat(body.substr(0, slot->begin), revision, body.substr(slot->begin + slot->size));
}

Labels labels_in(std::string_view body) {
    const auto found = find_in_metadata(body, "labels");
    if (!found) return {};
    const auto json = parse_json(body.substr(found->begin, found->size));
    Labels labels;
    if (!json || !json->is_object()) return labels;
    for (const auto& [key, value] : json->items()) {
        if (value.is_string()) labels.emplace(key, value.get<std::string>());
    }
    return labels;
}

}  // namespace kin
