#include <algorithm>
#include <optional>

#include "core/base/strings.h"
#include "core/registry/patch.h"

namespace kin {
namespace {

constexpr size_t kMostOperations = 10'000;
constexpr size_t kMostCopiedBytes = 3 << 20;
constexpr size_t kMostLevels = 200;

using Pointer = std::vector<std::string>;

/// All failures of operations look the same to the client, as upstream has it.
Status failed() {
    Status status;
    status.code = 422;
    status.reason = "Invalid";
    status.message = "the server rejected our request due to an error in our request";
    return status;
}

size_t levels_of(const Json& json) {
    size_t deepest = 0;
    if (json.is_structured())
        for (const Json& child : json) deepest = std::max(deepest, 1 + levels_of(child));
    return deepest;
}

/// RFC 6901: "" or /step/step with ~1 for / and ~0 for ~.
std::optional<Pointer> parse_pointer(const Json& operation, const char* name) {
    const Json* text = find(operation, name);
    if (!text || !text->is_string()) return {};
    const std::string& path = text->get_ref<const std::string&>();
    Pointer pointer;
    if (path.empty()) return pointer;
    if (path[0] != '/') return {};
    for (const std::string_view step : split(std::string_view(path).substr(1), '/')) {
        std::string& name_of_step = pointer.emplace_back();
        for (size_t i = 0; i < step.size(); ++i) {
            if (step[i] != '~') {
                name_of_step.push_back(step[i]);
                continue;
            }
            if (++i == step.size() || (step[i] != '0' && step[i] != '1')) return {};
            name_of_step.push_back(step[i] == '0' ? '~' : '/');
        }
    }
    if (pointer.size() > kMostLevels) return {};
    return pointer;
}

/// A place in a list of `size` elements; negative numbers count from the end.
std::optional<size_t> index_of(const std::string& step, size_t size) {
    const auto index = parse_number<int64_t>(step);
    if (!index) return {};
    const int64_t place = *index < 0 ? *index + static_cast<int64_t>(size) : *index;
    if (place < 0 || place >= static_cast<int64_t>(size)) return {};
    return static_cast<size_t>(place);
}

Json* child_of(Json& parent, const std::string& step) {
    if (parent.is_object()) return find(parent, step);
    if (!parent.is_array()) return nullptr;
    const auto index = index_of(step, parent.size());
    return index ? &parent[*index] : nullptr;
}

class JsonPatch {
public:
    explicit JsonPatch(Json& document) : document_(document) {}

    /// False: the operation cannot be done.
    bool apply(const Json& operation) {
        const std::string op = string_at(operation, {"op"});
        const auto path = parse_pointer(operation, "path");
        if (!path) return false;
        if (op == "remove") return remove(*path).has_value();
        if (op == "move" || op == "copy") return transfer(operation, *path, op == "move");
        const Json* value = find(operation, "value");
        if (!value) return false;
        if (op == "add") return add(*path, *value);
        if (op == "replace") return replace(*path, *value);
        return op == "test" && test(*path, *value);
    }

private:
    /// nullptr if there is none.
    Json* at(const Pointer& path, size_t steps) {
        Json* place = &document_;
        for (size_t i = 0; i < steps && place; ++i) place = child_of(*place, path[i]);
        return place;
    }

    bool add(const Pointer& path, Json value) {
        // nlohmann recurses; a patch must not build what the next reader cannot hold.
        if (path.size() + levels_of(value) > kMostLevels) return false;
        if (path.empty()) {
            document_ = std::move(value);
            return true;
        }
        Json* parent = at(path, path.size() - 1);
        if (!parent) return false;
        const std::string& last = path.back();
        if (parent->is_object()) {
            (*parent)[last] = std::move(value);
            return true;
        }
        if (!parent->is_array()) return false;
        const auto place =
            last == "-" ? std::optional(parent->size()) : index_of(last, parent->size() + 1);
        if (!place) return false;
        parent->insert(parent->begin() + static_cast<std::ptrdiff_t>(*place), std::move(value));
        return true;
    }

    bool replace(const Pointer& path, const Json& value) {
        Json* place = at(path, path.size());
        if (!place || path.size() + levels_of(value) > kMostLevels) return false;
        *place = value;
        return true;
    }

    std::optional<Json> remove(const Pointer& path) {
        if (path.empty()) return {};
        Json* parent = at(path, path.size() - 1);
        Json* place = parent ? child_of(*parent, path.back()) : nullptr;
        if (!place) return {};
        Json removed = std::move(*place);
        if (parent->is_object())
            parent->erase(path.back());
        else
            parent->erase(parent->begin() + (place - &(*parent)[0]));
        return removed;
    }

    bool transfer(const Json& operation, const Pointer& path, bool move) {
        const auto from = parse_pointer(operation, "from");
        if (!from) return false;
        if (move) {
            const bool into_itself =
                path.size() > from->size() && std::equal(from->begin(), from->end(), path.begin());
            if (into_itself) return false;
            if (path == *from) return at(*from, from->size()) != nullptr;
            auto value = remove(*from);
            return value && add(path, *std::move(value));
        }
        const Json* value = at(*from, from->size());
        if (!value) return false;
        copied_bytes_ += to_text(*value).size();
        return copied_bytes_ <= kMostCopiedBytes && add(path, *value);
    }

    bool test(const Pointer& path, const Json& value) {
        const Json* place = at(path, path.size());
        if (place) return *place == value;
        // Absent equals null, but only inside an object that is there.
        const Json* parent = path.empty() ? nullptr : at(path, path.size() - 1);
        return parent && parent->is_object() && value.is_null();
    }

    Json& document_;
    size_t copied_bytes_ = 0;
};

}  // namespace

Answer<Json> json_patch(const Json& object, const Json& patch) {
    if (!patch.is_array()) return bad_request("error decoding patch: a JSON patch is a list");
    if (patch.size() > kMostOperations) {
        Status status;
        status.code = 413;
        status.reason = "RequestEntityTooLarge";
        status.message =
            cat("Request entity too large: The allowed maximum operations in a JSON "
                "patch is ",
                kMostOperations, ", got ", patch.size());
        return status;
    }
    Json result = object;
    JsonPatch patcher(result);
    for (const Json& operation : patch) {
        if (!operation.is_object())
            return bad_request("error decoding patch: an operation is an object");
        if (!patcher.apply(operation)) return failed();
    }
    return result;
}

}  // namespace kin
