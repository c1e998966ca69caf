#include "core/api/validate.h"
#include "core/base/strings.h"

namespace kin {

namespace {

constexpr size_t kMaxBytes = 1024 * 1024;

size_t bytes_of(const Json& map) {
    size_t bytes = 0;
    for (const auto& [key, value] : map.items()) {
        const std::string_view text = value.get_ref<const std::string&>();
        bytes += text.size();
    }
    return bytes;
}

size_t decoded_bytes_of(const Json& map) {
    size_t bytes = 0;
    for (const auto& [key, value] : map.items()) {
        const std::string_view text = value.get_ref<const std::string&>();
        const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
        bytes += text.size() / 4 * 3 - padding;
    }
    return bytes;
}

void validate_keys(const Json& map, const FieldPath& path, Findings& out) {
    for (const auto& [key, value] : map.items())
        out.invalid(path.key(key), key, check_config_key(key));
}

/// Once immutable, content and the flag itself stay.
void validate_kept(const Json& object, const Json& old, std::initializer_list<const char*> keys,
                   Findings& out) {
    if (!bool_at(old, {"immutable"})) return;
    constexpr std::string_view kWhy = "field is immutable when `immutable` is set";
    if (!bool_at(object, {"immutable"})) out.forbidden(FieldPath("immutable"), kWhy);
    for (const char* key : keys)
        if (!same_value(find(object, key), find(old, key))) out.forbidden(FieldPath(key), kWhy);
}

void validate_json(const Json& secret, const char* key, Findings& out) {
    const FieldPath path = FieldPath("data");
    const Json* value = find(secret, {"data", key});
    if (!value) return out.required(path.key(key));
    const auto text = base64_decode(value->get_ref<const std::string&>());
    if (!text || !parse_json(*text))
        out.invalid(path.key(key), "<secret contents redacted>", "must be valid JSON");
}

void validate_type(const Json& secret, Findings& out) {
    const std::string type = string_at(secret, {"type"});
    const FieldPath data("data");
    const auto has = [&](const char* key) { return find(secret, {"data", key}) != nullptr; };
    if (type == "kubernetes.io/service-account-token") {
        constexpr const char* kName = "kubernetes.io/service-account.name";
        if (string_at(secret, {"metadata", "annotations", kName}).empty())
            out.required(FieldPath("metadata").child("annotations").key(kName));
    } else if (type == "kubernetes.io/dockercfg") {
        validate_json(secret, ".dockercfg", out);
    } else if (type == "kubernetes.io/dockerconfigjson") {
        validate_json(secret, ".dockerconfigjson", out);
    } else if (type == "kubernetes.io/basic-auth") {
        // One of the two is enough; upstream's paths say %s.
        if (!has("username") && !has("password"))
            for (const char* key : {"username", "password"}) out.required(data.key("%s").key(key));
    } else if (type == "kubernetes.io/ssh-auth") {
        if (string_at(secret, {"data", "ssh-privatekey"}).empty())
            out.required(data.key("%s").key("ssh-privatekey"));
    } else if (type == "kubernetes.io/tls") {
        for (const char* key : {"tls.crt", "tls.key"})
            if (!has(key)) out.required(data.key(key));
    }
}

}  // namespace

void validate_config_map(const Json& object, const Json* old, Findings& out) {
    const Json& texts = object_at(object, {"data"});
    const Json& bytes = object_at(object, {"binaryData"});
    const FieldPath data("data");
    validate_keys(texts, data, out);
    validate_keys(bytes, FieldPath("binaryData"), out);
    for (const auto& [key, value] : texts.items())
        if (bytes.contains(key))
            out.invalid(data.key(key), key, "duplicate of key present in binaryData");
    if (bytes_of(texts) + decoded_bytes_of(bytes) > kMaxBytes)
        out.too_long(FieldPath("[]"), kMaxBytes);
    if (old) validate_kept(object, *old, {"data", "binaryData"}, out);
}

void validate_secret(const Json& object, const Json* old, Findings& out) {
    const Json& data = object_at(object, {"data"});
    validate_keys(data, FieldPath("data"), out);
    if (decoded_bytes_of(data) > kMaxBytes) out.too_long(FieldPath("data"), kMaxBytes);
    validate_type(object, out);
    if (!old) return;
    out.check_immutable(FieldPath("type"), find(object, "type"), find(*old, "type"));
    validate_kept(object, *old, {"data"}, out);
}

}  // namespace kin
