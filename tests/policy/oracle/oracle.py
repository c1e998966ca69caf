"""What NetworkPolicy (networking.k8s.io/v1) means, from its documentation and from nothing of kin.

    verdict = judge(cluster, policies, Packet("10.244.1.2", "10.244.2.2", "TCP", 80))
    verdict.allowed, verdict.why

`cluster` is plain data: {"namespaces": {NAME: LABELS}, "nodes": {NAME: ADDRESS}, "pods": [{
"namespace", "name", "labels", "address", "node", "ports": [{"name", "port", "protocol"}]}]}.
`policies` are the API's objects as decoded JSON. A packet is the first of its connection; replies
are no question of their own. Pods of their node's network are not in `cluster`: their traffic is
the node's.
"""

import ipaddress
from typing import NamedTuple


class Packet(NamedTuple):
    source: str
    destination: str
    protocol: str  # "TCP", "UDP", "SCTP"; anything else has no ports
    port: int = 0  # of the destination


class Verdict(NamedTuple):
    allowed: bool
    why: str


def judge(cluster, policies, packet):
    """A connection needs both ends: the source's egress and the destination's ingress."""
    pods = {pod["address"]: pod for pod in cluster["pods"]}
    source, destination = pods.get(packet.source), pods.get(packet.destination)
    if source is not None and packet.source == packet.destination:
        return Verdict(True, "a pod cannot block access to itself")
    scene = Scene(cluster, packet, source, destination)
    leaves = scene.one_end("Egress", source, policies)
    if not leaves.allowed:
        return leaves
    if destination is not None and packet.source == cluster["nodes"].get(destination["node"]):
        return Verdict(True, "the source is the destination's own node")
    enters = scene.one_end("Ingress", destination, policies)
    return Verdict(enters.allowed, f"{leaves.why}; {enters.why}" if enters.allowed else enters.why)


class Scene(NamedTuple):
    """A packet between two ends, each a pod or None for whatever else has addresses."""

    cluster: dict
    packet: Packet
    source: dict
    destination: dict

    def one_end(self, direction, pod, policies):
        """What the policies that isolate `pod` for this direction say; any of them may allow."""
        if pod is None:
            return Verdict(True, f"{direction}: not a pod, nothing isolates it")
        name = f'{pod["namespace"]}/{pod["name"]}'
        isolating = [p for p in policies if selects(p, pod) and direction in policy_types(p)]
        if not isolating:
            return Verdict(True, f"{direction}: {name} is not isolated")
        for policy in isolating:
            rules = policy.get("spec", {}).get(direction.lower()) or []
            for number, rule in enumerate(rules, 1):
                if self.rule_matches(direction, rule, policy["metadata"]["namespace"]):
                    return Verdict(True, f"{direction}: {title(policy)} rule {number} allows it")
        names = ", ".join(map(title, isolating))
        return Verdict(False, f"{direction}: {name} is isolated by {names}; no rule matches")

    def rule_matches(self, direction, rule, namespace):
        """Both halves must match; a half that is missing or empty matches everything."""
        peers = rule.get("to" if direction == "Egress" else "from") or []
        ports = rule.get("ports") or []
        return (not peers or any(self.peer_matches(direction, p, namespace) for p in peers)) and (
            not ports or any(self.port_matches(p) for p in ports)
        )

    def peer_matches(self, direction, peer, namespace):
        if direction == "Egress":
            other, address = self.destination, self.packet.destination
        else:
            other, address = self.source, self.packet.source
        block = peer.get("ipBlock")
        if block is not None:
            return within(address, block["cidr"]) and not any(
                within(address, hole) for hole in block.get("except") or []
            )
        if other is None:
            return False
        by_pod, by_namespace = peer.get("podSelector"), peer.get("namespaceSelector")
        if by_pod is None and by_namespace is None:
            return False
        if by_namespace is None:
            in_namespace = other["namespace"] == namespace
        else:
            in_namespace = label_match(
                by_namespace, self.cluster["namespaces"].get(other["namespace"], {})
            )
        return in_namespace and (by_pod is None or label_match(by_pod, other["labels"]))

    def port_matches(self, port):
        if (port.get("protocol") or "TCP") != self.packet.protocol:
            return False
        wanted = port.get("port")
        if wanted is None:
            return True
        if isinstance(wanted, str):  # What the pod that is connected to calls so.
            named = self.destination["ports"] if self.destination else []
            return any(
                have.get("name") == wanted
                and have["port"] == self.packet.port
                and (have.get("protocol") or "TCP") == self.packet.protocol
                for have in named
            )
        last = port.get("endPort")
        return wanted <= self.packet.port <= (wanted if last is None else last)


def selects(policy, pod):
    """An empty or missing podSelector means all pods of the policy's namespace."""
    return pod["namespace"] == policy["metadata"]["namespace"] and label_match(
        policy.get("spec", {}).get("podSelector") or {}, pod["labels"]
    )


def policy_types(policy):
    """Where nothing is said: Ingress, and Egress too if there are egress rules."""
    spec = policy.get("spec", {})
    stated = spec.get("policyTypes") or []
    return stated or ["Ingress"] + (["Egress"] if spec.get("egress") else [])


def label_match(selector, labels):
    """Every requirement must hold; an empty selector has none."""
    pairs = (selector.get("matchLabels") or {}).items()
    return all(labels.get(key) == value for key, value in pairs) and all(
        requirement_holds(one, labels) for one in selector.get("matchExpressions") or []
    )


def requirement_holds(requirement, labels):
    key, values = requirement["key"], requirement.get("values") or []
    return {
        "In": key in labels and labels[key] in values,
        "NotIn": key not in labels or labels[key] not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }[requirement["operator"]]


def within(address, block):
    return ipaddress.ip_address(address) in ipaddress.ip_network(block, strict=False)


def title(policy):
    return f'{policy["metadata"]["namespace"]}/{policy["metadata"]["name"]}'
