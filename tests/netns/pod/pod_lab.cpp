#include "tests/netns/pod/pod_lab.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>

#include "core/base/strings.h"
#include "tests/support/patience.h"

namespace kin::netns::test {
namespace {

const auto kPatience = kin::test::patience(std::chrono::seconds(15));

void must(const Result<>& result) {
    if (!result) std::fprintf(stderr, "%s\n", result.error().text().c_str());
    KIN_ASSERT(result.has_value());
}

std::string read_to_end(const UniqueFd& fd) {
    std::string out;
    char buffer[4096];
    pollfd wait{fd.get(), POLLIN, 0};
    while (fd.valid() && ::poll(&wait, 1, static_cast<int>(kPatience.count())) > 0) {
        const ssize_t size = ::read(fd.get(), buffer, sizeof buffer);
        if (size <= 0) break;
        out.append(buffer, static_cast<size_t>(size));
    }
    return out;
}

/// Log lines without time, stream and tag.
std::string plain(const std::string& path) {
    std::ifstream in(path);
    std::string out;
    for (std::string line; std::getline(in, line);) {
        const auto words = split(line, ' ');
        if (words.size() < 3) continue;
        const size_t head = words[0].size() + words[1].size() + words[2].size() + 3;
        out += line.substr(std::min(head, line.size())) + '\n';
    }
    return out;
}

}  // namespace

PodLab::PodLab(ServerContext& context, NodeAgent::Options options) {
    auto store = Store::open({.path = ":memory:"});
    KIN_ASSERT(store.has_value());
    store_ = std::move(store).value();
    registry_ = std::make_unique<Registry>(*store_, Registry::Options{});
    streams_ = std::make_unique<Loop>("kin-streams");
    control_ = std::make_unique<Loop>("kin-control");
    char folder[] = "/tmp/kin-pod-lab-XXXXXX";
    KIN_ASSERT(::mkdtemp(folder) != nullptr);
    data_ = folder;
    options.storage = {data_, data_};
    options.version = "test";
    options.tokens = [](const TokenRequest&) -> Result<std::string> { return std::string("token"); };
    client_ = std::make_unique<Client>(*registry_, *control_);
    control_->call([&] {
        must(leave_host_network());
        auto links = NodeLinks::create({}, first_nodes(2));
        KIN_ASSERT(links.has_value());
        links_ = std::move(links).value();
        networks_ = std::make_unique<PodNetworks>(*links_);
        auto containers = Containers::create(context.take_init_socket());
        KIN_ASSERT(containers.has_value());
        containers_ = std::move(containers).value();
        agent_ = std::make_unique<NodeAgent>(*client_, *streams_, *containers_, *links_,
                                             *networks_, std::move(options));
    });
    wake_ = store_->on_commit([this](Revision) {
        const std::lock_guard lock(mutex_);
        ++changes_;
        changed_.notify_all();
    });
    must(client_->start());
    for (const char* ns : {"default", "kube-node-lease"}) {
        create(cat(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":")", ns, "\"}}"));
    }
    create(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"kube-root-ca.crt",
               "namespace":"default"},"data":{"ca.crt":"CA"}})");
}

PodLab::~PodLab() {
    store_->stop_wake(wake_);
    control_->call([&] {
        agent_.reset();
        containers_.reset();
        networks_.reset();
        links_.reset();
    });
    client_.reset();
    control_.reset();
    streams_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(data_, ignored);
}

std::string PodLab::create(const std::string& json) {
    auto object = parse_json(json);
    if (!object) return object.error().text();
    const Kind* kind = find_kind_of(string_at(*object, {"apiVersion"}), string_at(*object, {"kind"}));
    const Target target{kind,
                        {string_at(*object, {"metadata", "namespace"}),
                         string_at(*object, {"metadata", "name"})},
                        ""};
    const auto written = blocking_write([&](WriteDone done) {
        registry_->create(target, *object, WriteOptions{}, std::move(done));
    });
    return written ? "" : written.error().message;
}

std::string PodLab::create_pod(const std::string& name, const std::string& container,
                               const std::string& spec) {
    return create(cat(R"({"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"default","name":")",
                      name, R"("},"spec":{"nodeName":"node-1","containers":[{"name":"c",)",
                      container, "}],", spec, "}}"));
}

std::string PodLab::debug(const std::string& pod, const std::string& container) {
    auto patch =
        parse_json(cat(R"({"spec":{"ephemeralContainers":[{"image":"busybox",)", container, "}]}}"));
    if (!patch) return patch.error().text();
    const auto written = blocking_write([&](WriteDone done) {
        registry_->patch({find_resource("pods"), {"default", pod}, "ephemeralcontainers"},
                         PatchType::kStrategic, *patch, WriteOptions{}, std::move(done));
    });
    return written ? "" : written.error().message;
}

void PodLab::remove_pod(const std::string& name, std::optional<int64_t> grace) {
    DeleteOptions options;
    options.grace_period_seconds = grace;
    (void)blocking_write([&](WriteDone done) {
        registry_->remove({find_resource("pods"), {"default", name}, ""}, options,
                          std::move(done));
    });
}

Json PodLab::get(std::string_view resource, const std::string& ns, const std::string& name) const {
    const StoredPtr stored = store_->find(resource, {ns, name});
    return stored ? parse_json(stored->body).value() : Json();
}

Json PodLab::wait(const std::string& name, const std::function<bool(const Json&)>& wanted) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    std::unique_lock lock(mutex_);
    while (true) {
        const uint64_t seen = changes_;
        lock.unlock();
        Json now = pod(name);
        lock.lock();
        if (wanted(now)) return now;
        if (!changed_.wait_until(lock, deadline, [&] { return changes_ != seen; })) return now;
    }
}

