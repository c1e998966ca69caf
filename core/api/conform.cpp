#include <limits>

#include "core/api/quantity.h"
#include "core/api/validation.h"
#include "core/base/strings.h"
#include "core/base/time.h"

namespace kin {

namespace {

/// What Go's decoder calls a JSON value.
std::string go_value(const Json& value) {
    switch (value.type()) {
        case Json::value_t::string:
            return "string";
        case Json::value_t::boolean:
            return "bool";
        case Json::value_t::array:
            return "array";
        case Json::value_t::object:
            return "object";
        default:
            return "number";
    }
}

std::string go_scalar(const Field& field) {
    switch (field.type) {
        case FieldType::kInt32:
            return "int32";
        case FieldType::kInt64:
            return "int64";
        case FieldType::kBool:
            return "bool";
        case FieldType::kDouble:
            return "float64";
        case FieldType::kBytes:
            return "[]uint8";
        case FieldType::kTime:
        case FieldType::kMicroTime:
            return "v1.Time";
        case FieldType::kQuantity:
            return "resource.Quantity";
        case FieldType::kMessage:
            // "core.v1.Container" -> "v1.Container".
            return field.message->name.substr(field.message->name.find('.') + 1);
        default:
            return "string";
    }
}

std::string go_type(const Field& field) {
    switch (field.shape) {
        case FieldShape::kList:
            return cat("[]", go_scalar(field));
        case FieldShape::kMap:
            return cat("map[string]", go_scalar(field));
        case FieldShape::kOne:
            break;
    }
    return go_scalar(field);
}

bool is_zero(const Json& value) {
    switch (value.type()) {
        case Json::value_t::string:
            return value.get_ref<const std::string&>().empty();
        case Json::value_t::boolean:
            return !value.get<bool>();
        case Json::value_t::number_integer:
        case Json::value_t::number_unsigned:
        case Json::value_t::number_float:
            return value.get<double>() == 0;
        case Json::value_t::array:
        case Json::value_t::object:
            return value.empty();
        default:
            return false;
    }
}

/// What Go makes of a null inside a list or map.
Json zero_of(const Field& field) {
    switch (field.type) {
        case FieldType::kMessage:
            return Json::object();
        case FieldType::kBool:
            return false;
        case FieldType::kInt32:
        case FieldType::kInt64:
        case FieldType::kIntOrString:
            return 0;
        case FieldType::kQuantity:
            return "0";
        default:
            return "";
    }
}

/// Where Go's decoder stumbles over text that is no base64.
size_t first_bad_base64_byte(std::string_view text) {
    constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const size_t bad = text.find_first_not_of(kAlphabet);
    if (bad != std::string_view::npos && text[bad] != '=') return bad;
    return text.size() / 4 * 4;
}

constexpr size_t kMostUnknown = 100;

/// Walks an object along its schema. The first value of a wrong type ends the walk.
class Conformer {
public:
    Conformer(std::string_view version, std::string_view kind, ZeroValues zeros)
        : version_(version), kind_(kind), zeros_(zeros) {}

    Answer<Ok> message(const Message& type, Json& object) {
        const Message* const outer = std::exchange(type_, &type);
        for (auto it = object.begin(); it != object.end();) {
            const Field* field = type.find(it.key());
            steps_.push_back({it.key(), -1});
            if (!field && errors.unknown.size() < kMostUnknown)
                errors.unknown.push_back(cat("unknown field \"", strict_path(), '"'));
            if (field && !it->is_null()) TRY(this->field(*field, *it));
            steps_.pop_back();
            const bool keep = field && !it->is_null() && !is_dropped(*field, *it);
            it = keep ? std::next(it) : object.erase(it);
        }
        type_ = outer;
        return Ok{};
    }

    /// The error of a whole body that is no object.
    Status wrong_body(const Json& body) const {
        return error(cat("json: cannot unmarshal ", go_value(body), " into Go value of type ",
                         version_, '.', kind_));
    }

    StrictErrors errors;

private:
    struct Step {
        std::string_view name;  ///< of the object that is walked
        int index;              ///< -1: a field
    };

    bool is_dropped(const Field& field, const Json& value) const {
        if (zeros_ == ZeroValues::kKeep || field.keeps_zero || field.always_written) return false;
        if (field.type == FieldType::kRaw || field.type == FieldType::kFieldsV1) return false;
        if (field.shape == FieldShape::kList && field.required) return false;
        if (field.type == FieldType::kMessage && field.shape == FieldShape::kOne) return false;
        // A number as port or percentage is a value even when it is zero.
        if (field.type == FieldType::kIntOrString || field.type == FieldType::kQuantity)
            return value.is_structured() && value.empty();
        return is_zero(value);
    }

    Answer<Ok> field(const Field& field, Json& value) {
        if (field.shape == FieldShape::kOne) return one(field, value);
        if (field.shape == FieldShape::kList) return list(field, value);
        return map(field, value);
    }

    Answer<Ok> list(const Field& field, Json& value) {
        if (!value.is_array()) return mismatch(field, go_value(value), go_type(field));
        int index = 0;
        for (Json& item : value) {
            steps_.push_back({"", index++});
            if (item.is_null()) item = zero_of(field);
            TRY(one(field, item));
            steps_.pop_back();
        }
        return Ok{};
    }

