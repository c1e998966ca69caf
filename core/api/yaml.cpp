#include "core/api/yaml.h"

#include <yaml.h>

#include <cmath>
#include <deque>
#include <set>
#include <unordered_map>

#include "core/api/json_text.h"
#include "core/api/yaml_scalar.h"
#include "core/base/strings.h"

namespace kin {
namespace {

constexpr size_t kMostBytes = 3 << 20;
constexpr int kMostLevels = 100;
constexpr size_t kMostNodes = 500'000;
constexpr size_t kMostAliasNodes = 100'000;
constexpr size_t kMostAliasBytes = 16 << 20;

struct Place {
    size_t line = 0, column = 0;  ///< From 0, as libyaml counts.
};

Error error_at(Place place, std::string_view what) {
    return Error(Errc::kInvalid,
                 cat("yaml: line ", place.line + 1, ", column ", place.column + 1, ": ", what));
}

struct Node {
    enum class Kind { kScalar, kSequence, kMapping };
    Kind kind = Kind::kScalar;
    Place place;
    bool open = false;    ///< Its end has not been read: an alias to it would be a cycle.
    bool quoted = false;  ///< Neither plain nor tagged: a string whatever it looks like.
    std::string tag;
    std::string text;
    std::vector<std::pair<const Node*, bool>> children;  ///< and whether through an alias
};

/// The events of libyaml, and the current one's memory.
class Events {
public:
    explicit Events(std::string_view text) {
        KIN_ASSERT(yaml_parser_initialize(&parser_));
        yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                     text.size());
    }
    ~Events() {
        yaml_event_delete(&event_);
        yaml_parser_delete(&parser_);
    }
    Events(const Events&) = delete;
    Events& operator=(const Events&) = delete;

    Result<> next() {
        yaml_event_delete(&event_);
        if (yaml_parser_parse(&parser_, &event_)) return Ok{};
        event_ = {};
        const std::string problem = parser_.problem ? parser_.problem : "out of memory";
        // The reader stands in front of the text and knows no lines, only an offset.
        if (parser_.error == YAML_READER_ERROR)
            return Error(Errc::kInvalid, cat("yaml: ", problem, " at byte ",
                                             static_cast<uint64_t>(parser_.problem_offset)));
        return error_at({parser_.problem_mark.line, parser_.problem_mark.column}, problem);
    }
    const yaml_event_t& event() const { return event_; }
    Place place() const { return {event_.start_mark.line, event_.start_mark.column}; }

private:
    yaml_parser_t parser_{};
    yaml_event_t event_{};
};

std::string string_of(const yaml_char_t* text) {
    return text ? reinterpret_cast<const char*>(text) : "";
}

/// Builds the nodes of one document after the other.
class Composer {
public:
    explicit Composer(Events& events) : events_(events) {}

    /// The current document's root; the current event is its first.
    Result<const Node*> document() {
        anchors_.clear();
        TRY_ASSIGN(const auto root, node(0));
        return root.first;
    }

private:
    using Child = std::pair<const Node*, bool>;

    Result<Child> node(int level) {
        const yaml_event_t& event = events_.event();
        if (event.type == YAML_ALIAS_EVENT) return alias(string_of(event.data.alias.anchor));
        if (level > kMostLevels)
            return error_at(events_.place(), cat("nests deeper than ", kMostLevels, " levels"));
        if (nodes_.size() >= kMostNodes)
            return error_at(events_.place(), cat("more than ", kMostNodes, " values"));
        Node& made = nodes_.emplace_back();
        made.place = events_.place();
        if (event.type == YAML_SCALAR_EVENT) {
            const auto& scalar = event.data.scalar;
            made.text.assign(reinterpret_cast<const char*>(scalar.value), scalar.length);
            made.tag = string_of(scalar.tag);
            made.quoted = !scalar.tag && !scalar.plain_implicit;
            name(scalar.anchor, made);
            return Child(&made, false);
        }
        const bool mapping = event.type == YAML_MAPPING_START_EVENT;
        made.kind = mapping ? Node::Kind::kMapping : Node::Kind::kSequence;
        name(mapping ? event.data.mapping_start.anchor : event.data.sequence_start.anchor, made);
        made.open = true;
        const auto end = mapping ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT;
        while (true) {
            TRY(events_.next());
            if (events_.event().type == end) break;
            TRY_ASSIGN(const Child child, node(level + 1));
            made.children.push_back(child);
        }
        made.open = false;
        return Child(&made, false);
    }

