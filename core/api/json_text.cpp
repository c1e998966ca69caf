#include "core/api/json_text.h"

#include <algorithm>

#include "core/base/strings.h"

namespace kin {
namespace {

constexpr size_t kMostBytes = 3 << 20;
constexpr size_t kMostLevels = 200;
constexpr size_t kMostDuplicates = 100;

/// Takes nlohmann's events and builds the value. A false return stops the parser.
class Builder : public nlohmann::json_sax<Json> {
public:
    explicit Builder(JsonText& out) : out_(out) {}

    size_t error_position = 0;
    bool too_deep = false;

    bool null() override { return put(nullptr); }
    bool boolean(bool value) override { return put(value); }
    bool number_integer(int64_t value) override { return put(value); }
    bool number_unsigned(uint64_t value) override {
        return value <= INT64_MAX ? put(static_cast<int64_t>(value)) : put(value);
    }
    bool number_float(double value, const std::string&) override { return put(value); }
    bool string(std::string& value) override { return put(std::move(value)); }
    bool binary(binary_t&) override { return false; }
    bool start_object(size_t) override { return open(Json::object()); }
    bool start_array(size_t) override { return open(Json::array()); }
    bool end_object() override { return close(); }
    bool end_array() override { return close(); }

    bool key(std::string& name) override {
        Level& level = levels_.back();
        level.key = std::move(name);
        if (level.value->contains(level.key)) report_duplicate();
        return true;
    }

    bool parse_error(size_t position, const std::string&,
                     const nlohmann::detail::exception&) override {
        error_position = position;
        return false;
    }

private:
    struct Level {
        Json* value;
        std::string key;
    };

    template <class T>
    bool put(T&& value) {
        place() = std::forward<T>(value);
        return true;
    }

    /// Where the next value goes. Pointers to open containers stay valid: while one is open,
    /// nothing is added to those around it.
    Json& place() {
        if (levels_.empty()) return out_.value;
        Level& level = levels_.back();
        if (level.value->is_object()) return (*level.value)[level.key];
        level.value->push_back(nullptr);
        return level.value->back();
    }

    bool open(Json empty) {
        if (levels_.size() >= kMostLevels) {
            too_deep = true;
            return false;
        }
        Json& at = place();
        at = std::move(empty);
        levels_.push_back({&at, ""});
        return true;
    }

    bool close() {
        levels_.pop_back();
        return true;
    }

    void report_duplicate() {
        if (out_.duplicates.size() >= kMostDuplicates) return;
        std::string path;
        for (const Level& level : levels_) {
            if (level.value->is_array())
                path += cat('[', level.value->size() - 1, ']');
            else
                path += cat(path.empty() ? "" : ".", level.key);
        }
        std::string text = cat("duplicate field \"", path, '"');
        auto& known = out_.duplicates;
        if (std::find(known.begin(), known.end(), text) == known.end())
            known.push_back(std::move(text));
    }

    JsonText& out_;
    std::vector<Level> levels_;
};

Error syntax_error(std::string_view text, size_t position) {
    // nlohmann counts the bytes that it has read, the offending one included.
    if (position == 0 || position > text.size() || trim(text).empty())
        return Error(Errc::kInvalid, "unexpected end of JSON input");
    const std::string_view before = text.substr(0, position - 1);
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0.
    return Error(
        Errc::kInvalid,
        cat("invalid character ",
            Json(text.substr(position - 1, 1)).dump(-1, ' ', true, Json::error_handler_t::replace),
            " at line ", line, ", column ", position - line_start));
}

}  // namespace

Result<JsonText> parse_json_strict(std::string_view text) {
    if (text.size() > kMostBytes)
        return Error(Errc::kInvalid, cat("JSON is larger than ", kMostBytes, " bytes"));
    JsonText out;
    Builder builder(out);
    if (Json::sax_parse(text.begin(), text.end(), &builder)) return out;
    if (builder.too_deep)
        return Error(Errc::kInvalid, cat("JSON nests deeper than ", kMostLevels, " levels"));
    return syntax_error(text, builder.error_position);
}

}  // namespace kin
