#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "kin/lab.h"
#include "kin/lab_client.h"
#include "kin/options.h"

namespace kin {

namespace {
/// Asks the desktop to open a link; false if there is no desktop, or nothing that opens links.
bool open_in_browser(const std::string& link) {
    const char* const x11 = std::getenv("DISPLAY");
    const char* const wayland = std::getenv("WAYLAND_DISPLAY");
    if ((!x11 || !*x11) && (!wayland || !*wayland)) return false;
    const pid_t child = ::fork();
    if (child == 0) {
        // A browser that this starts should outlive the terminal, and keep quiet in it.
        (void)::setsid();
        const int nowhere = ::open("/dev/null", O_RDWR);
        for (const int fd : {0, 1, 2}) (void)::dup2(nowhere, fd);
        ::execlp("xdg-open", "xdg-open", link.c_str(), static_cast<char*>(nullptr));
        std::_Exit(127);
    }
    int status = 0;
    return child > 0 && ::waitpid(child, &status, 0) == child && status == 0;
}
}  // namespace

int ui(const std::string& lab, bool print) {
    const auto paths = lab_paths(lab);
    if (!paths) return fail(paths.error().text());
    const auto answer = lab_request(*paths, "POST", "/kin/v1/ui", "");
    if (!answer) {
        return fail(answer.error().code() == Errc::kNotFound ? not_running(lab)
                                                             : answer.error().text());
    }
    const auto said = parse_json(answer->body);
    const std::string link = said ? string_at(*said, {"link"}) : "";
    if (answer->status != 200 || link.empty()) return fail("the lab has no page");
    if (!print && open_in_browser(link)) {
        std::printf("\u2713 the page of lab %s opens in your browser\n", lab.c_str());
    } else {
        std::printf("%s\n", link.c_str());
        if (!print) std::fputs("Open this link in a browser; it works once.\n", stderr);
    }
    return 0;
}

}  // namespace kin
