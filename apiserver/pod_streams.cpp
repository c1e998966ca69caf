#include "apiserver/pod_streams.h"

#include <future>

#include "apiserver/exec_session.h"
#include "apiserver/log_stream.h"
#include "apiserver/pod_lookup.h"
#include "apiserver/pod_proxy.h"
#include "apiserver/port_forward.h"
#include "apiserver/respond.h"
#include "core/base/strings.h"

namespace kin::apiserver {

namespace {
constexpr std::chrono::seconds kAgentPatience{15};
constexpr size_t kMessageBytes = 4u << 20;
constexpr size_t kMaxChannelPorts = 100;  // Two channels each, numbered in one byte.
constexpr const char* kTunnel = "SPDY/3.1+portforward.k8s.io";

Status no_pods_here() {
    Status status;
    status.code = 501;
    status.reason = "NotImplemented";
    status.message = "no pods run here, so there is nothing to reach into";
    return status;
}

/// Waits for what the agent says about a log.
Answer<PodAccess::LogFile> wait_for_log(PodAccess& pods, const PodAccess::LogRequest& request) {
    // Shared, because the answer may come after the patience has ended.
    const auto promise = std::make_shared<std::promise<Answer<PodAccess::LogFile>>>();
    auto answer = promise->get_future();
    pods.find_log(request, [promise](Answer<PodAccess::LogFile> found) {
        promise->set_value(std::move(found));
    });
    if (answer.wait_for(kAgentPatience) != std::future_status::ready)
        return internal_error("the node agent does not answer");
    return answer.get();
}

Answer<Ok> require_exec_options(const PodAccess::ExecRequest& exec, bool attach) {
    if (!exec.want_stdin && !exec.want_stdout && !exec.want_stderr && !exec.tty)
        return bad_request("you must specify at least 1 of stdin, stdout, stderr");
    if (!attach && exec.command.empty())
        return bad_request("you must specify at least 1 command for the container");
    return Ok{};
}

/// Which command with which streams.
PodAccess::ExecRequest command_of(const http::Query& query) {
    PodAccess::ExecRequest exec;
    for (const auto& word : query.all("command")) exec.command.emplace_back(word);
    exec.want_stdin = query.flag("stdin");
    exec.want_stdout = query.flag("stdout");
    exec.tty = query.flag("tty");
    exec.want_stderr = query.flag("stderr") && !exec.tty;  // A terminal has one stream only.
    return exec;
}

Answer<PodAccess::ExecRequest> parse_exec(const Store& store, const ObjectKey& pod, bool attach,
                                          const http::Query& query) {
    PodAccess::ExecRequest exec = command_of(query);
    exec.pod = pod;
    if (attach) exec.command.clear();
    TRY(require_exec_options(exec, attach));
    TRY_ASSIGN(const FoundContainer found, find_container(store, pod, query.get("container")));
    exec.container = found.name;
    const std::string phase = string_at(found.pod, {"status", "phase"});
    if (phase == "Succeeded" || phase == "Failed")
        return bad_request(
            cat("cannot exec into a container in a completed pod; current phase is ", phase));
    return exec;
}

/// Answers a request for a SPDY/3.1 connection with 101 and `protocol`. nullptr, and nothing
/// answered, if the client does not offer that protocol.
std::unique_ptr<spdy::Session> accept_spdy(const http::Request& request, http::Responder& responder,
                                           const std::string& protocol) {
    const auto offers = request.headers.all("X-Stream-Protocol-Version");
    if (std::find(offers.begin(), offers.end(), protocol) == offers.end()) return nullptr;
    http::Response head(101);
    head.headers = {{"Connection", "Upgrade"},
                    {"Upgrade", "SPDY/3.1"},
                    {"X-Stream-Protocol-Version", protocol}};
    return std::make_unique<spdy::Session>(raw_wire(responder.upgrade(std::move(head))));
}

Status cannot_upgrade() {
    Status status = bad_request("unable to upgrade: no stream protocol that is offered is spoken");
    status.code = 403;
    status.reason = "Forbidden";
    return status;
}

/// The streams that a SPDY client opens for what it asked.
std::vector<Channel> channels_of(const PodAccess::ExecRequest& exec) {
    std::vector<Channel> channels{Channel::kError};
    if (exec.want_stdin) channels.push_back(Channel::kStdin);
    if (exec.want_stdout) channels.push_back(Channel::kStdout);
    if (exec.want_stderr) channels.push_back(Channel::kStderr);
    if (exec.tty) channels.push_back(Channel::kResize);
    return channels;
}

/// What the client speaks, its handshake answered; or why there is no such thing.
Answer<std::unique_ptr<ExecWire>> accept_exec(const http::Request& request,
                                              http::Responder& responder,
                                              const PodAccess::ExecRequest& exec) {
    if (request.wants_upgrade("SPDY/3.1")) {
        auto session = accept_spdy(request, responder, "v4.channel.k8s.io");
        if (!session) return cannot_upgrade();
        return spdy_exec_wire(std::move(session), channels_of(exec));
    }
    if (!request.wants_upgrade("websocket")) return bad_request("Upgrade request required");
    auto socket = http::accept_websocket(request, responder,
                                         {"v5.channel.k8s.io", "v4.channel.k8s.io"}, kMessageBytes);
    if (!socket) return bad_request(socket.error().text());
    return websocket_exec_wire(std::move(*socket));
}

Answer<std::vector<uint16_t>> parse_ports(const http::Query& query) {
    std::vector<uint16_t> ports;
    for (const auto& list : query.all("ports")) {
        for (const auto& text : split(list, ',')) {
            const auto port = parse_number<uint16_t>(text);
            if (!port || *port == 0)
                return bad_request(cat("unable to parse \"", text, "\" as a port"));
            ports.push_back(*port);
        }
    }
    if (ports.empty()) return bad_request("query parameter \"ports\" is required");
    if (ports.size() > kMaxChannelPorts) return bad_request("too many ports");
    return ports;
}
}  // namespace

PodStreams::PodStreams(const Store& store, Loop& loop, PodAccess* pods)
    : store_(store), loop_(loop), pods_(pods) {}

PodStreams::~PodStreams() {
    loop_.call([this] { sessions_.reset(); });
}

template <class Session>
void PodStreams::keep(std::function<std::shared_ptr<Session>(std::function<void()> ended)> make,
                      std::function<void(Session&)> start) {
    loop_.post([this, make = std::move(make), start = std::move(start)] {
        const uint64_t number = ++sessions_->last_number;
        const std::weak_ptr<Sessions> weak = sessions_;
        // The session says so from within one of its calls: it goes in a turn of its own, by
        // which all of this may be gone.
        const auto session = make([&loop = loop_, weak, number] {
            loop.post([weak, number] {
                if (const auto sessions = weak.lock()) sessions->open.erase(number);
            });
        });
        sessions_->open.emplace(number, session);
        start(*session);
    });
}

std::optional<http::Response> PodStreams::handle(const ObjectKey& pod, std::string_view subresource,
                                                 http::Request& request,
                                                 http::Responder& responder) {
    const bool read_only = subresource == "log";
    if (request.method != "GET" && (read_only || request.method != "POST"))
        return status_response(method_not_allowed());
    if (!pods_) return status_response(no_pods_here());
    if (subresource == "log") return log(pod, request, responder);
    if (subresource == "portforward") return port_forward(pod, request, responder);
    return exec(pod, subresource == "attach", request, responder);
}

std::optional<http::Response> PodStreams::log(const ObjectKey& pod, http::Request& request,
                                              http::Responder& responder) {
    const auto options =
        parse_log_options(request.query, pod.name, std::chrono::system_clock::now());
    if (!options) return status_response(options.error());
    const auto found = find_container(store_, pod, request.query.get("container"));
    if (!found) return status_response(found.error());
    if (const auto has_log = require_log(*found, options->previous); !has_log)
        return status_response(has_log.error());
    const PodAccess::LogRequest wanted{pod, found->name, options->previous};
    const auto file = wait_for_log(*pods_, wanted);
    if (!file) return status_response(file.error());

    http::Response head(200, "text/plain");
    head.headers.add("Cache-Control", "no-cache, private");
    const auto writer =
        std::make_shared<std::unique_ptr<http::StreamWriter>>(responder.stream(std::move(head)));
    keep<LogStream>(
        [this, writer, options = *options](std::function<void()> ended) {
            return std::make_shared<LogStream>(loop_, std::move(*writer), options,
                                               std::move(ended));
        },
        [this, wanted, file = *file](LogStream& stream) { stream.start(*pods_, wanted, file); });
    return {};
}

std::optional<http::Response> PodStreams::exec(const ObjectKey& pod, bool attach,
                                               http::Request& request, http::Responder& responder) {
    const auto wanted = parse_exec(store_, pod, attach, request.query);
    if (!wanted) return status_response(wanted.error());
    return run(*wanted, attach, request, responder);
}

std::optional<http::Response> PodStreams::exec_in_host(const std::string& host,
                                                       http::Request& request,
                                                       http::Responder& responder) {
    if (request.method != "GET" && request.method != "POST")
        return status_response(method_not_allowed());
    if (!pods_) return status_response(no_pods_here());
    PodAccess::ExecRequest wanted = command_of(request.query);
    wanted.host = host;
    if (const auto right = require_exec_options(wanted, false); !right)
        return status_response(right.error());
    return run(wanted, false, request, responder);
}

std::optional<http::Response> PodStreams::run(const PodAccess::ExecRequest& wanted, bool attach,
                                              http::Request& request, http::Responder& responder) {
    auto accepted = accept_exec(request, responder, wanted);
    if (!accepted) return status_response(accepted.error());
    const auto wire = std::make_shared<std::unique_ptr<ExecWire>>(std::move(*accepted));
    keep<ExecSession>(
        [this, wire](std::function<void()> ended) {
            return std::make_shared<ExecSession>(loop_, std::move(*wire), std::move(ended));
        },
        [this, attach, wanted](ExecSession& session) {
            using Mode = ExecSession::Mode;
            session.start(*pods_, wanted, attach ? Mode::kAttach : Mode::kExec);
        });
    return {};
}

std::optional<http::Response> PodStreams::port_forward(const ObjectKey& pod, http::Request& request,
                                                       http::Responder& responder) {
    if (const auto running = require_running(store_, pod); !running)
        return status_response(running.error());
    if (request.wants_upgrade("SPDY/3.1")) {
        auto session = accept_spdy(request, responder, "portforward.k8s.io");
        if (!session) return status_response(cannot_upgrade());
        forward(pod, std::move(session));
        return {};
    }
    if (!request.wants_upgrade("websocket"))
        return status_response(bad_request("Upgrade request required"));
    if (request.headers.has_token("Sec-WebSocket-Protocol", kTunnel)) {
        auto socket = http::accept_websocket(request, responder, {kTunnel}, kMessageBytes);
        if (!socket) return status_response(bad_request(socket.error().text()));
        forward(pod, std::make_unique<spdy::Session>(tunnel_wire(std::move(*socket))));
        return {};
    }
    return channel_port_forward(pod, request, responder);
}

std::optional<http::Response> PodStreams::proxy(const ApiPath& path, http::Request& request,
                                                http::Responder& responder) {
    if (!pods_) return status_response(no_pods_here());
    const std::string_view prefix = proxy_prefix(request.raw_path);
    // So that what a page there names relative to itself is below it.
    const bool reads = request.method == "GET" || request.method == "HEAD";
    if (reads && prefix.size() == request.raw_path.size()) {
        http::Response moved(301, "text/plain", "");
        moved.headers.add("Location",
                          cat(prefix, '/', std::string_view(request.target).substr(prefix.size())));
        return moved;
    }
    auto target = find_proxy_target(store_, path);
    if (!target) return status_response(target.error());
    const std::string text = proxied_request(request, *target);
    const auto wire =
        std::make_shared<std::unique_ptr<ByteWire>>(raw_wire(responder.take_over()));
    keep<PodProxy>(
        [this, wire, wanted = PodProxy::Wanted{*target, text, std::string(prefix)}](
            std::function<void()> ended) {
            return std::make_shared<PodProxy>(loop_, std::move(*wire), wanted, std::move(ended));
        },
        [this](PodProxy& proxied) { proxied.start(*pods_); });
    return {};
}

void PodStreams::forward(const ObjectKey& pod, std::unique_ptr<spdy::Session> session) {
    const auto shared = std::make_shared<std::unique_ptr<spdy::Session>>(std::move(session));
    keep<PortForward>(
        [this, shared](std::function<void()> ended) {
            return std::make_shared<PortForward>(loop_, std::move(*shared), std::move(ended));
        },
        [this, pod](PortForward& forwarding) { forwarding.start(*pods_, pod); });
}

std::optional<http::Response> PodStreams::channel_port_forward(const ObjectKey& pod,
                                                               http::Request& request,
                                                               http::Responder& responder) {
    const auto ports = parse_ports(request.query);
    if (!ports) return status_response(ports.error());
    auto socket = http::accept_websocket(request, responder, {"v4.channel.k8s.io"}, kMessageBytes);
    if (!socket) return status_response(bad_request(socket.error().text()));
    const auto shared = std::make_shared<std::unique_ptr<http::WebSocket>>(std::move(*socket));
    keep<ChannelPortForward>(
        [this, shared, ports = *ports](std::function<void()> ended) {
            return std::make_shared<ChannelPortForward>(loop_, std::move(*shared), ports,
                                                        std::move(ended));
        },
        [this, pod](ChannelPortForward& forwarding) { forwarding.start(*pods_, pod); });
    return {};
}

}  // namespace kin::apiserver
