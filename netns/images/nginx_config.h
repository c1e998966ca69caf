#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "netns/images/http.h"

/// nginx's configuration, as far as lessons write it. All pure; files come through a function.
namespace kin::images::nginx {

/// "server_name a b;" or "location / { ... }".
struct Directive {
    std::string name;
    std::vector<std::string> args;
    std::vector<Directive> block;
    bool has_block = false;
    std::string where;  ///< "/etc/nginx/conf.d/default.conf:3"
};
/// kInvalid, in nginx's words with file and line, for what is no configuration.
Result<std::vector<Directive>> parse_directives(std::string_view text, const std::string& file);

struct Listen {
    uint16_t port = 80;
    bool tls = false;
    bool is_default = false;
};

/// What a server or a location says; a location begins with what its server says.
struct Rules {
    std::string root = "/etc/nginx/html";
    std::vector<std::string> index{"index.html"};
    std::vector<std::string> try_files;
    std::string default_type;
    std::string proxy_pass;
    std::string proxy_where;  ///< File and line of it.
    HttpHeaders proxy_headers;
    HttpHeaders added_headers;
    std::map<int, std::string> error_pages;
    int return_status = 0;  ///< 0: no `return`.
    std::string return_text;
};

struct Location {
    enum class Match { kPrefix, kExact, kFirmPrefix, kRegex, kRegexAnyCase, kNamed };
    Match match = Match::kPrefix;
    std::string path;
    std::string alias;  ///< Replaces the path's beginning instead of being put before it.
    Rules rules;
};

struct Server {
    std::vector<Listen> listens;
    std::vector<std::string> names;
    std::string certificate, certificate_key;
    Rules rules;
    std::vector<Location> locations;
};

struct Config {
    std::vector<Server> servers;
    /// The servers of an `upstream` block, as host:port.
    std::map<std::string, std::vector<std::string>> upstreams;
    std::vector<std::string> ignored;  ///< Names of directives without effect here, each once.
};

/// Gives the files of a pattern ("/etc/nginx/conf.d/*.conf"), with their content, in their order.
using Files =
    std::function<std::vector<std::pair<std::string, std::string>>(const std::string& pattern)>;

/// Reads the file and what it includes. Errors in nginx's words.
Result<Config> read_config(const std::string& file, const Files& files);

/// The server for a port and a Host header; nullptr if none listens there.
const Server* server_for(const Config& config, uint16_t port, std::string_view host);
/// The location for a decoded path; nullptr if none matches.
const Location* location_for(const Server& server, const std::string& path);
/// "@name"; nullptr if there is none.
const Location* named_location(const Server& server, std::string_view name);

/// "$scheme://$host$request_uri" with the values of a request. Unknown variables are empty.
std::string expand(std::string_view text, const HttpRequest& request, const Server& server);

}  // namespace kin::images::nginx
