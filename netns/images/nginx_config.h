#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "netns/images/http.h"

/// The part of nginx's configuration that tutorials use: servers with listen and server_name,
/// certificates, locations (by prefix and exact) with return, root, alias, add_header and
/// default_type, and variables in texts. Pure.
namespace kin::images {

struct NginxLocation {
    std::string path = "/";
    bool exact = false;  ///< "= /path"
    int code = 0;        ///< of `return`; 0: files are served
    std::string text;    ///< what `return` says, or where it leads; with variables
    std::string root, alias;
    std::string default_type;
    std::vector<std::pair<std::string, std::string>> headers;  ///< of add_header
};

struct NginxServer {
    std::vector<uint16_t> ports, tls_ports;
    std::string certificate, key;  ///< files, for TLS
    std::vector<std::string> names;
    NginxLocation base;  ///< What stands in the server itself; locations start from it.
    std::vector<NginxLocation> locations;
};

struct NginxConfig {
    std::vector<NginxServer> servers;
    std::vector<std::string> warnings;  ///< what is not acted on: "proxy_pass ... in FILE:LINE"

    std::vector<uint16_t> ports() const;  ///< without those of TLS
    /// The server whose certificate a port of TLS shows: the first there. By port.
    std::map<uint16_t, const NginxServer*> tls_ports() const;
    /// Adds the servers of one file. kInvalid, in nginx's words and with the line: it would not
    /// start with this file.
    Result<> add_file(const std::string& name, std::string_view text);
    /// Whom a request means: of those that listen on its port the one of its Host, else the first.
    /// nullptr if there is none.
    const NginxServer* server_of(const HttpRequest& request) const;
};

/// What is served where nothing is said.
NginxConfig default_nginx_config(uint16_t port);

/// Where a request of this path goes: exact, else the longest prefix, else the server itself.
const NginxLocation& location_of(const NginxServer& server, std::string_view path);

/// "$remote_addr\n" -> the client's address. A variable that is not known is empty.
std::string expand_nginx(std::string_view text, const HttpRequest& request);

/// The answer to a request; `file` gives that of a path below a root.
using NginxFiles = std::function<HttpResponse(const std::string& root, const HttpRequest& request)>;
HttpResponse nginx_answer(const NginxConfig& config, const HttpRequest& request,
                          const NginxFiles& file);

}  // namespace kin::images
