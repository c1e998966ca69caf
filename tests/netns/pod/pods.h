#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/api/views.h"
#include "core/base/json.h"
#include "netns/pod/pod_spec.h"

namespace kin::netns::test {

inline Pod pod_of(std::string_view json) {
    auto parsed = parse_json(json);
    return decode<Pod>(std::make_shared<const Json>(std::move(parsed).value()));
}

/// A pod of namespace shop on node-1 with this spec (without its braces).
inline Pod pod_with(const std::string& spec) {
    return pod_of(R"({"metadata":{"name":"web-0","namespace":"shop","uid":"u-1",
        "labels":{"app":"web"},"annotations":{"note":"a \"b\""}},
        "spec":{"nodeName":"node-1",)" +
                  spec + "}}");
}

inline Service service_of(const std::string& ns, const std::string& name, const std::string& ip,
                          const std::string& ports) {
    auto parsed = parse_json(R"({"metadata":{"name":")" + name + R"(","namespace":")" + ns +
                             R"("},"spec":{"clusterIP":")" + ip + R"(","ports":)" + ports + "}}");
    return decode<Service>(std::make_shared<const Json>(std::move(parsed).value()));
}

}  // namespace kin::netns::test
