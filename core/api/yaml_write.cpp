#include <yaml.h>

#include <algorithm>
#include <vector>

#include "core/api/yaml.h"
#include "core/api/yaml_scalar.h"
#include "core/base/strings.h"

namespace kin {
namespace {

bool is_letter(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte >= 0x80;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The number at `at`, and where it ends.
uint64_t number_at(const std::string& text, size_t& at) {
    uint64_t number = 0;
    for (; at < text.size() && is_digit(text[at]); ++at)
        number = number * 10 + static_cast<uint64_t>(text[at] - '0');
    return number;
}

/// go-yaml's order of keys: signs before letters, and numbers inside names by their value.
bool key_less(const std::string& a, const std::string& b) {
    size_t i = 0;
    while (i < a.size() && i < b.size() && a[i] == b[i]) ++i;
    if (i == a.size() || i == b.size()) return a.size() < b.size();
    const bool letters[] = {is_letter(a[i]), is_letter(b[i])};
    if (letters[0] || letters[1])
        return letters[0] && letters[1]
                   ? static_cast<unsigned char>(a[i]) < static_cast<unsigned char>(b[i])
                   : letters[1];
    uint64_t seed = 0;
    // A zero inside a number counts; leading zeros do not.
    if (a[i] == '0' || b[i] == '0')
        for (size_t j = i; j > 0 && is_digit(a[j - 1]); --j)
            if (a[j - 1] != '0') seed = 1;
    size_t a_end = i, b_end = i;
    const auto value_from = [seed](const std::string& text, size_t& end) {
        const size_t from = end;
        uint64_t scale = seed;
        const uint64_t number = number_at(text, end);
        for (size_t j = from; j < end; ++j) scale *= 10;
        return scale + number;
    };
    const uint64_t a_number = value_from(a, a_end), b_number = value_from(b, b_end);
    if (a_number != b_number) return a_number < b_number;
    if (a_end != b_end) return a_end < b_end;
    return a[i] < b[i];
}

/// Writes block style through libyaml's emitter, which knows when a style cannot hold a text.
class Writer {
public:
    explicit Writer(std::string& out) {
        KIN_ASSERT(yaml_emitter_initialize(&emitter_));
        yaml_emitter_set_output(&emitter_, append, &out);
        yaml_emitter_set_unicode(&emitter_, 1);
        yaml_emitter_set_width(&emitter_, -1);
    }
    ~Writer() { yaml_emitter_delete(&emitter_); }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    void document(const Json& json) {
        yaml_event_t event;
        yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING);
        emit(event);
        yaml_document_start_event_initialize(&event, nullptr, nullptr, nullptr, 1);
        emit(event);
        value(json);
        yaml_document_end_event_initialize(&event, 1);
        emit(event);
        yaml_stream_end_event_initialize(&event);
        emit(event);
    }

private:
    static int append(void* out, unsigned char* bytes, size_t size) {
        static_cast<std::string*>(out)->append(reinterpret_cast<const char*>(bytes), size);
        return 1;
    }

    /// The emitter takes the event over. It can fail only for lack of memory or a wrong order.
    void emit(yaml_event_t& event) { KIN_ASSERT(yaml_emitter_emit(&emitter_, &event)); }

    void value(const Json& json) {
        if (json.is_object()) return object(json);
        if (json.is_array()) return list(json);
        if (json.is_string()) return text(json.get_ref<const std::string&>());
        if (json.is_number_float())
            return scalar(go_float(json.get_ref<const double&>()), YAML_PLAIN_SCALAR_STYLE);
        scalar(json.is_null() ? "null" : json.dump(), YAML_PLAIN_SCALAR_STYLE);
    }

    void object(const Json& json) {
        std::vector<const std::string*> keys;
        for (const auto& [key, ignored] : json.get_ref<const Json::object_t&>())
            keys.push_back(&key);
        std::sort(keys.begin(), keys.end(),
                  [](const auto* a, const auto* b) { return key_less(*a, *b); });
        yaml_event_t event;
        yaml_mapping_start_event_initialize(&event, nullptr, nullptr, 1, YAML_BLOCK_MAPPING_STYLE);
        emit(event);
        for (const std::string* key : keys) {
            text(*key);
            value(json[*key]);
        }
        yaml_mapping_end_event_initialize(&event);
        emit(event);
    }

    void list(const Json& json) {
        yaml_event_t event;
        yaml_sequence_start_event_initialize(&event, nullptr, nullptr, 1,
                                             YAML_BLOCK_SEQUENCE_STYLE);
        emit(event);
        for (const Json& element : json) value(element);
        yaml_sequence_end_event_initialize(&event);
        emit(event);
    }

    void text(const std::string& text) {
        auto style = YAML_PLAIN_SCALAR_STYLE;
        if (text.find('\n') != std::string::npos)
            style = YAML_LITERAL_SCALAR_STYLE;
        else if (resolve_plain(text).type != YamlType::kString || is_base60(text))
            style = YAML_DOUBLE_QUOTED_SCALAR_STYLE;
        scalar(text, style);
    }

    void scalar(const std::string& text, yaml_scalar_style_t style) {
        yaml_event_t event;
        const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
        const int size = static_cast<int>(text.size());
        if (!yaml_scalar_event_initialize(&event, nullptr, nullptr, bytes, size, 1, 1, style)) {
            // libyaml holds UTF-8 only; what is something else shows as U+FFFD.
            const std::string clean =
                Json::parse(to_text(Json(text)), nullptr, false).get<std::string>();
            bytes = reinterpret_cast<const unsigned char*>(clean.data());
            KIN_ASSERT(yaml_scalar_event_initialize(&event, nullptr, nullptr, bytes,
                                                    static_cast<int>(clean.size()), 1, 1, style));
        }
        emit(event);
    }

    yaml_emitter_t emitter_{};
};

}  // namespace

std::string to_yaml(const Json& json) {
    std::string out;
    Writer(out).document(json);
    return out;
}

}  // namespace kin