Json PodLab::wait_phase(const std::string& name, const std::string& phase) {
    return wait(name, [&](const Json& pod) { return string_at(pod, {"status", "phase"}) == phase; });
}

Json PodLab::wait_reason(const std::string& name, const std::string& reason) {
    return wait(name, [&](const Json& pod) {
        const Json& statuses = array_at(pod, {"status", "containerStatuses"});
        if (statuses.empty()) return false;
        for (const auto& [kind, state] : object_at(statuses[0], {"state"}).items()) {
            if (string_at(state, {"reason"}) == reason) return true;
        }
        return false;
    });
}

std::string PodLab::log(const std::string& pod, bool previous, const std::string& container) {
    std::promise<std::string> text;
    agent_->find_log({{"default", pod}, container, previous}, [&](Answer<PodAccess::LogFile> found) {
        text.set_value(found ? plain(found->path) : "[" + found.error().message + "]");
    });
    return text.get_future().get();
}

std::string PodLab::wait_log(const std::string& pod, std::string_view text) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    std::string read;
    while ((read = log(pod)).find(text) == std::string::npos &&
           std::chrono::steady_clock::now() < deadline) {
        std::this_thread::yield();
    }
    return read;
}

std::function<std::string()> PodLab::keep_log(const std::string& pod) {
    std::promise<std::shared_ptr<UniqueFd>> file;
    agent_->find_log({{"default", pod}, "", false}, [&](Answer<PodAccess::LogFile> found) {
        file.set_value(std::make_shared<UniqueFd>(
            found ? ::open(found->path.c_str(), O_RDONLY | O_CLOEXEC) : -1));
    });
    return [kept = file.get_future().get()] { return plain(cat("/proc/self/fd/", kept->get())); };
}

std::string PodLab::run(const std::string& name, const std::string& script,
                        const std::string& container) {
    const Json command{"sh", "-c", script};
    const std::string why = create_pod(
        name, cat(R"("image":"busybox","command":)", to_text(command), container.empty() ? "" : ",",
                  container));
    if (!why.empty()) return why;
    const Json ended = wait(name, [](const Json& pod) {
        const std::string phase = string_at(pod, {"status", "phase"});
        return phase == "Succeeded" || phase == "Failed";
    });
    const std::string phase = string_at(ended, {"status", "phase"});
    return phase == "Succeeded" ? log(name) : cat(log(name), '[', phase, "] ", events(name));
}

std::string PodLab::talk(bool attach, PodAccess::ExecRequest request, const std::string& input) {
    std::promise<std::string> out;
    std::promise<PodAccess::ExitStatus> end;
    const auto started = [&](Answer<PodAccess::ExecStreams> answer) {
        if (!answer) {
            out.set_value("[" + answer.error().message + "]");
            end.set_value({0, "", true});
            return;
        }
        auto streams = std::make_shared<PodAccess::ExecStreams>(std::move(answer).value());
        if (streams->stdin_write.valid()) {
            (void)!::write(streams->stdin_write.get(), input.data(), input.size());
            streams->stdin_write.reset();
        }
        std::thread([&out, streams] {
            std::string text = read_to_end(streams->stdout_read);
            text += read_to_end(streams->stderr_read);
            out.set_value(text);
        }).detach();
    };
    const auto exited = [&](PodAccess::ExitStatus status) { end.set_value(status); };
    if (attach) {
        agent_->attach(std::move(request), started, exited);
    } else {
        agent_->exec(std::move(request), started, exited);
    }
    const PodAccess::ExitStatus status = end.get_future().get();
    std::string text = out.get_future().get();
    if (!status.started) return cat(text, "[", status.message, "]");
    return status.code == 0 ? text : cat(text, "[exit ", status.code, "]");
}

std::string PodLab::exec(const std::string& pod, std::vector<std::string> command) {
    PodAccess::ExecRequest request;
    request.pod = {"default", pod};
    request.command = std::move(command);
    request.want_stderr = true;
    return talk(false, std::move(request), "");
}

std::string PodLab::attach(const std::string& pod, const std::string& input) {
    PodAccess::ExecRequest request;
    request.pod = {"default", pod};
    request.want_stdin = true;
    request.want_stderr = true;
    return talk(true, std::move(request), input);
}

std::string PodLab::events(const std::string& pod, const std::string& part) {
    (void)client_->settle(5000);
    std::string out;
    for (const StoredPtr& stored : store_->list("events", "default").objects) {
        const Json event = parse_json(stored->body).value();
        if (string_at(event, {"involvedObject", "name"}) != pod) continue;
        const std::string line = cat(string_at(event, {"reason"}), ": ",
                                     string_at(event, {"message"}));
        if (line.find(part) != std::string::npos) out += line + '\n';
    }
    return out;
}

}  // namespace kin::netns::test
