"""Upstream's 48 end-to-end cases of NetworkPolicy (kubernetes, test/e2e/network/netpol) and their
truth tables, which say what must hold without asking the oracle."""

from words import (
    Case, Step, block, by_both, by_namespace, by_pod, delete, expression, label_namespace,
    label_pod, labels, one_way, policy, port, put, rule,
)

NAME = "kubernetes.io/metadata.name"
A = labels(pod="a")
Y = {"matchLabels": {NAME: "y"}}
NOT_X = expression(NAME, "NotIn", "x")
NO, YES = False, True
DENY_TO_A = (("*", "x/a", NO),)


def ingress(name, target, *rules):
    return one_way("ingress", list(rules), target, name=name)


def egress(name, target, *rules):
    return one_way("egress", list(rules), target, name=name)


def from_peers(*peers, ports=None):
    return rule("ingress", list(peers), ports)


def to_peers(*peers, ports=None):
    return rule("egress", list(peers), ports)


def table(number, *lines, protocol="TCP"):
    return (number, protocol, lines)


def one(name, pods, policies, *tables):
    """A case of one step."""
    return Case(name, [Step(put(*policies), tables)], pods)


def selectors():
    xa_from_xb = (*DENY_TO_A, ("x/b", "x/a", YES))
    only_y = (("x/*", "x/a", NO), ("z/*", "x/a", NO))
    return [
        one(
            "default-deny-ingress",
            "x/a x/b y/a y/b",
            [ingress("deny-ingress", {})],
            table(80, ("*", "x/*", NO)),
        ),
        one(
            "default-deny-all",
            "x/a x/b y/a",
            [policy("deny-all", "x", {}, [], [], ["Ingress", "Egress"])],
            table(80, ("*", "x/*", NO), ("x/*", "*", NO)),
        ),
        one(
            "within the server's namespace, by PodSelector",
            "x/a x/b x/c y/a",
            [ingress("x-a-allows-x-b", A, from_peers(by_pod(labels(pod="b"))))],
            table(80, *xa_from_xb),
        ),
        one(
            "ingress for a target",
            "x/a x/b y/a",
            [ingress("deny-all", {}), ingress("allow-all-to-a", A, from_peers(by_both({}, {})))],
            table(80, ("*", "x/a", YES), ("*", "x/b", NO)),
        ),
        one(
            "ingress from all namespaces",
            "x/a x/b y/a z/a",
            [ingress("allow-from-another-ns", A, from_peers(by_namespace({"matchLabels": {}})))],
            table(80),
        ),
        one(
            "only from a different namespace, by NamespaceSelector",
            "x/a x/b y/a z/a",
            [ingress("allow-y", A, from_peers(by_namespace(Y)))],
            table(80, *only_y),
        ),
        one(
            "PodSelector with MatchExpressions",
            "x/a x/b y/a",
            [ingress("x-a-allows-x-b", A, from_peers(by_pod(expression("pod", "In", "b"))))],
            table(80, *xa_from_xb),
        ),
        one(
            "NamespaceSelector with MatchExpressions",
            "x/a x/b y/a z/a",
            [ingress("allow-y", A, from_peers(by_namespace(expression(NAME, "In", "y"))))],
            table(80, *only_y),
        ),
        one(
            "PodSelector or NamespaceSelector",
            "x/a x/b x/c y/a",
            [ingress("allow", A, from_peers(by_namespace(NOT_X), by_pod(labels(pod="b"))))],
            table(80, ("x/c", "x/a", NO)),
        ),
        one(
            "PodSelector and NamespaceSelector",
            "x/a x/b y/a y/b z/b",
            [ingress("allow", A, from_peers(by_both(NOT_X, labels(pod="b"))))],
            table(80, *DENY_TO_A, ("y/b", "x/a", YES), ("z/b", "x/a", YES)),
        ),
        one(
            "several PodSelectors and NamespaceSelectors",
            "x/a x/b y/a y/b y/c",
            [ingress("allow", A, from_peers(by_both(NOT_X, expression("pod", "In", "b", "c"))))],
            table(80, ("x/*", "x/a", NO), ("y/a", "x/a", NO)),
        ),
        one(
            "any PodSelectors",
            "x/a x/b x/c",
            [ingress("allow", A, from_peers(by_pod(labels(pod="b")), by_pod(labels(pod="c"))))],
            table(80, *DENY_TO_A, ("x/b", "x/a", YES), ("x/c", "x/a", YES)),
        ),
        one(
            "only from a pod in a different namespace",
            "x/a x/b y/a y/b z/a",
            [ingress("allow", A, from_peers(by_both(Y, A)))],
            table(80, *DENY_TO_A, ("y/a", "x/a", YES)),
        ),
        one(
            "NamespaceSelector with the default label",
            "x/a x/b y/a z/a",
            [ingress("allow", A, from_peers(by_namespace(Y)))],
            table(80, *only_y),
        ),
        one(
            "NamespaceSelector with MatchExpressions on the default label",
            "x/a x/b y/a z/a",
            [egress("allow", A, to_peers(by_namespace(expression(NAME, "NotIn", "y"))))],
            table(80, ("x/a", "y/*", NO)),
        ),
    ]


