#include "netns/images/images.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "core/base/strings.h"
#include "netns/images/programs.h"

namespace kin::images {
namespace {

constexpr std::string_view kPath =
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/.kin/programs";
/// The applets come first; the host's programs are there for what busybox lacks.
constexpr std::string_view kBusyboxPath =
    "PATH=/bin:/sbin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin";

constexpr std::string_view kNginxPage = R"(<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
<style>
body { max-width: 38em; margin: 3em auto; font-family: sans-serif; }
</style>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>This page comes from a pod of your lab: its web server runs and answers.
Put files into /usr/share/nginx/html to serve your own.</p>
</body>
</html>
)";
constexpr std::string_view kNginxErrorPage = R"(<!DOCTYPE html>
<html>
<head><title>Error</title></head>
<body>
<h1>An error occurred.</h1>
<p>The server could not answer this request.</p>
</body>
</html>
)";

constexpr std::string_view kNginxConfig = R"(user nginx;
worker_processes auto;

events {
    worker_connections 1024;
}

http {
    sendfile on;
    keepalive_timeout 65;
    include /etc/nginx/conf.d/*.conf;
}
)";

std::string default_server(uint16_t port) {
    return cat("server {\n    listen ", port, ";\n    server_name localhost;\n",
               "    root /usr/share/nginx/html;\n\n    location / {\n",
               "        index index.html index.htm;\n    }\n",
               "    error_page 500 502 503 504 /50x.html;\n}\n");
}

struct Parts {
    const ImageName& name;
    Image image;
};

void as_nginx(Parts& parts) {
    Image& image = parts.image;
    image.command = {"nginx", "-g", "daemon off;"};
    image.ports = {{80, false}};
    image.directories = {"/usr/share/nginx/html"};
    image.files = {{"/usr/share/nginx/html/index.html", std::string(kNginxPage)},
                   {"/usr/share/nginx/html/50x.html", std::string(kNginxErrorPage)}};
    image.files.push_back({"/etc/nginx/nginx.conf", std::string(kNginxConfig)});
    image.files.push_back({"/etc/nginx/conf.d/default.conf", default_server(80)});
    const std::string_view number =
        std::string_view(parts.name.tag).substr(0, parts.name.tag.find('-'));
    const bool exact = split(number, '.').size() == 3 && parse_number<int>(split(number, '.')[0]);
    image.env.push_back(cat("NGINX_VERSION=", exact ? number : "1.29.1"));
    image.built_in = {"nginx"};
    image.personality = "nginx";
    if (parts.name.last == "nginx-unprivileged") {
        image.ports = {{8080, false}};
        image.files.back().content = default_server(8080);
        image.uid = 101;
    }
}

void as_httpd(Parts& parts) {
    Image& image = parts.image;
    image.command = {"httpd-foreground"};
    image.ports = {{80, false}};
    image.working_directory = "/usr/local/apache2";
    image.directories = {"/usr/local/apache2"};
    image.files = {
        {"/usr/local/apache2/htdocs/index.html", "<html><body><h1>It works!</h1></body></html>\n"}};
    image.built_in = {"httpd", "httpd-foreground"};
    image.personality = "httpd";
}

/// A server that is one program, named by its entrypoint.
void as_server(Image& image, const std::string& program, const std::string& personality,
               uint16_t port) {
    image.entrypoint = {program};
    image.built_in = {program.substr(program.rfind('/') + 1)};
    image.personality = personality;
    if (port != 0) image.ports = {{port, false}};
}

void as_agnhost(Parts& parts) {
    as_server(parts.image, "/agnhost", "agnhost", 0);
    parts.image.command = {"pause"};
}

void as_tagged_server(Parts& parts, const std::string& program, const std::string& personality) {
    as_server(parts.image, program, cat(personality, " KIN_IMAGE_TAG=", parts.name.tag), 8080);
}

/// As docker-entrypoint.sh does it: arguments that are flags are the program's, others a command.
void run_what_is_asked(Image& image) {
    image.default_program = image.entrypoint[0];
    image.command = std::move(image.entrypoint);
    image.entrypoint.clear();
}

void as_redis(Parts& parts) {
    as_server(parts.image, "redis-server", "redis", 6379);
    run_what_is_asked(parts.image);
    parts.image.built_in.push_back("redis-cli");
    if (parts.name.last == "gb-redis-follower")
        parts.image.personality = "redis KIN_FOLLOW=redis-leader";
}

void as_php_guestbook(Parts& parts) {
    parts.image.command = {"apache2-foreground"};
    parts.image.ports = {{80, false}};
    parts.image.built_in = {"apache2-foreground"};
    parts.image.personality = "php-guestbook";
}

/// One program for all parts of an application; `part` is which one, `version` what it says it is.
void as_part(Image& image, std::string_view program, std::string_view part, uint16_t port,
             std::string_view version = "") {
    as_server(image, cat("/", part),
              cat(program, " KIN_APP=", part, version.empty() ? "" : " KIN_VERSION=", version),
              port);
}

/// "examples-bookinfo-reviews-v2"
void as_bookinfo(Parts& parts) {
    const auto words = split(parts.name.last, '-');
    as_part(parts.image, "bookinfo", words[2], 9080, words[3]);
}

void as_voting(Parts& parts) {
    const std::string part = parts.name.last.substr(std::string_view("examplevotingapp_").size());
    as_part(parts.image, "voting", part, part == "worker" ? 0 : 80);
}

/// What starts a database is its own name, or an entrypoint's.
void as_database(Parts& parts, const std::string& program, uint16_t port,
                 const std::string& directory) {
    Image& image = parts.image;
    as_server(image, program, cat("database KIN_APP=", image.name, " KIN_PORT=", port), port);
    run_what_is_asked(image);
    image.directories = {directory};
}

void as_coins(Parts& parts) {
    as_part(parts.image, "coins", parts.name.last, parts.name.last == "worker" ? 0 : 80);
}

void as_busybox(Parts& parts) {
    parts.image.flavour = netns::RootFlavour::kBusybox;
    parts.image.command = {"sh"};
}

void as_alpine(Parts& parts) {
    as_busybox(parts);
    parts.image.command = {"/bin/sh"};
    parts.image.files = {
        {"/etc/os-release", "NAME=\"Alpine Linux\"\nID=alpine\nPRETTY_NAME=\"Alpine Linux\"\n"}};
}

void as_curl(Parts& parts) {
    as_busybox(parts);
    parts.image.command = {"curl"};
    parts.image.default_program = "curl";
    parts.image.uid = 100;
}

using Fill = void (*)(Parts&);
struct Family {
    std::string_view name;  ///< As people know it.
    Fill fill;
    std::array<std::string_view, 8> last_parts;  ///< Of repositories, whatever the registry.
    std::string_view owner = "";  ///< What the repository begins with, for names that say little.
};

// clang-format off
constexpr std::array kFamilies{
    Family{"nginx", as_nginx, {"nginx", "nginx-slim", "nginx-unprivileged", "nginxhttps", "mytestcontainer"}},
    Family{"httpd", as_httpd, {"httpd"}},
    Family{"busybox", as_busybox, {"busybox", "mirrored-library-busybox", "busyboxplus"}},
    Family{"alpine", as_alpine, {"alpine"}},
    Family{"curlimages/curl", as_curl, {"curl"}},
    Family{"debian", [](Parts& p) { p.image.command = {"bash"}; },
           {"debian", "ubuntu", "centos", "fedora", "rockylinux", "bash"}},
    Family{"python", [](Parts& p) { p.image.command = {"python3"}; }, {"python"}},
    Family{"nicolaka/netshoot", [](Parts& p) { p.image.command = {"bash"}; },
           {"netshoot", "network-multitool"}},
    Family{"dnsutils", [](Parts& p) { p.image.command = {"sleep", "infinity"}; },
           {"dnsutils", "jessie-dnsutils", "json-mock"}},
    Family{"agnhost", as_agnhost, {"agnhost"}},
    Family{"pause", [](Parts& p) { as_server(p.image, "/pause", "pause", 0); },
           {"pause", "pause-amd64", "pause-arm64", "mirrored-pause"}},
    Family{"hashicorp/http-echo", [](Parts& p) { as_server(p.image, "/http-echo", "http-echo", 5678); },
           {"http-echo"}},
    Family{"google-samples/hello-app", [](Parts& p) { as_tagged_server(p, "./hello-app", "hello-app"); },
           {"hello-app"}},
    Family{"google-samples/kubernetes-bootcamp", [](Parts& p) { as_tagged_server(p, "/bootcamp", "bootcamp"); },
           {"kubernetes-bootcamp"}},
    Family{"traefik/whoami", [](Parts& p) { as_server(p.image, "/whoami", "whoami", 80); },
           {"whoami"}},
    Family{"echoserver", [](Parts& p) { as_server(p.image, "/echoserver", "echoserver", 8080); },
           {"echoserver"}},
    Family{"e2e-test-echo", [](Parts& p) { as_server(p.image, "/echoserver", "echoserver KIN_PORT=80", 80); },
           {"e2e-test-echo"}},
    Family{"redis", as_redis, {"redis", "gb-redis-follower", "redis-master", "redis-slave"}},
    Family{"google-samples/gb-frontend", as_php_guestbook, {"gb-frontend"}},
    Family{"mccutchen/go-httpbin", [](Parts& p) { as_server(p.image, "/bin/go-httpbin", "httpbin", 8080); },
           {"go-httpbin", "httpbin"}},
    Family{"openshiftlabs/simpleservice", [](Parts& p) { as_server(p.image, "/simpleservice", "simpleservice", 9876); },
           {"simpleservice"}},
    Family{"bmuschko/nodejs-hello-world", [](Parts& p) { as_server(p.image, "node", "hello-node", 3000); },
           {"nodejs-hello-world"}},
    Family{"dgkanatsios/simpleapp", [](Parts& p) { as_server(p.image, "/simpleapp", "simpleapp", 8080); },
           {"simpleapp"}},
    Family{"ahmet/app-on-two-ports", [](Parts& p) { as_server(p.image, "/app", "two-ports", 8000); },
           {"app-on-two-ports"}},
    Family{"dockersamples/examplevotingapp", as_voting,
           {"examplevotingapp_vote", "examplevotingapp_result", "examplevotingapp_worker"}},
    Family{"istio/examples-bookinfo", as_bookinfo,
           {"examples-bookinfo-productpage-v1", "examples-bookinfo-details-v1", "examples-bookinfo-details-v2",
            "examples-bookinfo-ratings-v1", "examples-bookinfo-reviews-v1", "examples-bookinfo-reviews-v2",
            "examples-bookinfo-reviews-v3"}},
    Family{"dockercoins", as_coins, {"rng", "hasher", "webui", "worker"}, "dockercoins/"},
    Family{"kuar-demo/kuard", [](Parts& p) { as_tagged_server(p, "/kuard", "kuard"); },
           {"kuard", "kuard-amd64", "kuard-arm64"}},
    Family{"cilium/starwars", [](Parts& p) { as_server(p.image, "/starwars", "starwars", 80); }, {"starwars"}},
    Family{"postgres", [](Parts& p) { as_database(p, "postgres", 5432, "/var/lib/postgresql/data"); }, {"postgres"}},
    Family{"mongo", [](Parts& p) { as_database(p, "mongod", 27017, "/data/db"); }, {"mongo", "mongodb"}},
    Family{"mysql", [](Parts& p) { as_database(p, "mysqld", 3306, "/var/lib/mysql"); }, {"mysql", "mariadb"}},
    Family{"istio/tcp-echo-server", [](Parts& p) { as_server(p.image, "/bin/tcp-echo", "tcp-echo", 0); },
           {"tcp-echo-server", "examples-tcp-echo-server"}},
};
// clang-format on

struct Program {
    std::string_view name;
    int (*run)(const Strings& args, const Strings& env);
};
constexpr std::array kPrograms{
    Program{"nginx", nginx_main},
    Program{"httpd", httpd_main},
    Program{"agnhost", agnhost_main},
    Program{"pause", pause_main},
    Program{"http-echo", http_echo_main},
    Program{"hello-app", hello_app_main},
    Program{"bootcamp", bootcamp_main},
    Program{"whoami", whoami_main},
    Program{"echoserver", echoserver_main},
    Program{"tcp-echo", tcp_echo_main},
    Program{"stand-in", stand_in_main},
    Program{"redis", redis_main},
    Program{"php-guestbook", php_guestbook_main},
    Program{"httpbin", httpbin_main},
    Program{"simpleservice", simple_service_main},
    Program{"hello-node", hello_node_main},
    Program{"simpleapp", simple_app_main},
    Program{"two-ports", two_ports_main},
    Program{"kuard", kuard_main},
    Program{"starwars", starwars_main},
    Program{"bookinfo", bookinfo_main},
    Program{"voting", voting_main},
    Program{"coins", coins_main},
    Program{"database", database_main},
    Program{"nc", nc_main},
};

bool is_name_part(std::string_view part) {
    return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    });
}

bool is_tag(std::string_view tag) {
    return !tag.empty() && tag.size() <= 128 && tag[0] != '.' && tag[0] != '-' &&
           std::all_of(tag.begin(), tag.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '.' || c == '_' || c == '-';
           });
}

/// Versions of nginx are 1.x.y with x far below 40; tutorials ask for 1.91 or 1.161 to show how a
/// rollout gets stuck.
bool can_exist(std::string_view last_part, std::string_view tag) {
    if (last_part != "nginx") return true;
    const auto parts = split(tag.substr(0, tag.find('-')), '.');
    const auto major = parse_number<int>(parts[0]);
    if (!major) return true;
    if (*major != 1) return false;
    return parts.size() < 2 || parse_number<int>(parts[1]).value_or(999) < 40;
}

/// Later entries take the place of earlier ones of the same name. Every Service of a namespace
/// adds seven, so there can be tens of thousands.
Strings merge_env(const Strings& env, const Strings& more) {
    Strings merged;
    std::unordered_map<std::string_view, size_t> places;
    for (const Strings* const part : {&env, &more}) {
        for (const std::string& entry : *part) {
            const std::string_view name = std::string_view(entry).substr(0, entry.find('='));
            const auto [place, is_new] = places.emplace(name, merged.size());
            if (is_new) {
                merged.push_back(entry);
            } else {
                merged[place->second] = entry;
            }
        }
    }
    return merged;
}

void choose_personality(const Image& image, netns::ProcessSpec& process) {
    if (process.argv.empty()) return;
    const std::string& program = process.argv[0];
    const std::string name = program.substr(program.rfind('/') + 1);
    if (std::find(image.built_in.begin(), image.built_in.end(), name) != image.built_in.end()) {
        process.personality = image.personality;
    }
}

}  // namespace

std::optional<ImageName> parse_image_name(std::string_view reference) {
    ImageName name;
    if (const size_t at = reference.find('@'); at != std::string_view::npos) {
        name.digest = reference.substr(at + 1);
        if (name.digest.find(':') == std::string::npos) return {};
        reference = reference.substr(0, at);
    }
    const size_t colon = reference.rfind(':');
    const size_t slash = reference.rfind('/');
    // A colon before the last slash belongs to the registry's port.
    if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash)) {
        name.tag = reference.substr(colon + 1);
        if (!is_tag(name.tag)) return {};
        reference = reference.substr(0, colon);
    } else if (name.digest.empty()) {
        name.tag = "latest";
    }
    const size_t first = reference.find('/');
    const std::string_view host = reference.substr(0, first);
    const bool has_registry =
        first != std::string_view::npos &&
        (host.find_first_of(".:") != std::string_view::npos || host == "localhost");
    name.registry = has_registry ? host : "docker.io";
    if (has_registry) reference = reference.substr(first + 1);
    for (const std::string_view part : split(reference, '/')) {
        if (!is_name_part(part)) return {};
        name.last = part;
    }
    const bool official = !has_registry && reference.find('/') == std::string_view::npos;
    name.repository = official ? cat("library/", reference) : std::string(reference);
    return name;
}

std::optional<Image> find_image(std::string_view reference) {
    const auto name = parse_image_name(reference);
    if (!name) return {};
    for (const Family& family : kFamilies) {
        const auto& parts = family.last_parts;
        if (std::find(parts.begin(), parts.end(), name->last) == parts.end()) continue;
        if (!name->repository.starts_with(family.owner)) continue;
        if (!can_exist(name->last, name->tag)) return {};
        Parts filled{*name, {}};
        filled.image.name = family.name;
        family.fill(filled);
        const bool busybox = filled.image.flavour == netns::RootFlavour::kBusybox;
        filled.image.env.insert(filled.image.env.begin(),
                                std::string(busybox ? kBusyboxPath : kPath));
        return std::move(filled.image);
    }
    return {};
}

bool has_impossible_tag(std::string_view reference) {
    const auto name = parse_image_name(reference);
    return name && !can_exist(name->last, name->tag);
}

Image stand_in(std::string_view reference, const std::vector<ExposedPort>& ports) {
    Image image;
    image.name = "stand-in";
    image.entrypoint = {"stand-in"};
    image.env = {std::string(kPath)};
    image.ports = ports;
    for (const ExposedPort& port : ports) {
        image.entrypoint.push_back(cat(port.port, port.udp ? "/udp" : ""));
    }
    image.built_in = {"stand-in"};
    image.personality = cat("stand-in KIN_IMAGE=", reference);
    return image;
}

std::vector<std::string> known_images() {
    std::vector<std::string> names;
    for (const Family& family : kFamilies) names.emplace_back(family.name);
    return names;
}

netns::ProcessSpec process_of(const Image& image, const Strings& command, const Strings& args,
                              const Strings& env) {
    netns::ProcessSpec process;
    process.argv = command.empty() ? image.entrypoint : command;
    const Strings& rest = !args.empty() ? args : image.command;
    // A command of the container's own silences the image's arguments as well.
    if (command.empty() || !args.empty()) {
        process.argv.insert(process.argv.end(), rest.begin(), rest.end());
    }
    if (command.empty() && !image.default_program.empty() && !process.argv.empty()) {
        const std::string& first = process.argv[0];
        if (first.starts_with('-') || first.find("://") != std::string::npos) {
            process.argv.insert(process.argv.begin(), image.default_program);
        }
    }
    process.env = merge_env(image.env, env);
    process.cwd = image.working_directory;
    choose_personality(image, process);
    return process;
}

netns::ContainerSpec container_of(const Image& image, const Strings& command, const Strings& args,
                                  const Strings& env) {
    netns::ContainerSpec spec;
    spec.process = process_of(image, command, args, env);
    spec.flavour = image.flavour;
    spec.directories = image.directories;
    spec.files = image.files;
    return spec;
}

netns::ProcessSpec exec_of(const Image& image, const Strings& command, const Strings& env) {
    netns::ProcessSpec process;
    process.argv = command;
    process.env = merge_env(image.env, env);
    process.cwd = image.working_directory;
    choose_personality(image, process);
    return process;
}

bool is_in_every_container(std::string_view program) { return program == "nc"; }

int run_personality(const std::string& name, const Strings& args, const Strings& env,
                    void (*running)()) {
    on_running(running);
    const auto words = split(name, ' ');
    Strings settings = env;
    for (size_t i = 1; i < words.size(); ++i) settings.emplace_back(words[i]);
    for (const Program& program : kPrograms) {
        if (program.name == words[0]) return program.run(args, settings);
    }
    std::fprintf(stderr, "no built-in program %s\n", name.c_str());
    return 127;
}

}  // namespace kin::images
