#include "netns/images/programs.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <utility>

#include "core/base/strings.h"

namespace kin::images {

namespace {
void (*to_call)() = nullptr;
}

void on_running(void (*running)()) { to_call = running; }

void runs() {
    if (auto* const running = std::exchange(to_call, nullptr)) running();
}

std::string_view variable(const Strings& env, std::string_view name) {
    for (const std::string_view entry : env) {
        if (entry.size() > name.size() && entry[name.size()] == '=' && entry.starts_with(name)) {
            return entry.substr(name.size() + 1);
        }
    }
    return {};
}

std::string host_name() {
    char name[65] = "";
    ::gethostname(name, sizeof name - 1);
    return name;
}

std::optional<std::string> flag(const Strings& args, std::string_view name) {
    for (size_t i = 1; i < args.size(); ++i) {
        std::string_view arg = args[i];
        if (!arg.starts_with('-')) continue;
        arg.remove_prefix(arg.starts_with("--") ? 2 : 1);
        if (!arg.starts_with(name)) continue;
        arg.remove_prefix(name.size());
        if (arg.starts_with('=')) return std::string(arg.substr(1));
        if (!arg.empty()) continue;
        if (i + 1 < args.size() && !args[i + 1].starts_with("--")) return args[i + 1];
        return "";
    }
    return {};
}

std::optional<int> port_flag(const Strings& args, std::string_view name, int otherwise) {
    const auto text = flag(args, name);
    if (!text) return otherwise;
    const auto number = parse_number<int>(*text);
    if (number && *number >= -1 && *number <= 65535) return number;
    std::fprintf(stderr, "invalid argument \"%s\" for \"--%s\" flag\n", text->c_str(),
                 std::string(name).c_str());
    return {};
}

void print_line(std::string_view line) {
    const std::string whole = cat(line, "\n");
    (void)!::write(STDOUT_FILENO, whole.data(), whole.size());
}

std::string log_time() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    char text[64];
    std::strftime(text, sizeof text, "%d/%b/%Y:%H:%M:%S +0000", &parts);
    return text;
}

std::string or_dash(std::string_view text) { return text.empty() ? "-" : std::string(text); }

std::string escape_log(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte >= 0x7f || c == '"' || c == '\\') {
            out += cat("\\x", hex({&c, 1}));
        } else {
            out += c;
        }
    }
    return out;
}

std::string request_line(const HttpRequest& request) {
    if (request.method.empty()) return "";
    return cat(request.method, " ", request.target, " HTTP/1.", request.minor_version);
}

int pause_main(const Strings&, const Strings&) {
    runs();
    sigset_t mask;
    sigemptyset(&mask);
    for (const int number : {SIGTERM, SIGINT, SIGCHLD}) sigaddset(&mask, number);
    ::sigprocmask(SIG_BLOCK, &mask, nullptr);
    while (true) {
        int number = 0;
        if (::sigwait(&mask, &number) != 0) continue;
        if (number != SIGCHLD) {
            std::fprintf(stderr, "Shutting down, got signal: %s\n",
                         number == SIGINT ? "Interrupt" : "Terminated");
            return 0;
        }
        while (::waitpid(-1, nullptr, WNOHANG) > 0) {
        }
    }
}

}  // namespace kin::images
