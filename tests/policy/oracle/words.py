"""The words that cases are written in: a cluster, policies, and what is done, as plain data."""

from typing import NamedTuple

NAMESPACES = {
    "x": {"ns": "x", "kubernetes.io/metadata.name": "x"},
    "y": {"ns": "y", "env": "test", "kubernetes.io/metadata.name": "y"},
    "z": {"ns": "z", "env": "prod", "kubernetes.io/metadata.name": "z"},
}
# x/c, y/c and z/c have no tier: selectors by a key that is missing have somebody to differ by.
POD_LABELS = {
    "a": {"pod": "a", "tier": "front"},
    "b": {"pod": "b", "tier": "back"},
    "c": {"pod": "c"},
}
PORTS = (80, 81)
PROTOCOLS = ("TCP", "UDP", "SCTP")
NODES = 3
DIRECTIONS = ("ingress", "egress")


class Step(NamedTuple):
    """Changes made at once, after which every cell of the table is compared."""

    changes: list
    # What upstream's truth table says: (port, protocol, ((from, to, allowed), ...)); a later
    # line overrides an earlier one, and what no line says is allowed.
    tables: tuple = ()


class Case(NamedTuple):
    name: str
    steps: list
    pods: str = ""  # those that upstream's truth table is about


def pods():
    """The nine pods, each namespace's over all nodes, so that every pair of nodes has its pairs."""
    return {
        f"{ns}/{name}": {
            "namespace": ns,
            "name": name,
            "labels": dict(POD_LABELS[name]),
            "node": f"node-{1 + (i + j) % NODES}",
            "ports": named_ports(),
        }
        for i, ns in enumerate(NAMESPACES)
        for j, name in enumerate(POD_LABELS)
    }


def named_ports():
    return [
        {"name": f"serve-{port}-{protocol.lower()}", "port": port, "protocol": protocol}
        for port in PORTS
        for protocol in PROTOCOLS
    ]


def policy(name, ns, target, ingress=None, egress=None, types=None):
    """Sections that are None are left out, and so is policyTypes."""
    spec = {"podSelector": target}
    for key, value in (("ingress", ingress), ("egress", egress), ("policyTypes", types)):
        if value is not None:
            spec[key] = value
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": ns},
        "spec": spec,
    }


def rule(direction, peers=None, ports=None):
    out = {}
    if peers is not None:
        out["from" if direction == "ingress" else "to"] = peers
    if ports is not None:
        out["ports"] = ports
    return out


def one_way(direction, rules, target=None, ns="x", name="one"):
    """A policy for one direction only."""
    return policy(
        name,
        ns,
        {} if target is None else target,
        types=[direction.capitalize()],
        **{direction: rules},
    )


def labels(**pairs):
    return {"matchLabels": pairs}


def expression(key, operator, *values):
    one = {"key": key, "operator": operator}
    if values:
        one["values"] = list(values)
    return {"matchExpressions": [one]}


def by_pod(selector):
    return {"podSelector": selector}


def by_namespace(selector):
    return {"namespaceSelector": selector}


def by_both(namespace, pod):
    return {"namespaceSelector": namespace, "podSelector": pod}


POD_SELECTORS = {
    "all": {},
    "labels": labels(pod="b"),
    "in": expression("pod", "In", "b", "c"),
    "not-in": expression("tier", "NotIn", "back"),
    "exists": expression("tier", "Exists"),
    "missing": expression("tier", "DoesNotExist"),
    "and": {**labels(tier="back"), **expression("pod", "NotIn", "a")},
}
NAMESPACE_SELECTORS = {
    "all": {},
    "labels": labels(ns="y"),
    "in": expression("ns", "In", "x", "y"),
    "not-in": expression("env", "NotIn", "test"),
    "exists": expression("env", "Exists"),
    "missing": expression("env", "DoesNotExist"),
    "and": {**labels(ns="z"), **expression("env", "In", "prod", "test")},
}


def block(cidr, *holes):
    """Blocks "@x/a/24" are those around a pod's address as it is when the policy is applied."""
    return {"ipBlock": {"cidr": cidr, **({"except": list(holes)} if holes else {})}}


def port(number=None, protocol=None, last=None):
    pairs = (("port", number), ("protocol", protocol), ("endPort", last))
    return {key: value for key, value in pairs if value is not None}


# What is done.
def put(*policies):
    """Creates each, or replaces the one of its name."""
    return [("put", one) for one in policies]


def delete(ns, name):
    return [("delete", ns, name)]


def label_pod(pod, /, **pairs):
    """None takes a label away."""
    return [("label-pod", pod, pairs)]


def label_namespace(ns, /, **pairs):
    return [("label-namespace", ns, pairs)]


def remove_pod(pod):
    return [("remove-pod", pod)]


def add_pod(pod, node, /, **pairs):
    return [("add-pod", pod, node, pairs)]
