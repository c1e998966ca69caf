"""The cases of the grid: NetworkPolicy's dimensions in all combinations that matter, random ones,
and upstream's 48.

    python3 cases.py        how many there are of each group
"""

import upstream
from random_cases import random_policies
from words import (
    DIRECTIONS, NAMESPACE_SELECTORS, POD_SELECTORS, Case, Step, add_pod, block, by_both,
    by_namespace, by_pod, delete, expression, label_namespace, label_pod, labels, one_way,
    policy, port, put, remove_pod, rule,
)

def one(name, *policies):
    return Case(name, [Step(put(*policies))])


def peers():
    """Every pod selector with every namespace selector."""
    out = []
    for direction in DIRECTIONS:
        for pod_kind, pod in [("none", None), *POD_SELECTORS.items()]:
            for ns_kind, ns in [("none", None), *NAMESPACE_SELECTORS.items()]:
                if pod is None and ns is None:
                    continue
                peer = {} if pod is None else by_pod(pod)
                peer |= {} if ns is None else by_namespace(ns)
                name = f"{direction} pod={pod_kind} namespace={ns_kind}"
                out.append(one(name, one_way(direction, [rule(direction, [peer])])))
    return out


def alternatives():
    """Several peers of a rule, several rules: any of them."""
    b, c = by_pod(labels(pod="b")), by_pod(labels(pod="c"))
    y, z = by_namespace(labels(ns="y")), by_namespace(labels(ns="z"))
    everybody = by_namespace({})
    both, nobody = by_both(labels(ns="y"), labels(pod="b")), by_pod(labels(pod="nobody"))
    out = []
    for way in DIRECTIONS:
        forms = {
            "pod or pod": [rule(way, [b, c])],
            "pod or namespace": [rule(way, [b, y])],
            "namespace or namespace": [rule(way, [y, z])],
            "pod or both": [rule(way, [c, both])],
            "nobody": [rule(way, [nobody])],
            "nobody or somebody": [rule(way, [nobody, z])],
            "selector or block": [rule(way, [y, block("@x/b/32")])],
            "rule or rule": [rule(way, [b]), rule(way, [z])],
            "a port for each rule": [rule(way, [y], [port(80)]), rule(way, [z], [port(81)])],
            "peers and ports": [rule(way, [y, b], [port(80), port(81, "UDP")])],
            "overlapping rules": [rule(way, [y], [port(80)]), rule(way, [everybody], [port(80)])],
            "the same rule twice": [rule(way, [y], [port(80)])] * 2,
            "the same peer twice": [rule(way, [y, y], [port(80), port(80)])],
        }
        out += [one(f"{way} {name}", one_way(way, rules)) for name, rules in forms.items()]
    return out


def blocks():
    """A pod is in a block by its address, whatever else it is."""
    but_b = block("10.244.0.0/16", "@x/b/32")
    forms = {
        "one address": [block("@x/b/32")],
        "everything": [block("0.0.0.0/0")],
        "pods of one node": [block("@x/b/24")],
        "pods of one node but one": [block("@x/b/24", "@x/b/32")],
        "with host bits": [block("@@x/b/24", "@@x/b/30")],
        "all pods": [block("10.244.0.0/16")],
        "all pods but a node's": [block("10.244.0.0/16", "@y/b/24")],
        "two exceptions": [block("10.244.0.0/16", "@x/b/32", "@y/b/32")],
        "exceptions that overlap": [block("10.244.0.0/16", "@x/b/24", "@x/b/32")],
        "everything but pods": [block("0.0.0.0/0", "10.244.0.0/16")],
        "both halves": [block("0.0.0.0/1"), block("128.0.0.0/1", "172.30.0.0/24")],
        "an exception that another block gives back": [but_b, block("@x/b/32")],
        "an exception that a selector gives back": [but_b, by_pod(labels(pod="b"))],
        "nodes": [block("172.30.0.0/24")],
        "outside": [block("203.0.113.0/24")],
        "blocks inside of blocks": [
            block("@x/b/24"),
            block("@x/b/32"),
            block("10.244.0.0/16", "@y/b/24"),
        ],
    }
    return [
        one(f"{way} block: {name}", one_way(way, [rule(way, several)]))
        for way in DIRECTIONS
        for name, several in forms.items()
    ]