def ports():
    only_y = (("x/*", "x/a", NO), ("z/*", "x/a", NO))
    to_y_80 = from_peers(by_namespace(Y), ports=[port(80, "TCP")])
    to_y_81 = from_peers(by_namespace(Y), ports=[port(81, "TCP")])
    to_y_named = from_peers(by_namespace(Y), ports=[port("serve-80-tcp", "TCP")])
    return [
        one("Ports", "x/a x/b y/a y/b z/a", [ingress("allow", A, to_y_81)], table(81, *only_y)),
        Case(
            "several policies stacked",
            [
                Step(
                    put(ingress("allow-81", A, to_y_81)),
                    (table(81, *only_y), table(80, *DENY_TO_A)),
                ),
                Step(put(ingress("allow-80", A, to_y_80)), (table(80, *only_y),)),
            ],
            "x/a x/b y/a y/b z/a",
        ),
        one("allow-all", "x/a x/b y/a", [ingress("allow-all", {}, {})], table(80), table(81)),
        one(
            "ingress on one named port",
            "x/a x/b y/a",
            [ingress("allow-81", {}, rule("ingress", ports=[port("serve-81-tcp")]))],
            table(81),
            table(80, ("*", "x/*", NO)),
        ),
        one(
            "ingress from a namespace on one named port",
            "x/a x/b y/a z/a",
            [ingress("allow-80", A, to_y_named)],
            table(80, *only_y),
            table(81, *DENY_TO_A),
        ),
        one(
            "egress on one named port",
            "x/a y/a",
            [egress("allow-egress", {}, rule("egress", ports=[port("serve-80-tcp")]))],
            table(80),
            table(81, ("x/*", "*", NO)),
        ),
        one(
            "any port of one protocol",
            "x/a y/a",
            [ingress("by-protocol", A, rule("ingress", ports=[port(protocol="TCP")]))],
            table(80),
            table(80, *DENY_TO_A, protocol="UDP"),
        ),
        one(
            "SCTP is not TCP",
            "x/a y/a",
            [ingress("deny", {}), ingress("sctp", A, rule("ingress", ports=[port(81, "SCTP")]))],
            table(81, ("*", "x/*", NO)),
        ),
        one(
            "allowing SCTP isolates",
            "x/a y/a",
            [ingress("sctp", A, rule("ingress", ports=[port(80, "SCTP")]))],
            table(81, *DENY_TO_A),
        ),
        one(
            "no TCP when only UDP is allowed",
            "x/a y/a",
            [ingress("udp", A, rule("ingress", ports=[port(81, "UDP")]))],
            table(81, *DENY_TO_A),
        ),
    ]


def updates():
    everything_to_x = table(81, ("*", "x/*", NO))
    in_80, out_80 = [rule(way, ports=[port(80)]) for way in ("ingress", "egress")]
    deny_all = policy("deny-all", "x", {}, [], [], ["Ingress", "Egress"])
    return [
        Case(
            "updated policy",
            [
                Step(put(ingress("mutates", {}, {})), (table(81),)),
                Step(put(ingress("mutates", {})), (everything_to_x,)),
            ],
            "x/a y/a",
        ),
        Case(
            "ingress from an updated namespace",
            [
                Step(
                    put(ingress("allow", A, from_peers(by_namespace(labels(ns2="updated"))))),
                    (table(80, *DENY_TO_A),),
                ),
                Step(
                    label_namespace("y", ns2="updated"),
                    (table(80, *DENY_TO_A, ("y/*", "*", YES)),),
                ),
            ],
            "x/a y/a",
        ),
        Case(
            "ingress from an updated pod",
            [
                Step(
                    put(ingress("allow", A, from_peers(by_pod(labels(pod="b", pod2="updated"))))),
                    (table(80, *DENY_TO_A),),
                ),
                Step(
                    label_pod("x/b", pod2="updated"),
                    (table(80, *DENY_TO_A, ("x/b", "x/a", YES)),),
                ),
            ],
            "x/a x/b",
        ),
        one(
            "no ingress from other namespaces",
            "x/a x/b y/a z/a",
            [ingress("deny", {}, from_peers(by_pod({"matchLabels": {}})))],
            table(80, ("y/*", "x/*", NO), ("z/*", "x/*", NO)),
        ),
        Case(
            "no ingress to an updated pod",
            [
                Step(put(ingress("deny", labels(target="isolated"))), (table(80),)),
                Step(label_pod("x/a", target="isolated"), (table(80, *DENY_TO_A),)),
            ],
            "x/a y/a",
        ),
        Case(
            "ingress allow-all beside another",
            [
                Step(put(ingress("port-80", {}, in_80)), (everything_to_x,)),
                Step(put(ingress("all", {}, {})), (table(81),)),
            ],
            "x/a y/a",
        ),
        Case(
            "egress allow-all beside another",
            [
                Step(put(egress("port-80", {}, out_80)), (table(81, ("x/*", "*", NO)),)),
                Step(put(egress("all", {}, {})), (table(81),)),
            ],
            "x/a y/a",
        ),
        Case(
            "deleted policies",
            [
                Step(put(deny_all), (table(80, ("x/*", "*", NO), ("*", "x/*", NO)),)),
                Step(delete("x", "deny-all"), (table(80),)),
            ],
            "x/a y/a",
        ),
    ]


