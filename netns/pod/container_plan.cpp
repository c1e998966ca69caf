#include "netns/pod/container_plan.h"

#include <algorithm>

#include "core/base/strings.h"
#include "netns/images/images.h"
#include "netns/pod/image_name.h"
#include "netns/pod/pod_events.h"
#include "netns/pod/volumes.h"

namespace kin::netns {
namespace {

using Retry = ContainerRefusal::Retry;

class ContainerPlanner {
public:
    ContainerPlanner(const ContainerPlanInputs& in, ContainerRequest& out) : in_(in), out_(out) {}

    Result<> plan() {
        TRY(find_image());
        TRY(find_target());
        TRY(set_process());
        TRY(set_identity());
        TRY(set_mounts());
        set_files();
        out_.spec.network_fd = in_.pod.network_fd;
        out_.spec.sandbox = in_.pod.sandbox;
        out_.program = std::move(image_);
        out_.spec.read_only_root = in_.container.read_only_root;
        return Ok{};
    }

private:
    Error refuse(std::string reason, Retry retry, Error error) {
        out_.refusal = {std::move(reason), retry};
        return error;
    }

    Result<> find_image() {
        const std::string& name = in_.container.image;
        out_.image = image_reference(name);
        if (auto found = images::find_image(name)) {
            image_ = std::move(*found);
            out_.notes.push_back({"Normal", "Pulled", already_present(name)});
        } else if (images::has_impossible_tag(name)) {
            return refuse("ErrImagePull", Retry::kWithBackOff,
                          Error(Errc::kNotFound, cat("failed to resolve image \"", name,
                                                     "\": no version has this tag")));
        } else if (!in_.container.command.empty()) {
            // The pod says itself what to run: this machine's programs, whatever the image.
            image_.name = "host";
            out_.notes.push_back({"Warning", "HostPrograms",
                                  cat("kin does not know image \"", name,
                                      "\": its command runs with this machine's programs")});
        } else if (!in_.container.ports.empty()) {
            std::vector<images::ExposedPort> ports;
            for (const ContainerPort& port : in_.container.ports) {
                ports.push_back({port.port, port.protocol == Protocol::kUdp});
            }
            image_ = images::stand_in(name, ports);
            out_.notes.push_back({"Warning", "StandIn",
                                  cat("kin does not know image \"", name,
                                      "\": a stand-in answers on its declared ports")});
        } else {
            return refuse("ErrImagePull", Retry::kWithBackOff,
                          Error(Errc::kNotFound,
                                cat("kin downloads nothing and does not know this image; it has ",
                                    join(images::known_images(), ", "),
                                    "; or give the container a command of this machine, or ports "
                                    "on which a stand-in shall answer")));
        }
        out_.image_id = cat("kin://built-in/", image_.name);
        return Ok{};
    }

    /// An ephemeral container may share the processes of another one.
    Result<> find_target() {
        if (in_.container.target.empty()) return Ok{};
        target_ = in_.pod.process_of(in_.container.target);
        if (target_) return Ok{};
        return refuse(
            "CreateContainerConfigError", Retry::kNever,
            Error(Errc::kNotFound, cat("unable to find target container ", in_.container.target)));
    }

    Result<> set_process() {
        const Environment services = in_.agent.service_environment(
            in_.pod.view.pod.key.ns, in_.pod.view.pod.enable_service_links);
        auto environment =
            container_environment(in_.pod.view, in_.container, services, in_.agent.config);
        if (!environment) {
            return refuse("CreateContainerConfigError", Retry::kWhenConfigChanges,
                          std::move(environment).error());
        }
        environment_ = std::move(environment).value();
        std::vector<std::string> env{"HOSTNAME=" + in_.pod.view.pod.hostname};
        for (std::string& line : environment_.lines()) env.push_back(std::move(line));
        out_.spec = images::container_of(image_, expanded(in_.container.command),
                                         expanded(in_.container.args), env);
        out_.spec.pid_namespace_of = target_.value_or(0);
        ProcessSpec& process = out_.spec.process;
        if (process.argv.empty()) {
            return refuse("CreateContainerError", Retry::kNever,
                          Error(Errc::kInvalid, "no command specified"));
        }
        process.tty = in_.container.tty;
        if (!in_.container.working_dir.empty()) process.cwd = in_.container.working_dir;
        return Ok{};
    }

