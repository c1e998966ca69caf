#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "netns/images/http.h"

namespace kin::images {

using Strings = std::vector<std::string>;

// The built-in programs. Each is a main(): args[0] is its name, env holds "NAME=value", the result
// is the exit code. They log to stdout and complain on stderr as the real ones do.

int nginx_main(const Strings& args, const Strings& env);
int httpd_main(const Strings& args, const Strings& env);    ///< Apache's
int agnhost_main(const Strings& args, const Strings& env);  ///< The Kubernetes e2e test image
int pause_main(const Strings& args, const Strings& env);
int http_echo_main(const Strings& args, const Strings& env);  ///< hashicorp/http-echo
int hello_app_main(const Strings& args, const Strings& env);  ///< google-samples/hello-app
int bootcamp_main(const Strings& args, const Strings& env);  ///< google-samples/kubernetes-bootcamp
int whoami_main(const Strings& args, const Strings& env);    ///< traefik/whoami
int echoserver_main(const Strings& args, const Strings& env);      ///< registry.k8s.io/echoserver
int tcp_echo_main(const Strings& args, const Strings& env);        ///< istio/tcp-echo-server
int simple_service_main(const Strings& args, const Strings& env);  ///< mhausenblas/simpleservice
int hello_node_main(const Strings& args, const Strings& env);      ///< bmuschko/nodejs-hello-world
int simple_app_main(const Strings& args, const Strings& env);      ///< dgkanatsios/simpleapp
int two_ports_main(const Strings& args, const Strings& env);       ///< ahmet/app-on-two-ports
int httpbin_main(const Strings& args, const Strings& env);         ///< mccutchen/go-httpbin
int redis_main(const Strings& args, const Strings& env);           ///< redis-server, and redis-cli
int php_guestbook_main(const Strings& args, const Strings& env);   ///< google-samples/gb-frontend
/// agnhost guestbook: a frontend, a store, or a store that repeats another one.
int agnhost_guestbook(const Strings& args, const Strings& env);
int kuard_main(const Strings& args, const Strings& env);     ///< kuar-demo/kuard
int starwars_main(const Strings& args, const Strings& env);  ///< cilium/starwars: the deathstar
int bookinfo_main(const Strings& args, const Strings& env);  ///< istio's bookinfo, by KIN_APP
int voting_main(const Strings& args, const Strings& env);    ///< Docker's voting app, by KIN_APP
int coins_main(const Strings& args, const Strings& env);     ///< DockerCoins, by KIN_APP
int database_main(const Strings& args, const Strings& env);  ///< postgres, mongo...: a listener
int nc_main(const Strings& args, const Strings& env);        ///< netcat with OpenBSD's flags
int stand_in_main(const Strings& args, const Strings& env);  ///< args: "80", "53/udp"...

/// What run_personality() was told to call once a program does what it is for.
void on_running(void (*running)());
/// Calls it, the first time. Service::run() does; a program that serves nobody does as it begins.
void runs();

/// The value of a variable, "" if it is not there.
std::string_view variable(const Strings& env, std::string_view name);
/// The pod's name.
std::string host_name();
/// "--name=value", "--name value", with one or two dashes.
std::optional<std::string> flag(const Strings& args, std::string_view name);
/// The number of a flag; nothing, and a complaint on stderr, if it is no number of a port.
std::optional<int> port_flag(const Strings& args, std::string_view name, int otherwise);
/// Writes one line to stdout at once.
void print_line(std::string_view line);
/// "06/Nov/1994:08:49:37 +0000", as web servers' logs show the present.
std::string log_time();

std::string or_dash(std::string_view text);
/// Text of a client in a log: nothing that could end the line or the quotes.
std::string escape_log(std::string_view text);
/// "GET / HTTP/1.1"; empty for what was no request.
std::string request_line(const HttpRequest& request);

/// Answers with a file below `root`: the first there is of `index` for directories, types by
/// extension, conditional requests. A status >= 400 comes without a body, for the server's own
/// error page.
HttpResponse file_response(const std::string& root, const HttpRequest& request,
                           const Strings& index = {"index.html"});

}  // namespace kin::images