def ports():
    protocols = ("TCP", "UDP", "SCTP")
    forms = {"no protocol": [port(80)], "no port, no protocol": [{}]}
    for protocol in protocols:
        name = protocol.lower()
        forms |= {
            f"80/{name}": [port(80, protocol)],
            f"81/{name}": [port(81, protocol)],
            f"any/{name}": [port(protocol=protocol)],
            f"named/{name}": [port(f"serve-81-{name}", protocol)],
            f"range 80-81/{name}": [port(80, protocol, 81)],
            f"range 1-80/{name}": [port(1, protocol, 80)],
            f"range 81-65535/{name}": [port(81, protocol, 65535)],
            f"range of one/{name}": [port(81, protocol, 81)],
            f"range beside/{name}": [port(82, protocol, 90)],
        }
    forms |= {
        "named, of another protocol": [port("serve-80-tcp", "UDP")],
        "named, of nobody": [port("nobody", "TCP")],
        "a port twice": [port(80, "TCP"), port(80, "TCP")],
        "two protocols": [port(80, "TCP"), port(81, "UDP")],
        "number or name": [port(80, "TCP"), port("serve-81-tcp", "TCP")],
        "ranges that overlap": [port(70, "TCP", 80), port(75, "TCP", 81)],
        "ranges that touch": [port(70, "UDP", 80), port(81, "UDP", 90)],
        "any and one": [port(protocol="UDP"), port(80, "UDP"), port(81, "TCP")],
        "all names": [port(f"serve-{n}-{p.lower()}", p) for n in (80, 81) for p in protocols],
    }
    peers = {"namespace": by_namespace(labels(ns="y")), "block": block("@y/b/24")}
    out = []
    for way in DIRECTIONS:
        for name, several in forms.items():
            out.append(one(f"{way} port: {name}", one_way(way, [rule(way, ports=several)])))
        for peer_name, peer in peers.items():
            for name in ("80/tcp", "named/udp", "range 80-81/tcp", "named/sctp"):
                rules = [rule(way, [peer], forms[name])]
                out.append(one(f"{way} {peer_name} and port: {name}", one_way(way, rules)))
    return out


def lists():
    """What is missing or empty, and what policyTypes say then."""
    out = []
    to_y = [rule("egress", [by_namespace(labels(ns="y"))])]
    from_y = [rule("ingress", [by_namespace(labels(ns="y"))])]
    for way in DIRECTIONS:
        half = "from" if way == "ingress" else "to"
        forms = {
            "no rules": [],
            "a rule of nothing": [{}],
            "peers are empty": [{half: []}],
            "ports are empty": [{"ports": []}],
            "both are empty": [{half: [], "ports": []}],
            "peers are null": [{half: None, "ports": [port(80)]}],
            "ports are null": [{half: [by_namespace(labels(ns="z"))], "ports": None}],
            "an empty rule beside another": [{}, rule(way, [by_namespace(labels(ns="z"))])],
        }
        out += [one(f"{way} lists: {name}", one_way(way, rules)) for name, rules in forms.items()]
        no_section = policy("one", "x", {}, types=[way.capitalize()])
        out.append(one(f"{way} lists: no section", no_section))
    types = {
        "types missing, nothing": (None, None, None),
        "types missing, ingress": (from_y, None, None),
        "types missing, egress": (None, to_y, None),
        "types missing, egress is empty": (None, [], None),
        "types missing, both": (from_y, to_y, None),
        "types are empty, egress": (None, to_y, []),
        "types Ingress, both": (from_y, to_y, ["Ingress"]),
        "types Egress, both": (from_y, to_y, ["Egress"]),
        "types Egress, ingress only": (from_y, None, ["Egress"]),
        "types both, nothing": (None, None, ["Ingress", "Egress"]),
        "types both, both": (from_y, to_y, ["Egress", "Ingress"]),
    }
    return out + [one(name, policy("one", "x", {}, *sections)) for name, sections in types.items()]