    Result<Child> alias(const std::string& anchor) {
        const auto found = anchors_.find(anchor);
        if (found == anchors_.end())
            return error_at(events_.place(), cat("unknown anchor '", anchor, "' referenced"));
        if (found->second->open)
            return error_at(events_.place(), cat("anchor '", anchor, "' value contains itself"));
        return Child(found->second, true);
    }

    void name(const yaml_char_t* anchor, const Node& made) {
        if (anchor) anchors_[string_of(anchor)] = &made;
    }

    Events& events_;
    std::deque<Node> nodes_;  ///< Addresses stay.
    std::unordered_map<std::string, const Node*> anchors_;
};

/// Turns nodes into JSON: resolves scalars, expands aliases, merges "<<".
class Converter {
public:
    explicit Converter(YamlDocument& document) : document_(document) {}

    Result<Json> convert(const Node& node, int level) {
        if (level > kMostLevels)
            return error_at(node.place, cat("nests deeper than ", kMostLevels, " levels"));
        TRY(charge(node));
        if (node.kind == Node::Kind::kScalar) return scalar(node);
        if (node.kind == Node::Kind::kMapping) return mapping(node, level);
        Json list = Json::array();
        for (const auto& [child, aliased] : node.children) {
            TRY_ASSIGN(Json value, convert_child(*child, aliased, level));
            list.push_back(std::move(value));
        }
        return list;
    }

private:
    Result<Json> convert_child(const Node& child, bool aliased, int level) {
        in_alias_ += aliased;
        auto value = convert(child, level + 1);
        in_alias_ -= aliased;
        return value;
    }

    /// Pays for what an alias repeats; without aliases the text's own size is the limit.
    Result<> charge(const Node& node) {
        if (in_alias_ == 0) return Ok{};
        alias_bytes_ += node.text.size();
        if (++alias_nodes_ > kMostAliasNodes || alias_bytes_ > kMostAliasBytes)
            return error_at(node.place, "document contains excessive aliasing");
        return Ok{};
    }

    Result<YamlScalar> resolve(const Node& node) {
        if (node.quoted) return YamlScalar{YamlType::kString, node.text};
        if (node.tag.empty()) return resolve_plain(node.text);
        auto resolved = resolve_tagged(node.tag, node.text);
        if (!resolved) return error_at(node.place, resolved.error().text());
        return resolved;
    }

    Result<Json> scalar(const Node& node) {
        TRY_ASSIGN(YamlScalar resolved, resolve(node));
        if (resolved.value.is_number_float() &&
            !std::isfinite(resolved.value.get_ref<const double&>()))
            return error_at(node.place, cat("unsupported value: ", node.text));
        return std::move(resolved.value);
    }

    /// JSON's keys are strings: numbers and truths become their texts.
    Result<std::string> key_of(const Node& node) {
        if (node.kind != Node::Kind::kScalar)
            return error_at(node.place, "invalid map key: a list or a map");
        TRY_ASSIGN(const YamlScalar resolved, resolve(node));
        if (resolved.type == YamlType::kNull) return error_at(node.place, "a map key is null");
        if (resolved.value.is_string()) return resolved.value.get<std::string>();
        if (resolved.value.is_number_float())
            return go_float32(resolved.value.get_ref<const double&>());
        return resolved.value.dump();
    }

