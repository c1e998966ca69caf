#include "tests/core/registry/oracle.h"

#include <fstream>
#include <regex>
#include <set>

#include "tests/support/golden.h"

namespace kin::test {

namespace {

/// Puts values where the recording has placeholders for what the server chose.
std::string filled_in(std::string text) {
    static const std::regex kNodePort("\"<nodePort:(\\d)>\""), kClusterIp("<clusterIP:(\\d)>");
    const std::string time = "<time>";
    for (size_t at = text.find(time); at != std::string::npos; at = text.find(time, at))
        text.replace(at, time.size(), "2026-01-01T00:00:00Z");
    text = std::regex_replace(text, kNodePort, "3100$1");
    return std::regex_replace(text, kClusterIp, "10.96.7.$1");
}

}  // namespace

std::vector<Json> oracle_cases(const std::string& name) {
    std::vector<Json> out;
    std::ifstream file(shared_folder() + "/oracle/" + name);
    for (std::string line; std::getline(file, line);) out.push_back(Json::parse(filled_in(line)));
    return out;
}

void forget_server_made(Json& json) {
    if (json.is_array())
        for (Json& element : json) forget_server_made(element);
    if (!json.is_object()) return;
    auto& members = json.get_ref<Json::object_t&>();
    std::erase_if(members, [](const auto& member) { return member.second.is_null(); });
    for (auto& [key, value] : members) forget_server_made(value);
    const auto metadata = json.find("metadata");
    if (metadata == json.end() || !metadata->is_object()) return;
    for (const char* key :
         {"generation", "resourceVersion", "managedFields", "uid", "creationTimestamp", "selfLink"})
        metadata->erase(key);
}

void forget_newer_defaults(Json& actual, const Json& expected) {
    static const std::set<std::string> kNewer = {
        "allocateLoadBalancerNodePorts", "clusterIPs", "completionMode",
        "internalTrafficPolicy",         "ipFamilies", "ipFamilyPolicy",
        "kubernetes.io/metadata.name",   "maxSurge",   "persistentVolumeClaimRetentionPolicy",
        "podReplacementPolicy",          "suspend"};
    if (actual.is_array() && expected.is_array())
        for (size_t i = 0; i < actual.size() && i < expected.size(); ++i)
            forget_newer_defaults(actual[i], expected[i]);
    if (!actual.is_object() || !expected.is_object()) return;
    auto& members = actual.get_ref<Json::object_t&>();
    std::erase_if(members, [&](const auto& member) {
        return kNewer.contains(member.first) && !expected.contains(member.first);
    });
    for (auto& [key, value] : members)
        if (expected.contains(key)) forget_newer_defaults(value, expected[key]);
}

std::string difference(const Json& actual, const Json& expected) {
    return actual == expected ? "" : Json::diff(actual, expected).dump();
}

}  // namespace kin::test
