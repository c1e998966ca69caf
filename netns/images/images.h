#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "netns/init/containers.h"

namespace kin::images {

/// "registry.k8s.io/e2e-test-images/agnhost:2.39@sha256:..." in its parts.
struct ImageName {
    std::string registry;    ///< "docker.io" where none is named.
    std::string repository;  ///< "library/nginx", "e2e-test-images/agnhost"
    std::string tag;         ///< "latest" where neither tag nor digest is named.
    std::string digest;
    std::string last;  ///< "agnhost": the repository's last part.
};
/// Nothing for what is no image reference: upper case, blanks, empty parts.
std::optional<ImageName> parse_image_name(std::string_view reference);

/// A port that the image is known for.
struct ExposedPort {
    uint16_t port = 0;
    bool udp = false;
};

/// What an image name stands for here.
struct Image {
    std::string name;  ///< The family: "nginx".
    std::vector<std::string> entrypoint;
    std::vector<std::string> command;
    std::vector<std::string> env;
    std::string working_directory = "/";
    uint32_t uid = 0;  ///< The user the image asks for, where the lab has that id.
    std::vector<ExposedPort> ports;
    netns::RootFlavour flavour = netns::RootFlavour::kHost;
    /// Writable directories and files that the image brings.
    std::vector<std::string> directories;
    std::vector<netns::PlacedFile> files;
    /// Program names that are built in: `nginx -v` in an exec runs kin's nginx.
    std::vector<std::string> built_in;
    /// ProcessSpec::personality of those programs: a name, then settings "NAME=value" after blanks.
    std::string personality;
    /// Put before arguments that name no program: `curl` before an URL.
    std::string default_program;
};

/// The image behind a name, whatever its registry; nothing for names that kin does not know and for
/// tags that cannot exist (nginx:1.91, of the tutorials about failed rollouts). Pure.
std::optional<Image> find_image(std::string_view reference);
/// A name that kin knows with a tag that no registry has: nothing stands in for it. Pure.
bool has_impossible_tag(std::string_view reference);
/// What stands in for an unknown image with declared ports: it answers on all of them.
Image stand_in(std::string_view reference, const std::vector<ExposedPort>& ports);
/// The names find_image() knows, for people: "nginx", "httpd"...
std::vector<std::string> known_images();

/// Sets argv, personality, env and cwd of a process as Kubernetes combines image and container:
/// `command` replaces entrypoint and command of the image, `args` the latter alone. `env` wins over
/// the image's; of equal names the last. argv stays empty where neither names a program.
netns::ProcessSpec process_of(const Image& image, const std::vector<std::string>& command,
                              const std::vector<std::string>& args,
                              const std::vector<std::string>& env);
/// A container with that process and all else that the image brings; network, sandbox, mounts and
/// the pod's files are the caller's.
netns::ContainerSpec container_of(const Image& image, const std::vector<std::string>& command,
                                  const std::vector<std::string>& args,
                                  const std::vector<std::string>& env);
/// The same for an exec: `command` as it is, in the container's environment.
netns::ProcessSpec exec_of(const Image& image, const std::vector<std::string>& command,
                           const std::vector<std::string>& env);

/// Programs that every container has as a link to kin itself, in /.kin: the host may lack them.
bool is_in_every_container(std::string_view program);

/// Runs a built-in program in this process, to its end; for LaunchOptions::run_personality.
/// `running` is nullptr where nobody waits for it.
int run_personality(const std::string& name, const std::vector<std::string>& args,
                    const std::vector<std::string>& env, void (*running)());

}  // namespace kin::images