    Result<> set_identity() {
        ProcessSpec& process = out_.spec.process;
        const PodSpec& pod = in_.pod.view.pod;
        if (in_.container.run_as_user) process.uid = *in_.container.run_as_user;
        if (in_.container.run_as_group) process.gid = *in_.container.run_as_group;
        process.groups = pod.supplemental_groups;
        if (pod.fs_group) process.groups.push_back(*pod.fs_group);
        if (in_.container.run_as_non_root && process.uid == 0) {
            return refuse("CreateContainerConfigError", Retry::kNever,
                          Error(Errc::kDenied,
                                "container has runAsNonRoot and image will run as "
                                "root"));
        }
        process.capabilities = capabilities();
        return Ok{};
    }

    uint64_t capabilities() const {
        uint64_t bits = kDefaultCapabilities;
        const auto has_all = [](const std::vector<std::string>& names) {
            return std::find(names.begin(), names.end(), "ALL") != names.end();
        };
        if (has_all(in_.container.drop_capabilities)) bits = 0;
        for (const std::string& name : in_.container.drop_capabilities) {
            bits &= ~capability_bit(name);
        }
        for (const std::string& name : in_.container.add_capabilities) {
            bits |= name == "ALL" ? kDefaultCapabilities | capability_bit("NET_ADMIN")
                                  : capability_bit(name);
        }
        // What a lab's pod can mean by "privileged": to be master of its own network.
        if (in_.container.privileged) bits |= capability_bit("NET_ADMIN");
        return bits;
    }

    Result<> set_mounts() {
        for (const MountSpec& mount : in_.container.mounts) {
            const std::string sub_path =
                mount.expand ? expand(mount.sub_path, environment_) : mount.sub_path;
            const VolumeSpec* volume = find_volume(mount.volume);
            if (volume && is_node_root(*volume) && sub_path.empty()) {
                out_.spec.root_views.push_back(mount.path);
                continue;
            }
            auto opened = in_.pod.directory.open_in_volume(mount.volume, sub_path);
            if (!opened) {
                return refuse("CreateContainerConfigError", Retry::kNever,
                              std::move(opened).error());
            }
            // Named by descriptor: between looking and mounting nobody can put a link there.
            out_.spec.mounts.push_back({cat("/proc/self/fd/", opened->get()), mount.path,
                                        mount.read_only || is_read_only(mount.volume)});
            out_.volumes.push_back(std::move(opened).value());
        }
        auto message = in_.pod.directory.make_message_file(in_.container.name, in_.attempt);
        if (!message) {
            return refuse("CreateContainerError", Retry::kNever, std::move(message).error());
        }
        out_.spec.mounts.push_back({*message, in_.container.termination_message_path, false});
        return Ok{};
    }

    const VolumeSpec* find_volume(const std::string& name) const {
        const auto& volumes = in_.pod.view.pod.volumes;
        const auto found = std::ranges::find(volumes, name, &VolumeSpec::name);
        return found == volumes.end() ? nullptr : &*found;
    }

    /// What is made of API objects cannot be written.
    bool is_read_only(const std::string& name) const {
        const VolumeSpec* volume = find_volume(name);
        if (!volume) return false;
        if (volume->type == "persistentVolumeClaim") return bool_at(volume->source, {"readOnly"});
        return volume->type != "emptyDir";
    }

    void set_files() {
        const PodSpec& pod = in_.pod.view.pod;
        const DnsPlan& dns = in_.agent.dns;
        auto& files = out_.spec.files;
        files.push_back({"/etc/resolv.conf", resolv_conf(pod, dns), 0644});
        files.push_back({"/etc/hosts", hosts_file(pod, in_.pod.view.pod_ip, dns), 0644});
        files.push_back({"/etc/hostname", kernel_hostname(pod, dns) + '\n', 0644});
    }

    std::vector<std::string> expanded(const std::vector<std::string>& words) const {
        std::vector<std::string> out;
        for (const std::string& word : words) out.push_back(expand(word, environment_));
        return out;
    }

    const ContainerPlanInputs& in_;
    ContainerRequest& out_;
    images::Image image_;
    Environment environment_;
    std::optional<ProcessId> target_;
};

}  // namespace

Result<> plan_container(const ContainerPlanInputs& inputs, ContainerRequest& request) {
    return ContainerPlanner(inputs, request).plan();
}

}  // namespace kin::netns
