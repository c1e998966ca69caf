#include "apiserver/negotiate.h"

#include <map>

#include "core/base/strings.h"

namespace kin::apiserver {

namespace {
struct MediaRange {
    std::string type;
    std::map<std::string, std::string> parameters;

    std::string_view parameter(const std::string& name) const {
        const auto found = parameters.find(name);
        return found == parameters.end() ? std::string_view() : found->second;
    }
};

MediaRange parse_range(std::string_view text) {
    MediaRange range;
    const auto parts = split(text, ';');
    range.type = to_lower(trim(parts.front()));
    for (size_t i = 1; i < parts.size(); ++i) {
        const size_t equal = parts[i].find('=');
        if (equal == std::string_view::npos) continue;
        range.parameters[to_lower(trim(parts[i].substr(0, equal)))] =
            std::string(trim(parts[i].substr(equal + 1)));
    }
    return range;
}

std::optional<Form> form_of(const MediaRange& range, const Offers& offers) {
    const bool json = range.type == "application/json";
    const bool protobuf = range.type == "application/vnd.kubernetes.protobuf";
    const std::string_view as = range.parameter("as");
    if (!as.empty()) {
        // The shapes are offered in JSON only: a protobuf one is passed over.
        if (!json) return {};
        const std::string_view version = range.parameter("v");
        const bool meta =
            range.parameter("g") == "meta.k8s.io" && (version == "v1" || version == "v1beta1");
        if (as == "Table" && offers.table && meta) return Form::kTable;
        if (as.starts_with("PartialObjectMetadata") && offers.partial_metadata && meta) {
            return Form::kPartialMetadata;
        }
        if (as == "APIGroupDiscoveryList" && offers.discovery) {
            if (range.parameter("v") == "v2") return Form::kDiscoveryV2;
            if (range.parameter("v") == "v2beta1") return Form::kDiscoveryV2beta1;
        }
        return {};
    }
    if (json || range.type == "*/*" || range.type == "application/*") return Form::kJson;
    if (range.type == "application/yaml") return Form::kYaml;
    if (protobuf) return Form::kProtobuf;
    return {};
}
}  // namespace

std::optional<Form> negotiate(std::string_view accept, const Offers& offers) {
    if (trim(accept).empty()) return Form::kJson;
    bool protobuf_only = false;
    for (const std::string_view entry : split(accept, ',')) {
        const auto form = form_of(parse_range(entry), offers);
        if (form && *form != Form::kProtobuf) return form;
        protobuf_only = protobuf_only || form == Form::kProtobuf;
    }
    // Clients that ask for protobuf alone read JSON just as well: its Content-Type tells them.
    if (protobuf_only) return Form::kJson;
    return {};
}

}  // namespace kin::apiserver
