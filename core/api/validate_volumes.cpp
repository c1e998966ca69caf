#include <set>

#include "core/api/quantity.h"
#include "core/api/validate.h"
#include "core/base/strings.h"

namespace kin {

namespace {

const std::vector<std::string> kHostPathTypes = {
    "",     "BlockDevice",  "CharDevice", "Directory", "DirectoryOrCreate",
    "File", "FileOrCreate", "Socket"};
const std::vector<std::string> kFileFields = {"metadata.annotations", "metadata.labels",
                                              "metadata.name", "metadata.namespace",
                                              "metadata.uid"};

void validate_mode(const Json& source, const char* key, const FieldPath& path, Findings& out) {
    const Json* mode = find(source, key);
    if (mode && (mode->get<int64_t>() < 0 || mode->get<int64_t>() > 0777))
        out.invalid(path.child(key), *mode,
                    "must be a number between 0 and 0777 (octal), both inclusive");
}

void validate_no_parent(const std::string& text, const FieldPath& path, Findings& out) {
    for (const std::string_view step : split(text, '/'))
        if (step == "..") return out.invalid(path, text, "must not contain '..'");
}

/// The place of a file below its volume.
void validate_file_path(const Json& item, const FieldPath& path, Findings& out) {
    const std::string text = string_at(item, {"path"});
    const FieldPath at = path.child("path");
    if (text.empty()) return out.required(at);
    if (text.starts_with('/')) out.invalid(at, text, "must be a relative path");
    validate_no_parent(text, at, out);
    if (text.starts_with("..") && text != ".." && !text.starts_with("../"))
        out.invalid(at, text, "must not start with '..'");
}

void validate_items(const Json& source, const FieldPath& path, Findings& out) {
    each(source, "items", path, [&](const Json& item, const FieldPath& at) {
        if (string_at(item, {"key"}).empty()) out.required(at.child("key"));
        validate_file_path(item, at, out);
        validate_mode(item, "mode", at, out);
    });
}

void validate_downward_files(const Json& source, const FieldPath& path, Findings& out) {
    each(source, "items", path, [&](const Json& item, const FieldPath& at) {
        validate_file_path(item, at, out);
        validate_mode(item, "mode", at, out);
        const Json* field = find(item, "fieldRef");
        const Json* resource = find(item, "resourceFieldRef");
        if (field) validate_field_ref(*field, kFileFields, at.child("fieldRef"), out);
        if (field && resource)
            out.invalid(at, "resource",
                        "fieldRef and resourceFieldRef can not be specified "
                        "simultaneously");
        if (!field && resource)
            validate_resource_field_ref(*resource, true, at.child("resourceFieldRef"), out);
        if (!field && !resource)
            out.required(at, "one of fieldRef and resourceFieldRef is required");
    });
}

void validate_token(const Json& token, const FieldPath& path, Findings& out) {
    const int64_t seconds = int_at(token, {"expirationSeconds"});
    if (seconds < 600)
        out.invalid(path.child("expirationSeconds"), seconds,
                    "may not specify a duration less than 10 minutes");
    if (seconds > int64_t{1} << 32)
        out.invalid(path.child("expirationSeconds"), seconds,
                    "may not specify a duration larger than 2^32 seconds");
}

/// Adds the paths of `items` to `all`; complains about those that are there already.
void validate_distinct(const Json& items, std::set<std::string>& all, const FieldPath& path,
                       Findings& out) {
    for (const Json& item : items) {
        const std::string text = string_at(item, {"path"});
        if (!text.empty() && !all.insert(text).second)
            out.invalid(path, text, "conflicting duplicate paths");
    }
}

void validate_projected(const Json& source, const FieldPath& path, Findings& out) {
    validate_mode(source, "defaultMode", path, out);
    std::set<std::string> paths;
    each(source, "sources", path, [&](const Json& part, const FieldPath& at) {
        size_t count = 0;
        for (const auto& [key, value] : part.items()) {
            const FieldPath here = at.child(key);
            if (++count > 1)
                out.forbidden(here, "may not specify more than 1 volume type per source");
            if (key == "secret" || key == "configMap") {
                if (string_at(value, {"name"}).empty()) out.required(here.child("name"));
                validate_items(value, here, out);
            }
            if (key == "downwardAPI") validate_downward_files(value, here, out);
            if (key == "serviceAccountToken") {
                validate_token(value, here, out);
                // Upstream names the volume's path here, not the token's.
                if (string_at(value, {"path"}).empty()) out.required(path.child("path"));
            }
            validate_distinct(array_at(value, {"items"}), paths, path, out);
            if (value.contains("path")) validate_distinct(Json::array({value}), paths, path, out);
        }
    });
}

void validate_host_path(const Json& source, const FieldPath& path, Findings& out) {
    const std::string text = string_at(source, {"path"});
    if (text.empty()) {
        out.required(path.child("path"));
    } else {
        validate_no_parent(text, path.child("path"), out);
    }
    out.check_one_of(path.child("type"), string_at(source, {"type"}), kHostPathTypes);
}

void validate_source(const std::string& type, const Json& source, const FieldPath& path,
                     Findings& out) {
    const auto needs = [&](const char* key) {
        if (string_at(source, {key}).empty()) out.required(path.child(key));
    };
    if (type == "hostPath") return validate_host_path(source, path, out);
    if (type == "projected") return validate_projected(source, path, out);
    if (type == "emptyDir") {
        const auto limit = Quantity::parse(string_at(source, {"sizeLimit"}, "0"));
        if (limit && limit->is_negative())
            out.forbidden(path.child("sizeLimit"),
                          "SizeLimit field must be a valid resource "
                          "quantity");
    } else if (type == "secret" || type == "configMap") {
        needs(type == "secret" ? "secretName" : "name");
        validate_mode(source, "defaultMode", path, out);
        validate_items(source, path, out);
    } else if (type == "downwardAPI") {
        validate_mode(source, "defaultMode", path, out);
        validate_downward_files(source, path, out);
    } else if (type == "persistentVolumeClaim") {
        needs("claimName");
    } else if (type == "nfs") {
        needs("server");
        needs("path");
        const std::string text = string_at(source, {"path"});
        if (!text.empty() && !text.starts_with('/'))
            out.invalid(path.child("path"), text, "must be an absolute path");
    } else if (type == "csi") {
        needs("driver");
    } else if (type == "ephemeral") {
        if (!source.contains("volumeClaimTemplate"))
            out.required(path.child("volumeClaimTemplate"));
    }
}

}  // namespace

void validate_volumes(const Json& spec, const FieldPath& path, Findings& out) {
    std::set<std::string> names;
    each(spec, "volumes", path, [&](const Json& volume, const FieldPath& at) {
        size_t count = 0;
        for (const auto& [key, source] : volume.items()) {
            if (key == "name") continue;
            if (++count > 1) {
                out.forbidden(at.child(key), "may not specify more than 1 volume type");
            } else {
                validate_source(key, source, at.child(key), out);
            }
        }
        if (count == 0) out.required(at, "must specify a volume type");
        const std::string name = string_at(volume, {"name"});
        if (name.empty()) {
            out.required(at.child("name"));
        } else {
            out.invalid(at.child("name"), name, check_dns1123_label(name));
        }
        if (!names.insert(name).second) out.duplicate(at.child("name"), name);
    });
}

}  // namespace kin
