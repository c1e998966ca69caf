#include "core/api/protobuf.h"

#include <bit>
#include <chrono>
#include <optional>
#include <unordered_map>

#include "core/api/schema.h"
#include "core/base/strings.h"
#include "core/base/time.h"

namespace kin {
namespace {

constexpr std::string_view kMagic{"k8s\0", 4};
constexpr size_t kMostBytes = 3 << 20;
constexpr int kMostLevels = 100;

enum class WireType : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

/// One field as it came: a number, or bytes that stand in the body.
struct WireField {
    uint32_t number = 0;
    WireType type = WireType::kVarint;
    uint64_t value = 0;
    std::string_view bytes;
};

Error broken(std::string_view what) { return Error(Errc::kInvalid, std::string(what)); }

/// Cuts fields off the front of a message.
class WireReader {
public:
    explicit WireReader(std::string_view bytes) : rest_(bytes) {}
    bool at_end() const { return rest_.empty(); }

    Result<WireField> next() {
        TRY_ASSIGN(const uint64_t tag, varint());
        WireField field;
        if (tag >> 3 == 0 || tag >> 32 != 0) return broken("a field number is out of range");
        field.number = static_cast<uint32_t>(tag >> 3);
        field.type = static_cast<WireType>(tag & 7);
        switch (field.type) {
            case WireType::kVarint: {
                TRY_ASSIGN(field.value, varint());
                return field;
            }
            case WireType::kFixed64:
                return fixed(field, 8);
            case WireType::kFixed32:
                return fixed(field, 4);
            case WireType::kBytes: {
                TRY_ASSIGN(const uint64_t size, varint());
                if (size > rest_.size()) return broken("a field is longer than its message");
                field.bytes = rest_.substr(0, size);
                rest_.remove_prefix(size);
                return field;
            }
        }
        return broken(cat("wire type ", tag & 7, " is not in use"));
    }

    Result<uint64_t> varint() {
        uint64_t value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            if (rest_.empty()) return broken("a number is cut off");
            const auto byte = static_cast<unsigned char>(rest_.front());
            rest_.remove_prefix(1);
            value |= uint64_t{byte & 0x7fu} << shift;
            if (byte < 0x80) return value;
        }
        return broken("a number has more than 64 bits");
    }

private:
    Result<WireField> fixed(WireField field, size_t size) {
        if (rest_.size() < size) return broken("a number is cut off");
        for (size_t i = 0; i < size; ++i)
            field.value |= uint64_t{static_cast<unsigned char>(rest_[i])} << (8 * i);
        rest_.remove_prefix(size);
        return field;
    }

    std::string_view rest_;
};

bool is_utf8(std::string_view text) {
    for (size_t i = 0; i < text.size();) {
        const auto lead = static_cast<unsigned char>(text[i]);
        const size_t more = lead < 0x80   ? 0
                            : lead < 0xc2 ? 4
                            : lead < 0xe0 ? 1
                            : lead < 0xf0 ? 2
                            : lead < 0xf5 ? 3
                                          : 4;
        if (more == 4 || text.size() - i <= more) return false;
        for (size_t k = 1; k <= more; ++k)
            if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
        const auto second = more > 0 ? static_cast<unsigned char>(text[i + 1]) : 0;
        // Overlong forms, surrogates and what lies beyond U+10FFFF.
        if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
            (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f))
            return false;
        i += more + 1;
    }
    return true;
}

Result<Json> text_of(std::string_view bytes) {
    if (!is_utf8(bytes)) return broken("a text is not UTF-8");
    return Json(bytes);
}

/// The numbers and texts of a small message, by field number up to 3.
struct SmallMessage {
    uint64_t number[4] = {};
    std::string_view bytes[4];
};
Result<SmallMessage> read_small(std::string_view bytes) {
    SmallMessage out;
    for (WireReader reader(bytes); !reader.at_end();) {
        TRY_ASSIGN(const WireField field, reader.next());
        if (field.number > 3) continue;
        out.number[field.number] = field.value;
        out.bytes[field.number] = field.bytes;
    }
    return out;
}