    Answer<Ok> map(const Field& field, Json& value) {
        if (!value.is_object()) return mismatch(field, go_value(value), go_type(field));
        for (auto& [key, item] : value.items()) {
            if (item.is_null()) item = zero_of(field);
            TRY(one(field, item));
            // Amounts of resources are stored in one form; other quantities as they were said.
            if (field.type == FieldType::kQuantity && zeros_ == ZeroValues::kDrop)
                item = Quantity::parse(item.get_ref<const std::string&>())
                           ->rounded_to_milli()
                           .to_string();
        }
        return Ok{};
    }

    Answer<Ok> one(const Field& field, Json& value) {
        switch (field.type) {
            case FieldType::kString:
            case FieldType::kDuration:
                if (value.is_string()) return Ok{};
                break;
            case FieldType::kBool:
                if (value.is_boolean()) return Ok{};
                break;
            case FieldType::kDouble:
                if (value.is_number()) return Ok{};
                break;
            case FieldType::kInt32:
                return integer(field, value, std::numeric_limits<int32_t>::min(),
                               std::numeric_limits<int32_t>::max());
            case FieldType::kInt64:
                return integer(field, value, std::numeric_limits<int64_t>::min(),
                               std::numeric_limits<int64_t>::max());
            case FieldType::kIntOrString:
                return int_or_string(value);
            case FieldType::kBytes:
                if (value.is_string()) return bytes(value);
                break;
            case FieldType::kTime:
            case FieldType::kMicroTime:
                if (value.is_string()) return time(field, value);
                break;
            case FieldType::kQuantity:
                return quantity(value);
            case FieldType::kFieldsV1:
            case FieldType::kRaw:
                return Ok{};
            case FieldType::kMessage:
                if (value.is_object()) return message(*field.message, value);
                // A list of texts that has a message of its own only on the wire.
                if (value.is_array() && field.message->name.ends_with(".ExtraValue")) return Ok{};
                break;
        }
        return mismatch(field, go_value(value), go_scalar(field));
    }

    Answer<Ok> integer(const Field& field, const Json& value, int64_t min, int64_t max) {
        if (!value.is_number()) return mismatch(field, go_value(value), go_scalar(field));
        const bool too_large =
            value.is_number_unsigned() && value.get<uint64_t>() > static_cast<uint64_t>(max);
        if (value.is_number_integer() && !too_large && value.get<int64_t>() >= min &&
            value.get<int64_t>() <= max)
            return Ok{};
        return mismatch(field, cat("number ", value.dump()), go_scalar(field));
    }

    Answer<Ok> int_or_string(const Json& value) {
        if (value.is_string()) return Ok{};
        const bool whole = value.is_number_integer();
        constexpr int64_t kMin = std::numeric_limits<int32_t>::min();
        constexpr int64_t kMax = std::numeric_limits<int32_t>::max();
        if (whole && value.get<int64_t>() >= kMin && value.get<int64_t>() <= kMax) return Ok{};
        const std::string what = value.is_number() ? cat("number ", value.dump()) : go_value(value);
        return error(cat("json: cannot unmarshal ", what, " into Go value of type int32"));
    }

    Answer<Ok> bytes(Json& value) {
        auto& text = value.get_ref<std::string&>();
        std::erase_if(text, [](char c) { return c == '\n' || c == '\r'; });
        if (base64_decode(text)) return Ok{};
        return error(cat("illegal base64 data at input byte ", first_bad_base64_byte(text)));
    }

    Answer<Ok> time(const Field& field, Json& value) {
        const auto& text = value.get_ref<const std::string&>();
        const auto parsed = parse_rfc3339(text);
        if (!parsed)
            return error(cat("parsing time \"", text,
                             "\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"", text,
                             "\" as \"2006\""));
        value = field.type == FieldType::kTime ? rfc3339(*parsed) : rfc3339_micro(*parsed);
        return Ok{};
    }

    Answer<Ok> quantity(Json& value) {
        if (value.is_number()) value = value.dump();
        if (value.is_string() && Quantity::parse(value.get_ref<const std::string&>())) return Ok{};
        return error(
            "quantities must match the regular expression "
            "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
    }

    Status error(std::string text) const {
        return bad_request(cat(kind_, " in version \"", version_, "\" cannot be handled as a ",
                               kind_, ": ", text));
    }

    Status mismatch(const Field&, const std::string& value, const std::string& type) const {
        const std::string& name = type_->name;
        return error(cat("json: cannot unmarshal ", value, " into Go struct field ",
                         name.substr(name.rfind('.') + 1), '.', go_path(), " of type ", type));
    }

    /// "spec.containers.image"
    std::string go_path() const {
        std::string out;
        for (const Step& step : steps_)
            if (step.index < 0) out += out.empty() ? std::string(step.name) : cat('.', step.name);
        return out;
    }

    /// "spec.containers[0].image"
    std::string strict_path() const {
        std::string out;
        for (const Step& step : steps_) {
            if (step.index >= 0) {
                out += cat('[', step.index, ']');
            } else {
                out += out.empty() ? std::string(step.name) : cat('.', step.name);
            }
        }
        return out;
    }

    std::string_view version_, kind_;
    ZeroValues zeros_;
    const Message* type_ = nullptr;
    std::vector<Step> steps_;
};

}  // namespace

Answer<StrictErrors> conform(const Message& message, Json& object, ZeroValues zero_values) {
    Conformer conformer(message.version, message.kind, zero_values);
    if (!object.is_object()) return conformer.wrong_body(object);
    TRY(conformer.message(message, object));
    return std::move(conformer.errors);
}

Answer<StrictErrors> conform(const Kind& kind, Json& object, ZeroValues zero_values) {
    const Message* message = Schema::builtin().find(kind.message);
    KIN_ASSERT(message != nullptr);
    return conform(*message, object, zero_values);
}

}  // namespace kin
