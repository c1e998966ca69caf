#include "policy/enforcer.h"

#include <chrono>

#include "core/base/log.h"
#include "core/base/strings.h"

namespace kin::policy {

namespace {
PolicyPod facts(const Pod& pod, Ipv4 address) {
    return {pod.key(), pod.meta.uid, pod.meta.labels, pod.node, address, pod.ports};
}

/// Whether a change may forbid what was allowed: new pods behind a map, fewer elements, a new text
/// of a chain.
bool may_forbid(const nft::Change& change) {
    if (!change.rewritten_chains.empty()) return true;
    for (const nft::ElementChange& elements : change.elements) {
        const std::string& set = elements.set.name;
        const bool of_pods = set == kIngressPods || set == kEgressPods;
        if (of_pods ? !elements.added.empty() : !elements.removed.empty()) return true;
    }
    return false;
}
}  // namespace

Enforcer::Enforcer(Client& client, const std::vector<KernelNode*>& nodes, Established established)
    : client_(client),
      established_(established),
      cutter_(client.loop(),
              [this](const Flow& flow) {
                  return !judge(world(), {flow.source, flow.replier, flow.l4, flow.replier_port})
                              .allowed();
              }),
      work_(client.loop(), {.name = "policy"}, [this] { return update(); }) {
    for (KernelNode* node : nodes) nodes_[node->name].kernel = node;
    client.cache<Namespace>().on_change(
        lifetime_.bind([this](const CacheChange<Namespace>& change) {
            ruleset_.set_namespace(
                change.either().key().name,
                change.now ? std::optional<Labels>(change.now->meta.labels) : std::nullopt);
            work_.mark();
        }));
    client.cache<Node>().on_change(lifetime_.bind([this](const CacheChange<Node>& change) {
        ruleset_.set_node(change.either().key().name,
                          change.now ? Ipv4::parse(change.now->internal_ip) : std::nullopt);
    }));
    client.cache<NetworkPolicy>().on_change(
        lifetime_.bind([this](const CacheChange<NetworkPolicy>& change) {
            // Its status and metadata do not matter.
            if (change.before && change.now && change.before->spec() == change.now->spec()) return;
            ruleset_.set_policy(
                change.either().key(),
                change.now ? std::optional<NetworkPolicy>(*change.now) : std::nullopt);
            work_.mark();
        }));
    client.cache<Pod>().on_change(
        lifetime_.bind([this](const CacheChange<Pod>& change) { on_pod(change); }));
    client.add_busy_check("policy",
                          lifetime_.bind([this] { return work_.busy() || cutter_.busy(); }));
}

void Enforcer::add_node(KernelNode& node) { nodes_[node.name].kernel = &node; }

void Enforcer::remove_node(const std::string& name) {
    cutter_.drop(name);
    nodes_.erase(name);
}

void Enforcer::on_pod(const CacheChange<Pod>& change) {
    const Pod* const before = change.before;
    const Pod* const now = change.now;
    const bool other = !now || (before && before->meta.uid != now->meta.uid);
    if (before && other) {
        const auto announced = announced_.find(before->meta.uid);
        const auto address =
            announced != announced_.end() ? announced->second : Ipv4::parse(before->ip);
        if (address) ruleset_.remove_pod(*address, before->meta.uid);
        if (announced != announced_.end()) announced_.erase(announced);
        work_.mark();
    }
    if (!now || now->host_network) return;
    const auto announced = announced_.find(now->meta.uid);
    const auto address = announced != announced_.end() ? std::optional<Ipv4>(announced->second)
                                                       : Ipv4::parse(now->ip);
    if (!address) return;
    if (now->finished()) {
        ruleset_.remove_pod(*address, now->meta.uid);
    } else {
        ruleset_.set_pod(facts(*now, *address));
    }
    work_.mark();
}

Result<> Enforcer::isolate(const Pod& pod, Ipv4 address) {
    announced_[pod.meta.uid] = address;
    ruleset_.set_pod(facts(pod, address));
    auto updated = update();
    if (updated) return Ok{};
    work_.mark();  // Until it succeeds.
    const auto node = nodes_.find(pod.node);
    if (node == nodes_.end() || !node->second.whole) return Ok{};  // Others have the problem.
    return std::move(updated).context("put NetworkPolicies in force");
}

Result<> Enforcer::update() {
    auto changes = ruleset_.take_changes();
    Result<> first = Ok{};
    for (auto& [name, node] : nodes_) {
        const auto change = changes.find(name);
        const bool changed = change != changes.end();
        if (!changed && !node.whole) continue;
        const bool look = changed && (may_forbid(change->second) || cutter_.keeps_any(name));
        if (!node.has_table || look) cut_.insert(name);
        auto written = write(node, changed ? std::move(change->second) : nft::Change{});
        if (written) continue;
        node.whole = true;
        if (first) first = std::move(written).context(cat("policies of ", name));
    }
    cut_connections();
    return first;
}

/// On the nodes whose rules are in force; a node that refused them has its turn when it takes them.
void Enforcer::cut_connections() {
    if (established_ == Established::kKeep) cut_.clear();
    std::erase_if(cut_, [this](const std::string& name) {
        const auto node = nodes_.find(name);
        if (node == nodes_.end()) return true;
        if (node->second.whole) return false;
        if (!node->second.has_table) return true;
        auto looked = cutter_.look(name, node->second.kernel->netns);
        if (!looked) log_warn("policy", looked.error().text(), {{"node", name}});
        return true;
    });
}

Result<> Enforcer::write(NodeState& node, nft::Change change) {
    if (!ruleset_.needs_table(node.kernel->name)) {
        if (node.has_table || node.whole) TRY(node.kernel->nft.remove(kTableName));
        node.has_table = node.whole = false;
        return Ok{};
    }
    if (!node.has_table || node.whole) return write_whole(node);
    Result<> written = node.kernel->nft.apply(std::move(change));
    // Somebody else has touched the node's rules: make sure of all of ours.
    if (!written && written.error().code() == Errc::kConflict) return write_whole(node);
    return written;
}

Result<> Enforcer::write_whole(NodeState& node) {
    if (!node.has_table) prepare(node);
    TRY(node.kernel->nft.replace(ruleset_.table(node.kernel->name)));
    node.has_table = true;
    node.whole = false;
    return Ok{};
}

/// What a node with policies needs besides its table.
void Enforcer::prepare(NodeState& node) {
    // A connection that conntrack was told to forget must not be taken up again in its middle.
    const auto strict =
        node.kernel->netns.write_sysctls({{"net/netfilter/nf_conntrack_tcp_loose", "0"}});
    if (!strict) log_warn("policy", strict.error().text());
    if (node.drops) return;  // To close it would take the kernel up to 16 ms, so it stays.
    auto opened = PacketLog::open(node.kernel->netns, kDropLog);
    if (!opened) {
        log_warn("policy",
                 cat("drops of ", node.kernel->name, " are not told: ", opened.error().text()));
        return;
    }
    node.drops = std::make_unique<DropWatch>(std::move(*opened));
    node.drops->watch = client_.loop().watch(
        node.drops->log.fd(), Readiness::kReadable,
        [this, &drops = *node.drops, name = node.kernel->name](int) { read_drops(name, drops); });
}

/// A pod may send as many packets that are dropped as it likes: only so many are looked at, then
/// the log rests a moment, and what it cannot hold the kernel leaves out.
void Enforcer::read_drops(const std::string& node, DropWatch& drops) {
    constexpr auto kRest = std::chrono::milliseconds(20);
    constexpr size_t kMost = 16;
    drops.log.read(kMost, [&](const LoggedPacket& packet) { on_logged(node, packet); });
    drops.watch.set(0);
    drops.rested = client_.loop().after(kRest, [&drops] { drops.watch.set(Readiness::kReadable); });
}

void Enforcer::on_logged(const std::string& node, const LoggedPacket& logged) {
    const auto packet = read_packet(logged.payload);
    if (!packet) return;
    if (packet->probe) {  // Nobody but who asked for it wants to hear of it.
        if (heard_) heard_(packet->packet);
        return;
    }
    Drop drop;
    drop.time = std::chrono::system_clock::now();
    drop.node = node;
    drop.dropped = *packet;
    const bool in = logged.prefix.starts_with(name_of(Direction::kIngress));
    drop.direction = in ? Direction::kIngress : Direction::kEgress;
    drop.from = place_name(world(), packet->packet.source);
    drop.to = place_name(world(), packet->packet.destination);
    const Judgement judgement = judge(world(), packet->packet);
    const SideVerdict& side = in ? judgement.ingress : judgement.egress;
    drop.why = side.to_string();
    if (!drops_.add(drop)) return;
    const auto pod = world().pods.find(in ? packet->packet.destination : packet->packet.source);
    if (pod == world().pods.end()) return;
    tell(pod->second, drop);
}

void Enforcer::tell(const PolicyPod& pod, const Drop& drop) {
    Client::EventNote note;
    note.kind = "Pod";
    note.api_version = "v1";
    note.key = pod.key;
    note.uid = pod.uid;
    note.type = "Warning";
    note.reason = "NetworkPolicyDropped";
    const bool in = drop.direction == Direction::kIngress;
    const std::string port = drop.dropped.packet.l4 == nft::L4::kIcmp
                                 ? std::string()
                                 : cat(" port ", drop.dropped.packet.port);
    note.message = cat(protocol_text(drop.dropped.packet.l4), port, in ? " from " : " to ",
                       in ? drop.from : drop.to, " was dropped: ", drop.why);
    note.component = "kin-policy";
    note.host = drop.node;
    client_.record(std::move(note));
}

}  // namespace kin::policy
