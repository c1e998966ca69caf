#pragma once

#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "core/api/schema.h"
#include "core/base/result.h"

namespace kin {

/// Turns schema text (see schema/README.md) into messages that point to each other.
class SchemaReader {
public:
    /// Fails with kInvalid, naming the line.
    static Result<Schema> read(const std::vector<std::string_view>& texts);

private:
    /// A field whose type is a message that may stand further below.
    struct Reference {
        Message* owner;
        size_t field;
        std::string_view type, section;
    };

    Result<> read_line(std::string_view line);
    Result<> read_section(std::string_view line);
    Result<> read_message(std::string_view line);
    Result<> read_field(std::string_view line);
    Result<> read_type(std::string_view type, Field& field);
    Result<> read_attribute(std::string_view attribute, Field& field);
    Result<> resolve();
    Message* find(std::string_view section, std::string_view type) const;

    std::vector<std::unique_ptr<Message>> owned_;
    std::map<std::string_view, Message*, std::less<>> by_name_;
    std::map<const Message*, bool> atomic_;
    std::vector<Reference> references_;
    std::string_view section_, group_, version_;
    Message* message_ = nullptr;
};

}  // namespace kin
