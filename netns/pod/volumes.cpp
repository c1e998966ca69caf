#include "netns/pod/volumes.h"

#include <algorithm>

#include "core/base/strings.h"

namespace kin::netns {
namespace {

using Files = std::vector<VolumeFile>;

mode_t mode_at(const Json& json, std::string_view field, mode_t otherwise) {
    return static_cast<mode_t>(int_at(json, {field}, otherwise)) & 0777;
}

struct Objects {
    std::string_view lower;   // As messages spell it: configmap "x" not found.
    std::string_view key_of;  // ... references non-existent config key: x
};
constexpr Objects kConfigMaps{"configmap", "configmap references non-existent config key"};
constexpr Objects kSecrets{"secret", "references non-existent secret key"};

/// All keys, or those that `items` names, under the paths it gives.
Result<> add_keys(const Json& source, const std::map<std::string, std::string>& data,
                  const Objects& objects, mode_t default_mode, Files& out) {
    const Json& items = array_at(source, {"items"});
    if (items.empty()) {
        for (const auto& [key, value] : data) out.push_back({key, value, default_mode});
        return Ok{};
    }
    for (const Json& item : items) {
        const std::string key = string_at(item, {"key"});
        const auto found = data.find(key);
        if (found == data.end()) {
            if (bool_at(source, {"optional"})) continue;
            return Error(Errc::kNotFound, cat(objects.key_of, ": ", key));
        }
        out.push_back(
            {string_at(item, {"path"}), found->second, mode_at(item, "mode", default_mode)});
    }
    return Ok{};
}

class FileList {
public:
    FileList(const DownwardView& view, const ConfigSource& source, const TokenSource& tokens,
             mode_t default_mode)
        : view_(view), source_(source), tokens_(tokens), default_mode_(default_mode) {}

    Result<> add_config_map(const Json& from, std::string_view name_field) {
        return add_object(from, string_at(from, {name_field}), kConfigMaps);
    }
    Result<> add_secret(const Json& from, std::string_view name_field) {
        return add_object(from, string_at(from, {name_field}), kSecrets);
    }

    Result<> add_downward(const Json& from) {
        for (const Json& item : array_at(from, {"items"})) {
            TRY_ASSIGN(std::string text, downward_text(item));
            files_.push_back(
                {string_at(item, {"path"}), std::move(text), mode_at(item, "mode", default_mode_)});
        }
        return Ok{};
    }

    Result<> add_token(const Json& from) {
        TRY_ASSIGN(std::string token, tokens_({{view_.pod.key.ns, view_.pod.service_account},
                                               view_.pod.key.name,
                                               view_.pod.uid,
                                               string_at(from, {"audience"}),
                                               int_at(from, {"expirationSeconds"}, 3600)}));
        files_.push_back({string_at(from, {"path"}), std::move(token), default_mode_});
        return Ok{};
    }

    Result<> add_projection(const Json& from) {
        if (const Json* config = find(from, "configMap")) return add_config_map(*config, "name");
        if (const Json* secret = find(from, "secret")) return add_secret(*secret, "name");
        if (const Json* downward = find(from, "downwardAPI")) return add_downward(*downward);
        if (const Json* token = find(from, "serviceAccountToken")) return add_token(*token);
        return Error(Errc::kInvalid, "kin does not know this kind of projection");
    }

    Files take() { return std::move(files_); }

private:
    Result<> add_object(const Json& from, const std::string& name, const Objects& objects) {
        const bool secret = &objects == &kSecrets;
        const ObjectKey key{view_.pod.key.ns, name};
        const Json* object = secret ? source_.secret(key) : source_.config_map(key);
        if (object) {
            return add_keys(from, secret ? secret_data(*object) : config_map_data(*object), objects,
                            default_mode_, files_);
        }
        if (bool_at(from, {"optional"})) return Ok{};
        return Error(Errc::kNotFound, cat(objects.lower, " \"", name, "\" not found"));
    }