Result<Json> time_of(std::string_view bytes, bool micro) {
    if (bytes.empty()) return Json(nullptr);
    TRY_ASSIGN(const SmallMessage time, read_small(bytes));
    const auto seconds = static_cast<int64_t>(time.number[1]);
    const auto nanos = static_cast<int32_t>(time.number[2]);
    constexpr int64_t kMostSeconds = 9'000'000'000;  // A clock of 64 bits in ns ends in 2262.
    if (seconds > kMostSeconds || seconds < -kMostSeconds || nanos < 0 || nanos > 999'999'999)
        return broken("a time is out of range");
    const WallTime when{std::chrono::seconds(seconds) + std::chrono::nanoseconds(nanos)};
    return Json(micro ? rfc3339_micro(when) : rfc3339(when));
}

/// Go's text of a duration: "1h0m0.5s".
std::string duration_text(int64_t nanoseconds) {
    if (nanoseconds == 0) return "0s";
    const bool negative = nanoseconds < 0;
    const uint64_t total =
        negative ? 0 - static_cast<uint64_t>(nanoseconds) : static_cast<uint64_t>(nanoseconds);
    const auto decimal = [](uint64_t value, uint64_t unit) {
        std::string fraction = std::to_string(unit + value % unit).substr(1);
        fraction.erase(fraction.find_last_not_of('0') + 1);
        return cat(value / unit, fraction.empty() ? "" : ".", fraction);
    };
    const char* const sign = negative ? "-" : "";
    if (total < 1'000) return cat(sign, total, "ns");
    if (total < 1'000'000) return cat(sign, decimal(total, 1'000), "\u00b5s");
    if (total < 1'000'000'000) return cat(sign, decimal(total, 1'000'000), "ms");
    constexpr uint64_t kMinute = 60'000'000'000;
    const uint64_t minutes = total / kMinute;
    std::string out = sign;
    if (minutes >= 60) out += cat(minutes / 60, 'h');
    if (minutes > 0) out += cat(minutes % 60, 'm');
    return out + decimal(total % kMinute, 1'000'000'000) + 's';
}

/// Raw JSON inside field 1.
Result<Json> raw_json(std::string_view bytes) {
    TRY_ASSIGN(const SmallMessage raw, read_small(bytes));
    if (raw.bytes[1].empty()) return Json(nullptr);
    return parse_json(raw.bytes[1]).context("JSON inside protobuf");
}

Result<Json> int_or_string(std::string_view bytes) {
    TRY_ASSIGN(const SmallMessage value, read_small(bytes));
    if (value.number[1] == 0) return Json(static_cast<int32_t>(value.number[2]));
    return text_of(value.bytes[3]);
}

WireType wire_type(FieldType type) {
    switch (type) {
        case FieldType::kInt32:
        case FieldType::kInt64:
        case FieldType::kBool:
            return WireType::kVarint;
        case FieldType::kDouble:
            return WireType::kFixed64;
        default:
            return WireType::kBytes;
    }
}

/// True if Go would leave the value out of its JSON.
bool is_left_out(const Field& field, const Json& value) {
    if (value.is_null()) return true;
    if (field.keeps_zero || field.always_written) return false;
    switch (field.type) {
        case FieldType::kIntOrString:
            // Of these only targetPort can be absent without being a pointer: there 0 is "unset".
            return field.name == "targetPort" && value == 0;
        case FieldType::kString:
        case FieldType::kBytes:
        case FieldType::kQuantity:
            return value.get_ref<const std::string&>().empty();
        case FieldType::kInt32:
        case FieldType::kInt64:
            return value == 0;
        case FieldType::kBool:
            return value == false;
        default:
            return false;
    }
}

class MessageDecoder {
public:
    /// Adds the fields in `bytes` to `out`.
    Result<> decode(const Message& type, std::string_view bytes, Json& out, int level) {
        if (level > kMostLevels) return broken(cat("nests deeper than ", kMostLevels, " levels"));
        for (WireReader reader(bytes); !reader.at_end();) {
            TRY_ASSIGN(const WireField wire, reader.next());
            for (const Field& field : type.fields) {
                if (field.number != wire.number) continue;
                TRY(decode_field(field, wire, out, level).context(field.name));
                break;
            }
        }
        return Ok{};
    }

private:
    Result<> decode_field(const Field& field, const WireField& wire, Json& out, int level) {
        if (field.inlined) {
            TRY(expect(wire, WireType::kBytes));
            return decode(*field.message, wire.bytes, out, level + 1);
        }
        if (field.shape == FieldShape::kList) return decode_element(field, wire, out, level);
        if (field.shape == FieldShape::kMap) return decode_entry(field, wire, out, level);
        if (field.type == FieldType::kMessage && !is_extra_value(field)) {
            TRY(expect(wire, WireType::kBytes));
            // A field that comes twice is merged, as protobuf has it.
            Json& at = out[field.name];
            if (at.is_null()) at = Json::object();
            return decode(*field.message, wire.bytes, at, level + 1);
        }
        TRY_ASSIGN(Json value, decode_value(field, wire, level));
        if (!is_left_out(field, value)) out[field.name] = std::move(value);
        return Ok{};
    }

    Result<> decode_element(const Field& field, const WireField& wire, Json& out, int level) {
        Json& list = out[field.name];
        if (list.is_null()) list = Json::array();
        if (wire_type(field.type) == WireType::kVarint && wire.type == WireType::kBytes) {
            for (WireReader packed(wire.bytes); !packed.at_end();) {
                TRY_ASSIGN(const uint64_t number, packed.varint());
                TRY_ASSIGN(Json value, decode_value(field, {wire.number, {}, number, {}}, level));
                list.push_back(std::move(value));
            }
            return Ok{};
        }
        TRY_ASSIGN(Json value, decode_value(field, wire, level));
        list.push_back(std::move(value));
        return Ok{};
    }

    /// An entry of a map is a message: 1 the key, 2 the value. Each may be missing.
    Result<> decode_entry(const Field& field, const WireField& wire, Json& out, int level) {
        TRY(expect(wire, WireType::kBytes));
        std::string key;
        WireField value_wire{2, wire_type(field.type), 0, {}};
        for (WireReader reader(wire.bytes); !reader.at_end();) {
            TRY_ASSIGN(const WireField part, reader.next());
            if (part.number == 1) {
                TRY_ASSIGN(const Json text, text_of(part.bytes));
                key = text.get<std::string>();
            }
            if (part.number == 2) value_wire = part;
        }
        TRY_ASSIGN(Json value, decode_value(field, value_wire, level));
        Json& map = out[field.name];
        if (map.is_null()) map = Json::object();
        map[key] = std::move(value);
        return Ok{};
    }

    Result<Json> decode_value(const Field& field, const WireField& wire, int level) {
        TRY(expect(wire, wire_type(field.type)));
        switch (field.type) {
            case FieldType::kString:
                return text_of(wire.bytes);
            case FieldType::kInt32:
                return Json(static_cast<int32_t>(wire.value));
            case FieldType::kInt64:
                return Json(static_cast<int64_t>(wire.value));
            case FieldType::kBool:
                return Json(wire.value != 0);
            case FieldType::kDouble:
                return Json(std::bit_cast<double>(wire.value));
            case FieldType::kBytes:
                return Json(base64_encode(wire.bytes));
            case FieldType::kTime:
            case FieldType::kMicroTime:
                return time_of(wire.bytes, field.type == FieldType::kMicroTime);
            case FieldType::kDuration: {
                TRY_ASSIGN(const SmallMessage value, read_small(wire.bytes));
                return Json(duration_text(static_cast<int64_t>(value.number[1])));
            }
            case FieldType::kQuantity: {
                TRY_ASSIGN(const SmallMessage value, read_small(wire.bytes));
                return text_of(value.bytes[1]);
            }
            case FieldType::kIntOrString:
                return int_or_string(wire.bytes);
            case FieldType::kFieldsV1:
            case FieldType::kRaw:
                return raw_json(wire.bytes);
            case FieldType::kMessage:
                return decode_object(field, wire, level);
        }
        return broken("a type is unknown");
    }

    Result<Json> decode_object(const Field& field, const WireField& wire, int level) {
        Json object = Json::object();
        TRY(decode(*field.message, wire.bytes, object, level + 1));
        if (!is_extra_value(field)) return object;
        // A named list of texts: a message on the wire, an array in JSON.
        return object.contains("items") ? std::move(object["items"]) : Json::array();
    }

    static bool is_extra_value(const Field& field) {
        return field.type == FieldType::kMessage && field.message->name.ends_with(".ExtraValue");
    }

    static Result<> expect(const WireField& wire, WireType type) {
        if (wire.type == type) return Ok{};
        return broken(
            cat("wire type ", static_cast<int>(wire.type), " instead of ", static_cast<int>(type)));
    }
};

struct Envelope {
    std::string api_version, kind;
    std::string_view object;
};

Result<Envelope> read_envelope(std::string_view bytes) {
    Envelope out;
    for (WireReader reader(bytes); !reader.at_end();) {
        TRY_ASSIGN(const WireField field, reader.next());
        if (field.number == 1) {
            TRY_ASSIGN(const SmallMessage type, read_small(field.bytes));
            out.api_version = type.bytes[1];
            out.kind = type.bytes[2];
        } else if (field.number == 2) {
            out.object = field.bytes;
        } else if (field.number == 3 && !field.bytes.empty()) {
            return broken("an encoded object (contentEncoding) is not supported");
        }
    }
    return out;
}

/// nullptr if the schema has no such kind.
const Message* find_message(const std::string& api_version, const std::string& kind) {
    static const auto kByType = [] {
        std::unordered_map<std::string, const Message*> out;
        for (const Message* message : Schema::builtin().messages())
            if (!message->kind.empty())
                out[cat(message->group, message->group.empty() ? "" : "/", message->version, ' ',
                        message->kind)] = message;
        return out;
    }();
    // Options are sent in the group of what they are for.
    if (kind == "DeleteOptions") return Schema::builtin().find("meta.v1.DeleteOptions");
    const auto found = kByType.find(cat(api_version, ' ', kind));
    return found == kByType.end() ? nullptr : found->second;
}

Status not_decoded(const Error& error) {
    return bad_request(cat("the body is no valid protobuf: ", error.text()));
}

}  // namespace

bool is_kubernetes_protobuf(std::string_view body) { return body.starts_with(kMagic); }

Answer<Json> decode_kubernetes_protobuf(std::string_view body) {
    if (body.size() > kMostBytes) return bad_request("the body is larger than 3 MiB");
    if (!is_kubernetes_protobuf(body))
        return bad_request("the body does not begin as Kubernetes' protobuf does");
    const auto envelope = read_envelope(body.substr(kMagic.size()));
    if (!envelope) return not_decoded(envelope.error());
    const Message* type = find_message(envelope->api_version, envelope->kind);
    if (!type)
        return bad_request(cat("no kind \"", envelope->kind, "\" of version \"",
                               envelope->api_version,
                               "\" can be read from protobuf; send it as application/json"));
    Json object = {{"apiVersion", envelope->api_version}, {"kind", envelope->kind}};
    const auto decoded = MessageDecoder().decode(*type, envelope->object, object, 0);
    if (!decoded) return not_decoded(decoded.error());
    return object;
}

}  // namespace kin
