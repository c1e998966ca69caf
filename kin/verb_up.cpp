#include <unistd.h>

#include <cstdio>

#include "core/base/log.h"
#include "core/base/strings.h"
#include "kin/cluster.h"
#include "kin/lab.h"
#include "kin/options.h"
#include "netns/images/images.h"
#include "netns/init/id_maps.h"
#include "netns/init/launch.h"

namespace kin {

namespace {
int serve(const ClusterOptions& options, netns::ServerContext& context) {
    const Result<> ran = run_cluster(options, context);
    if (ran) return 0;
    context.notify_failed(ran.error());
    return 1;
}

/// What the lab was last time, where nothing else was said.
LabMemory chosen_lab(const LabPaths& paths, const UpOptions& options) {
    LabMemory lab = [&] {
        const netns::ActingAsLab owner;
        return recall(paths);
    }();
    if (options.nodes || lab.nodes.empty()) {
        lab.nodes = netns::first_nodes(options.nodes.value_or(kDefaultNodes));
    }
    if (options.cni) lab.network.attachment = netns::find_attachment(*options.cni);
    if (options.overlay) lab.network.overlay = netns::find_overlay(*options.overlay);
    return lab;
}
}  // namespace

int fail(const std::string& what) {
    std::fprintf(stderr, "kin: %s\n", what.c_str());
    return 1;
}

int up(const UpOptions& options) {
    const auto paths = lab_paths(options.lab);
    if (!paths) return fail(paths.error().text());
    if (find_running(*paths)) {
        const std::string named = lab_words(options.lab);
        return fail(cat("lab ", options.lab, " is running already. See: kin status", named,
                        ". End it: kin down", named));
    }
    if (const auto made = make_runtime_root(*paths); !made) return fail(made.error().text());
    set_log_level(options.verbose ? LogLevel::kInfo : LogLevel::kWarn);
    const ClusterOptions cluster{*paths, chosen_lab(*paths, options), options.api_port, options.page_port,
                                 options.keep_connections};

    netns::LaunchOptions launch;
    launch.directories = {paths->data, paths->runtime};
    launch.foreground =
        options.detach ? netns::Foreground::kDetachWhenReady : netns::Foreground::kStay;
    launch.log_file = paths->log();
    launch.run_personality = images::run_personality;
    launch.on_ready = [&](std::string_view text) {
        std::fwrite(text.data(), 1, text.size(), stdout);
        if (!options.detach) std::fputs("Ctrl-C ends the lab; its data stay.\n", stdout);
        std::fflush(stdout);
    };
    const auto ended = netns::launch(
        launch, [&](netns::ServerContext& context) { return serve(cluster, context); });
    if (!ended) return fail(ended.error().text());
    return *ended;
}

}  // namespace kin