def targets():
    """Whom a policy is about."""
    y = by_namespace(labels(ns="y"))
    return [
        one(f"{way} target: {name}", one_way(way, [rule(way, [y])], target, "z"))
        for way in DIRECTIONS
        for name, target in [*POD_SELECTORS.items(), ("nobody", labels(pod="nobody"))]
    ]


def several():
    """Policies add up, and each end has its own."""
    out = []
    a, b = by_pod(labels(pod="a")), by_pod(labels(pod="b"))
    a_or_b = expression("pod", "In", "a", "b")
    y, z = by_namespace(labels(ns="y")), by_namespace(labels(ns="z"))
    for way in DIRECTIONS:

        def two(first, second, target=None):
            return [one_way(way, first, name="one"), one_way(way, second, target, name="two")]

        forms = {
            "deny and allow": two([], [rule(way, [y])]),
            "deny and allow some": two([], [rule(way, [y])], labels(pod="a")),
            "deny and allow everything": two([], [{}]),
            "two denials": two([], []),
            "peers add up": two([rule(way, [y])], [rule(way, [b])]),
            "ports add up": two(
                [rule(way, ports=[port(80)])], [rule(way, ports=[port(81, "UDP")])]
            ),
            "no product of peers and ports": two(
                [rule(way, [y], [port(80)])], [rule(way, [z], [port(81)])]
            ),
            "targets overlap": two([rule(way, [y])], [rule(way, [z])], a_or_b),
            "a block's exception is no denial": two(
                [rule(way, [block("10.244.0.0/16", "@y/b/32")])], [rule(way, [y])]
            ),
            "in every namespace": [
                one_way(way, [rule(way, [by_pod({})])], ns=ns, name="own") for ns in ("x", "y", "z")
            ],
        }
        out += [one(f"{way} several: {name}", *policies) for name, policies in forms.items()]
    out_of_x, into_y = rule("egress", [y]), rule("ingress", [by_namespace(labels(ns="x"))])
    ends = {
        "both ends allow": [one_way("egress", [out_of_x]), one_way("ingress", [into_y], ns="y")],
        "only the source allows": [one_way("egress", [out_of_x]), one_way("ingress", [], ns="y")],
        "only the destination allows": [
            one_way("egress", []),
            one_way("ingress", [into_y], ns="y"),
        ],
        "ports that both allow": [
            one_way("egress", [rule("egress", [y], [port(80), port(81, "UDP")])]),
            one_way("ingress", [rule("ingress", ports=[port(protocol="UDP")])], ns="y"),
        ],
        "nothing passes anywhere": [
            policy("none", ns, {}, [], [], ["Ingress", "Egress"]) for ns in ("x", "y", "z")
        ],
        "a chain": [
            one_way("ingress", [rule("ingress", [a])], labels(pod="b"), name="a-b"),
            one_way("ingress", [rule("ingress", [b])], labels(pod="c"), name="b-c"),
            one_way("egress", [rule("egress", [b])], labels(pod="a"), name="a"),
        ],
    }
    return out + [one(f"ends: {name}", *policies) for name, policies in ends.items()]