    static bool is_merge(const Node& key) {
        return key.kind == Node::Kind::kScalar && key.text == "<<" && !key.quoted &&
               (key.tag.empty() || key.tag == "tag:yaml.org,2002:merge");
    }

    Result<Json> mapping(const Node& node, int level) {
        Json object = Json::object();
        std::set<std::string> own;
        for (size_t i = 0; i + 1 < node.children.size(); i += 2) {
            const Node& key_node = *node.children[i].first;
            const auto& [child, aliased] = node.children[i + 1];
            if (is_merge(key_node)) {
                TRY(merge(object, *child, aliased, level));
                continue;
            }
            TRY(charge(key_node));
            TRY_ASSIGN(std::string key, key_of(key_node));
            if (!own.insert(key).second && in_alias_ == 0)
                document_.duplicates.push_back(cat("line ", key_node.place.line + 1, ": key ",
                                                   Json(key).dump(), " already set in map"));
            TRY_ASSIGN(Json value, convert_child(*child, aliased, level));
            object[std::move(key)] = std::move(value);
        }
        return object;
    }

    /// What is merged counts as written here, so it also replaces earlier keys (go-yaml's way).
    Result<> merge(Json& object, const Node& from, bool aliased, int level) {
        TRY_ASSIGN(Json value, convert_child(from, aliased, level));
        if (value.is_object()) value = Json::array({std::move(value)});
        if (!value.is_array()) return not_mergeable(from);
        // Earlier maps of a list win over later ones.
        for (auto map = value.rbegin(); map != value.rend(); ++map) {
            if (!map->is_object()) return not_mergeable(from);
            object.update(*map);
        }
        return Ok{};
    }
    static Error not_mergeable(const Node& from) {
        return error_at(from.place, "map merge requires map or sequence of maps as the value");
    }

    YamlDocument& document_;
    int in_alias_ = 0;
    size_t alias_nodes_ = 0;
    size_t alias_bytes_ = 0;
};

Result<std::vector<YamlDocument>> read_events(std::string_view text) {
    std::vector<YamlDocument> documents;
    Events events(text);
    Composer composer(events);
    while (true) {
        TRY(events.next());
        if (events.event().type == YAML_STREAM_END_EVENT) return documents;
        if (events.event().type != YAML_DOCUMENT_START_EVENT) continue;
        TRY(events.next());
        YamlDocument document;
        document.line = static_cast<int>(events.place().line) + 1;
        TRY_ASSIGN(const Node* root, composer.document());
        TRY_ASSIGN(document.value, Converter(document).convert(*root, 0));
        if (!document.value.is_null()) documents.push_back(std::move(document));
    }
}

}  // namespace

Result<std::vector<YamlDocument>> read_yaml(std::string_view text) {
    if (text.size() > kMostBytes)
        return Error(Errc::kInvalid, cat("yaml: the text is larger than ", kMostBytes, " bytes"));
    // JSON proper is read as such: it is faster, and libyaml refuses its tabs.
    const std::string_view trimmed = trim(text);
    if (trimmed.starts_with('{') && trimmed.ends_with('}')) {
        auto json = parse_json_strict(text);
        if (json) {
            std::vector<YamlDocument> documents(1);
            documents[0] = {std::move(json->value), 1, std::move(json->duplicates)};
            return documents;
        }
    }
    return read_events(text);
}

Result<std::vector<Json>> parse_yaml_documents(std::string_view text) {
    TRY_ASSIGN(auto documents, read_yaml(text));
    std::vector<Json> values;
    for (YamlDocument& document : documents) values.push_back(std::move(document.value));
    return values;
}

Result<Json> parse_yaml(std::string_view text) {
    TRY_ASSIGN(auto documents, parse_yaml_documents(text));
    if (documents.empty()) return Json(nullptr);
    if (documents.size() > 1)
        return Error(Errc::kInvalid,
                     cat("yaml: ", documents.size(), " documents where one is expected"));
    return std::move(documents[0]);
}

}  // namespace kin
