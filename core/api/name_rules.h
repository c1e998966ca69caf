#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kin {

/// What is wrong with a text, in the words that API clients know; empty: nothing. Prefixed or
/// joined to "Invalid value" messages by the caller.
using Complaints = std::vector<std::string>;

/// Lower case letters, digits and '-', at most 63: names of namespaces, containers, volumes.
Complaints check_dns1123_label(std::string_view text);
/// Labels joined by dots, at most 253: names of most objects.
Complaints check_dns1123_subdomain(std::string_view text);
/// A DNS label that begins with a letter: names of Services.
Complaints check_dns1035_label(std::string_view text);
/// "*.example.com".
Complaints check_wildcard_subdomain(std::string_view text);
/// "example.com/Name" or "Name": keys of labels and annotations.
Complaints check_qualified_name(std::string_view text);
Complaints check_label_value(std::string_view text);
/// The name of a container's port: at most 15, with a letter, without "--".
Complaints check_port_name(std::string_view text);
/// A key of a ConfigMap or Secret, which becomes a file name.
Complaints check_config_key(std::string_view text);
/// Nearly anything printable except '='.
Complaints check_environment_name(std::string_view text);
Complaints check_http_header_name(std::string_view text);
/// Names that are path segments only: roles, finalizers.
Complaints check_path_segment(std::string_view text);
/// "example.com/path": the controller of an IngressClass.
Complaints check_domain_prefixed_path(std::string_view text);
/// "10%".
Complaints check_percent(std::string_view text);
Complaints check_port_number(long long port);

/// "123e4567-e89b-42d3-a456-426614174000", in lower case: every object's uid.
bool is_uuid(std::string_view text);
bool is_ipv4(std::string_view text);
bool is_ipv6(std::string_view text);
inline bool is_ip(std::string_view text) { return is_ipv4(text) || is_ipv6(text); }
/// "10.0.0.0/8" or "2001:db8::/32"; with host bits too.
bool is_cidr(std::string_view text);

}  // namespace kin