def leaving():
    to_y_a = to_peers(by_both(Y, A))
    from_x_a = from_peers(by_both({"matchLabels": {NAME: "x"}}, A))
    around_b = to_peers(block("@x/b/4", "@x/b/32"))
    both = policy(
        "both",
        "x",
        A,
        [from_peers(by_pod(labels(pod="b")))],
        [rule("egress", ports=[port(80)])],
        ["Egress", "Ingress"],
    )
    b_to_a = (*DENY_TO_A, ("x/b", "x/a", YES))
    no_egress = ("x/a", "*", NO)
    return [
        one("no egress, by PodSelector", "x/a x/b y/a", [egress("deny", A)], table(80, no_egress)),
        one(
            "no egress of a namespace",
            "x/a x/b y/a",
            [egress("deny", {})],
            table(80, ("x/*", "*", NO)),
        ),
        one(
            "Ingress and Egress together",
            "x/a x/b x/c y/a",
            [both],
            table(80, *b_to_a),
            table(81, *DENY_TO_A, no_egress, ("x/b", "x/a", YES)),
        ),
        one(
            "egress denied though the server allows it",
            "x/a y/a y/b",
            [
                egress("to-y-a", A, to_y_a),
                one_way("ingress", [from_x_a], A, "y", "a"),
                one_way("ingress", [from_x_a], labels(pod="b"), "y", "b"),
            ],
            table(80, no_egress, ("*", "y/a", NO), ("x/a", "y/a", YES), ("*", "y/b", NO)),
        ),
        one(
            "egress to a server in a different namespace",
            "x/a y/a y/b",
            [egress("to-y-a", A, to_y_a)],
            table(80, no_egress, ("x/a", "y/a", YES)),
        ),
        one(
            "egress to a CIDR block",
            "x/a y/a y/b",
            [egress("cidr", A, to_peers(block("@y/b/32")))],
            table(80, no_egress, ("x/a", "y/b", YES)),
        ),
        one(
            "egress to a CIDR block except one",
            "x/a x/b x/c",
            [egress("cidr", A, around_b)],
            table(80, ("x/a", "x/b", NO)),
        ),
        Case(
            "in the block and in its except",
            [
                Step(put(egress("cidr", A, around_b)), (table(80, ("x/a", "x/b", NO)),)),
                Step(
                    put(egress("cidr", A, to_peers(block("@x/b/32")))),
                    (table(80, no_egress, ("x/a", "x/b", YES)),),
                ),
            ],
            "x/a x/b x/c",
        ),
        Case(
            "ingress and egress independently",
            [
                Step(put(egress("out", A, {})), (table(80),)),
                Step(put(ingress("in", A)), (table(80, *DENY_TO_A),)),
            ],
            "x/a x/b y/a",
        ),
    ]


def of_protocol(protocol):
    """The three cases that upstream has for UDP and for SCTP."""
    on_81 = from_peers(by_namespace(Y), ports=[port(81, protocol)])
    only_y = (("x/*", "x/a", NO), ("z/*", "x/a", NO))
    return [
        one(
            f"{protocol}: default-deny-ingress",
            "x/a x/b y/a y/b",
            [ingress("deny", {})],
            table(80, ("*", "x/*", NO), protocol=protocol),
        ),
        one(
            f"{protocol}: Ports",
            "x/a x/b y/a z/a",
            [ingress("allow", A, on_81)],
            table(81, *only_y, protocol=protocol),
        ),
        one(
            f"{protocol}: only from a pod in a different namespace",
            "x/a x/b y/a",
            [ingress("allow", A, from_peers(by_both(Y, A)))],
            table(80, *DENY_TO_A, ("y/a", "x/a", YES), protocol=protocol),
        ),
    ]


def cases():
    return selectors() + ports() + updates() + leaving() + of_protocol("UDP") + of_protocol("SCTP")
