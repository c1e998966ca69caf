#include "core/api/schema_reader.h"

#include <array>
#include <utility>

#include "core/base/strings.h"

namespace kin {

namespace {

constexpr std::array<std::pair<std::string_view, FieldType>, 13> kTypes = {{
    {"string", FieldType::kString},
    {"int32", FieldType::kInt32},
    {"int64", FieldType::kInt64},
    {"bool", FieldType::kBool},
    {"double", FieldType::kDouble},
    {"bytes", FieldType::kBytes},
    {"Time", FieldType::kTime},
    {"MicroTime", FieldType::kMicroTime},
    {"Duration", FieldType::kDuration},
    {"Quantity", FieldType::kQuantity},
    {"IntOrString", FieldType::kIntOrString},
    {"FieldsV1", FieldType::kFieldsV1},
    {"any", FieldType::kRaw},
}};

/// Cuts the first word off `text`.
std::string_view next_word(std::string_view& text) {
    const size_t begin = std::min(text.find_first_not_of(' '), text.size());
    const size_t end = std::min(text.find(' ', begin), text.size());
    const std::string_view word = text.substr(begin, end - begin);
    text.remove_prefix(end);
    return word;
}

/// Cuts "| description" off `line`.
std::string_view take_description(std::string_view& line) {
    const size_t bar = line.find(" | ");
    if (bar == std::string_view::npos) return {};
    const std::string_view description = line.substr(bar + 3);
    line = line.substr(0, bar);
    return description;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

std::vector<std::string> list_of(std::string_view text) {
    std::vector<std::string> items;
    for (const std::string_view item : split(text, ',')) items.emplace_back(item);
    return items;
}

}  // namespace

Result<Schema> SchemaReader::read(const std::vector<std::string_view>& texts) {
    SchemaReader reader;
    for (const std::string_view text : texts) {
        for (size_t begin = 0; begin < text.size();) {
            const size_t end = std::min(text.find('\n', begin), text.size());
            const std::string_view line = text.substr(begin, end - begin);
            TRY(reader.read_line(line).context(line));
            begin = end + 1;
        }
    }
    TRY(reader.resolve());
    Schema schema;
    schema.all_.reserve(reader.by_name_.size());
    for (const auto& [name, message] : reader.by_name_) schema.all_.push_back(message);
    schema.owned_ = std::move(reader.owned_);
    return schema;
}

Result<> SchemaReader::read_line(std::string_view line) {
    if (line.empty() || line.front() == '#') return Ok{};
    if (line.front() == '[') return read_section(line);
    if (line.front() == ' ') return read_field(line);
    return read_message(line);
}

Result<> SchemaReader::read_section(std::string_view line) {
    const size_t end = line.find(']');
    if (end == std::string_view::npos) return Error(Errc::kInvalid, "] is missing");
    std::string_view inside = line.substr(1, end - 1);
    section_ = next_word(inside);
    const std::string_view api_version = next_word(inside);
    const size_t slash = api_version.find('/');
    const bool core = slash == std::string_view::npos;
    group_ = core ? "" : api_version.substr(0, slash);
    version_ = core ? api_version : api_version.substr(slash + 1);
    return Ok{};
}

Result<> SchemaReader::read_message(std::string_view line) {
    auto message = std::make_unique<Message>();
    message->description = take_description(line);
    const std::string_view type = next_word(line);
    message->name = cat(section_, '.', type);
    bool atomic = false;
    for (std::string_view word = next_word(line); !word.empty(); word = next_word(line)) {
        if (word == "atomic") {
            atomic = true;
        } else if (word == "kind") {
            message->group = group_;
            message->version = version_;
            message->kind = type;
            for (const char* name : {"apiVersion", "kind"}) {
                Field& field = message->fields.emplace_back();
                field.name = name;
            }
        } else {
            return Error(Errc::kInvalid, cat("unknown word ", word));
        }
    }
    message_ = message.get();
    if (!by_name_.emplace(message_->name, message_).second)
        return Error(Errc::kInvalid, "this message was there before");
    atomic_[message_] = atomic;
    owned_.push_back(std::move(message));
    return Ok{};
}

Result<> SchemaReader::read_field(std::string_view line) {
    if (!message_) return Error(Errc::kInvalid, "a field without a message");
    Field& field = message_->fields.emplace_back();
    field.description = take_description(line);
    const auto number = parse_number<uint32_t>(next_word(line));
    if (!number) return Error(Errc::kInvalid, "the field number is missing");
    field.number = *number;
    std::string_view name = next_word(line);
    field.inlined = take_prefix(name, "^");
    field.name = name;
    TRY(read_type(next_word(line), field));
    for (std::string_view word = next_word(line); !word.empty(); word = next_word(line))
        TRY(read_attribute(word, field));
    return Ok{};
}

Result<> SchemaReader::read_type(std::string_view type, Field& field) {
    if (type.ends_with('*')) field.keeps_zero = true;
    if (type.ends_with('!')) field.always_written = true;
    if (field.keeps_zero || field.always_written) type.remove_suffix(1);
    if (type.starts_with('[')) field.shape = FieldShape::kList;
    if (type.starts_with('{')) field.shape = FieldShape::kMap;
    if (field.shape != FieldShape::kOne) type = type.substr(1, type.size() - 2);
    for (const auto& [name, value] : kTypes) {
        if (name != type) continue;
        field.type = value;
        return Ok{};
    }
    field.type = FieldType::kMessage;
    references_.push_back({message_, message_->fields.size() - 1, type, section_});
    return Ok{};
}

Result<> SchemaReader::read_attribute(std::string_view attribute, Field& field) {
    if (attribute == "required") {
        field.required = true;
    } else if (attribute == "atomic") {
        field.atomic_map = true;
    } else if (attribute == "retain") {
        field.patch_retain_keys = true;
    } else if (attribute == "merge") {
        field.patch_merge = true;
    } else if (take_prefix(attribute, "merge=")) {
        field.patch_merge = true;
        field.patch_merge_key = attribute;
    } else if (take_prefix(attribute, "enum=")) {
        field.allowed = list_of(attribute);
    } else if (take_prefix(attribute, "default=")) {
        field.default_json = attribute;
    } else if (attribute == "list=set") {
        field.list_type = ListType::kSet;
    } else if (take_prefix(attribute, "list=map:")) {
        field.list_type = ListType::kMap;
        field.list_keys = list_of(attribute);
    } else {
        return Error(Errc::kInvalid, cat("unknown attribute ", attribute));
    }
    return Ok{};
}

Message* SchemaReader::find(std::string_view section, std::string_view type) const {
    for (const std::string& name : {cat(section, '.', type), cat("meta.v1.", type),
                                    cat("core.v1.", type), std::string(type)}) {
        const auto found = by_name_.find(name);
        if (found != by_name_.end()) return found->second;
    }
    return nullptr;
}

Result<> SchemaReader::resolve() {
    for (const Reference& reference : references_) {
        Field& field = reference.owner->fields[reference.field];
        field.message = find(reference.section, reference.type);
        if (!field.message)
            return Error(Errc::kInvalid, cat(reference.owner->name, '.', field.name,
                                             ": there is no message ", reference.type));
        if (field.shape == FieldShape::kOne && atomic_.at(field.message)) field.atomic_map = true;
    }
    return Ok{};
}

}  // namespace kin