def actions():
    """What happens to policies, pods and namespaces while policies are in force."""
    y, z = by_namespace(labels(ns="y")), by_namespace(labels(ns="z"))
    out = []
    for way in DIRECTIONS:
        deny, allow_y = one_way(way, []), one_way(way, [rule(way, [y])])
        updated = [by_pod(labels(pod="b", now="yes"))]
        by_ns = one_way(way, [rule(way, [by_namespace(labels(now="yes"))])])
        stories = {
            "create, update, delete": [put(deny), put(allow_y), delete("x", "one")],
            "the rule comes and goes": [put(allow_y), put(deny), put(allow_y)],
            "ports change": [
                put(one_way(way, [rule(way, [y], [port(*one_port)])]))
                for one_port in ((80, "TCP"), (81, "UDP"), (81, "TCP"))
            ],
            "the target changes": [
                put(one_way(way, [], labels(pod="a"))),
                put(one_way(way, [], labels(pod="b"))),
                put(one_way(way, [], labels(pod="nobody"))),
            ],
            "the direction changes": [
                put(policy("one", "x", {}, types=["Ingress"])),
                put(policy("one", "x", {}, types=["Egress"])),
                put(policy("one", "x", {}, types=["Ingress", "Egress"])),
            ],
            "one of two goes": [
                put(allow_y, one_way(way, [rule(way, [z])], name="two")),
                delete("x", "one"),
                delete("x", "two"),
            ],
            "a peer's label": [
                put(one_way(way, [rule(way, updated)])),
                label_pod("x/b", now="yes"),
                label_pod("x/b", now="no"),
                label_pod("x/b", now=None),
            ],
            "a target's label": [
                put(one_way(way, [], labels(isolated="yes"))),
                label_pod("x/c", isolated="yes"),
                label_pod("x/c", isolated=None),
            ],
            "a namespace's label": [
                put(by_ns),
                label_namespace("y", now="yes"),
                label_namespace("z", now="yes"),
                label_namespace("y", now=None),
            ],
            "a key appears": [
                put(one_way(way, [rule(way, [by_namespace(expression("env", "Exists"))])])),
                label_namespace("x", env=""),
                label_namespace("y", env=None),
            ],
            "much at once": [
                put(deny, one_way(way, [rule(way, updated)], name="two")),
                label_pod("x/b", now="yes")
                + put(one_way(way, [], ns="y"))
                + label_namespace("z", now="yes"),
                delete("x", "one") + label_pod("x/b", now=None),
            ],
            "a pod goes and comes back": [
                put(one_way(way, [rule(way, [by_pod(labels(pod="b"))])])),
                remove_pod("x/b"),
                add_pod("x/b", "node-3", pod="b"),
            ],
            "a pod comes to be a target": [
                put(one_way(way, [rule(way, [y])], labels(pod="d"), "z")),
                add_pod("z/d", "node-2", pod="d"),
                remove_pod("z/d"),
            ],
            "an address changes its owner": [
                put(one_way(way, [rule(way, [by_pod(labels(pod="c"))])])),
                remove_pod("x/c"),
                add_pod("y/d", "node-3", pod="c"),
                remove_pod("y/d") + add_pod("x/c", "node-3", pod="c"),
            ],
        }
        for name, steps in stories.items():
            out.append(Case(f"{way} {name}", [Step(did) for did in steps]))
    return out


def groups():
    return {
        "peers": peers(),
        "alternatives": alternatives(),
        "blocks": blocks(),
        "ports": ports(),
        "lists": lists(),
        "targets": targets(),
        "several": several(),
        "actions": actions(),
        "random": random_policies(200),
        "upstream": [c._replace(name=f"upstream {c.name}") for c in upstream.cases()],
    }


def sample(count):
    """About so many of all, evenly out of every group and always the same."""
    everything = groups()
    share = count / sum(map(len, everything.values()))
    out = {}
    for name, cases in everything.items():
        take = max(3, round(len(cases) * share))
        out[name] = [cases[i * len(cases) // take] for i in range(take)]
    return out


if __name__ == "__main__":
    counts = {name: len(cases) for name, cases in groups().items()}
    for name, count in counts.items():
        print(f"{count:4} {name}")
    print(f"{sum(counts.values()):4} in all")
