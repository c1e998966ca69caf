// What a pod needs before its containers: a network, a sandbox, volumes that follow their objects.
#include <algorithm>

#include "core/base/log.h"
#include "core/base/strings.h"
#include "netns/network/pod_networks.h"
#include "netns/pod/host_ports.h"
#include "netns/pod/pod_events.h"
#include "netns/pod/pod_worker.h"

namespace kin::netns {

/// True once the pod's namespace is there; it is asked for the first time.
bool PodWorker::is_attached() {
    if (network_fd_ >= 0 || spec_.host_network || agent_.networks.find(spec_.uid)) return true;
    if (std::exchange(attaching_, true)) return false;
    agent_.networks.attach_soon(spec_.uid, spec_.node, Ipv4::parse(pod_.ip).value_or(Ipv4{}),
                                [this, alive = alive_](const Result<const PodNetwork*>& attached) {
                                    if (!*alive) return;
                                    attaching_ = false;
                                    if (attached) return agent_.wake(spec_.uid);
                                    fail_to_prepare(
                                        "FailedCreatePodSandBox",
                                        "Failed to create pod sandbox: " + attached.error().text());
                                    agent_.wake_after(spec_.uid, std::chrono::seconds(5));
                                });
    return agent_.networks.find(spec_.uid) != nullptr;
}

Result<> PodWorker::prepare() {
    if (auto network = prepare_network(); !network) {
        fail_to_prepare("FailedCreatePodSandBox",
                        "Failed to create pod sandbox: " + network.error().text());
        agent_.wake_after(spec_.uid, std::chrono::seconds(5));
        return network;
    }
    if (auto volumes = prepare_volumes(); !volumes) {
        const Errc code = volumes.error().code();
        volumes_wait_ = code == Errc::kNotFound;
        if (code == Errc::kSystem) agent_.wake_after(spec_.uid, std::chrono::seconds(5));
        fail_to_prepare("FailedMount", volumes.error().text());
        return volumes;
    }
    volumes_wait_ = false;
    prepare_problem_.clear();
    return Ok{};
}

Result<> PodWorker::prepare_network() {
    if (network_fd_ < 0 && spec_.host_network) {
        KernelNode* node = agent_.links.find(spec_.node);
        if (!node) return Error(Errc::kNotFound, cat("there is no node ", spec_.node));
        network_fd_ = node->netns.fd();
        pod_ip_ = host_ip_;
    } else if (network_fd_ < 0) {
        const PodNetwork* const network = agent_.networks.find(spec_.uid);
        // Before anything of the pod can send: its address is told to nobody until then.
        if (agent_.isolation) TRY(agent_.isolation->isolate(pod_, network->address));
        network_fd_ = network->netns.fd();
        pod_ip_ = network->address;
        TRY(agent_.host_ports.set(spec_.uid, spec_.node, host_ports_of(spec_, *pod_ip_)));
    }
    if (sandbox_) return Ok{};
    TRY_ASSIGN(sandbox_, Sandbox::create(kernel_hostname(spec_, agent_.dns)));
    return Ok{};
}

Result<> PodWorker::prepare_volumes() {
    if (volumes_ready_) {
        refresh_volumes();
        return Ok{};
    }
    for (const VolumeSpec& volume : spec_.volumes) {
        TRY(prepare_volume(volume).context(
            cat("MountVolume.SetUp failed for volume \"", volume.name, "\" ")));
    }
    volumes_ready_ = true;
    stale_volumes_.clear();
    return Ok{};
}

Result<> PodWorker::prepare_volume(const VolumeSpec& volume) {
    if (is_node_root(volume)) return Ok{};
    if (volume.type == "emptyDir") {
        return served_inside() ? Result<>(Ok{}) : directory_.make_empty_dir(volume.name);
    }
    if (volume.type == "persistentVolumeClaim") {
        TRY_ASSIGN(const std::string bound, bound_volume(volume, spec_.key.ns, agent_.config));
        TRY_ASSIGN(const std::string kept, persistent_directory(agent_.storage.data, bound));
        return directory_.link_directory(volume.name, kept);
    }
    TRY_ASSIGN(const auto files, volume_files(volume, downward(), agent_.config, agent_.tokens));
    return served_inside() ? Result<>(Ok{}) : directory_.write_files(volume.name, files);
}

/// Nobody looks into the volumes of a pod without processes; files on a disk are dear.
bool PodWorker::served_inside() const {
    const auto is_service = [this](const ContainerSpecView& container) {
        return agent_.find_service(container.image) != nullptr;
    };
    return std::ranges::all_of(spec_.init_containers, is_service) &&
           std::ranges::all_of(spec_.containers, is_service);
}

/// A volume whose object has gone meanwhile keeps what it shows.
void PodWorker::refresh_volumes() {
    const auto stale = std::exchange(stale_volumes_, {});
    for (const VolumeSpec& volume : spec_.volumes) {
        if (stale.count(volume.name) == 0) continue;
        if (auto fresh = prepare_volume(volume);
            !fresh && fresh.error().code() != Errc::kNotFound) {
            log_warn("kubelet", fresh.error().text(), {{"pod", spec_.key.to_string()}});
        }
    }
}

void PodWorker::fail_to_prepare(const std::string& reason, const std::string& message) {
    if (prepare_problem_ == message) return;
    prepare_problem_ = message;
    record_event(agent_.client, spec_, "", "Warning", reason, message);
}

}  // namespace kin::netns