    Result<std::string> downward_text(const Json& item) const {
        if (const Json* field = find(item, "fieldRef")) {
            return field_value(view_, string_at(*field, {"fieldPath"}));
        }
        const Json& resource = object_at(item, {"resourceFieldRef"});
        return resource_value_of(view_, string_at(resource, {"containerName"}),
                                 string_at(resource, {"resource"}),
                                 string_at(resource, {"divisor"}));
    }

    const DownwardView& view_;
    const ConfigSource& source_;
    const TokenSource& tokens_;
    const mode_t default_mode_;
    Files files_;
};

}  // namespace

Result<> check_volume(const VolumeSpec& volume) {
    constexpr std::string_view kKnown[] = {"emptyDir",    "configMap", "secret",
                                           "downwardAPI", "projected", "persistentVolumeClaim"};
    if (std::find(std::begin(kKnown), std::end(kKnown), volume.type) != std::end(kKnown)) {
        return Ok{};
    }
    if (is_node_root(volume)) return Ok{};
    if (volume.type == "hostPath") {
        return Error(Errc::kDenied,
                     "hostPath is refused: pods of a lab do not see this machine's "
                     "files; use emptyDir, configMap or secret");
    }
    return Error(Errc::kInvalid, cat("kin has no volumes of type ", volume.type));
}

bool is_node_root(const VolumeSpec& volume) {
    return volume.type == "hostPath" && string_at(volume.source, {"path"}) == "/";
}

bool shows(const VolumeSpec& volume, const ConfigObject& object) {
    const bool secret = object.kind == ConfigObject::Kind::kSecret;
    if (volume.type == "configMap" || volume.type == "secret") {
        return secret == (volume.type == "secret") &&
               string_at(volume.source, {secret ? "secretName" : "name"}) == object.name;
    }
    if (volume.type != "projected") return false;
    const Json& sources = array_at(volume.source, {"sources"});
    return std::any_of(sources.begin(), sources.end(), [&](const Json& one) {
        return string_at(one, {secret ? "secret" : "configMap", "name"}) == object.name;
    });
}

bool shows_metadata(const VolumeSpec& volume) {
    if (volume.type == "downwardAPI") return true;
    if (volume.type != "projected") return false;
    const Json& sources = array_at(volume.source, {"sources"});
    return std::any_of(sources.begin(), sources.end(),
                       [](const Json& one) { return find(one, "downwardAPI") != nullptr; });
}

Result<std::string> bound_volume(const VolumeSpec& volume, const std::string& ns,
                                 const ConfigSource& source) {
    const std::string name = string_at(volume.source, {"claimName"});
    const Json* claim = source.claim ? source.claim({ns, name}) : nullptr;
    if (!claim) {
        return Error(Errc::kNotFound, cat("persistentvolumeclaim \"", name, "\" not found"));
    }
    if (string_at(*claim, {"status", "phase"}) != "Bound") {
        return Error(Errc::kNotFound, cat("persistentvolumeclaim \"", name, "\" is not bound"));
    }
    return string_at(*claim, {"spec", "volumeName"});
}

Result<Files> volume_files(const VolumeSpec& volume, const DownwardView& view,
                           const ConfigSource& source, const TokenSource& tokens) {
    TRY(check_volume(volume));
    FileList files(view, source, tokens, mode_at(volume.source, "defaultMode", 0644));
    if (volume.type == "configMap") TRY(files.add_config_map(volume.source, "name"));
    if (volume.type == "secret") TRY(files.add_secret(volume.source, "secretName"));
    if (volume.type == "downwardAPI") TRY(files.add_downward(volume.source));
    if (volume.type == "projected") {
        for (const Json& from : array_at(volume.source, {"sources"})) {
            TRY(files.add_projection(from));
        }
    }
    return files.take();
}

}  // namespace kin::netns
