"""Policies of which every part is drawn, the same in each run."""

import random

from words import (
    DIRECTIONS, NAMESPACE_SELECTORS, POD_SELECTORS, PORTS, PROTOCOLS, Case, Step, block,
    by_namespace, by_pod, policy, port, put,
)

SOME_PORTS = [
    one
    for protocol in PROTOCOLS
    for one in (
        port(protocol=protocol),
        port(80, protocol),
        port(81, protocol),
        port(79, protocol, 80),
        *(port(f"serve-{number}-{protocol.lower()}", protocol) for number in PORTS),
    )
]
SOME_BLOCKS = [
    block("@x/a/32"),
    block("@z/c/29"),
    block("172.30.0.0/24"),
    block("@y/b/24", "@y/b/32"),
    block("10.244.0.0/16", "@y/b/32", "@x/c/30"),
    block("0.0.0.0/0", "@y/b/32"),
]


def random_policies(count):
    """Cases of up to four policies."""
    draw = random.Random(1)
    return [Case(f"random {number}", [Step(put(*some_policies(draw)))]) for number in range(count)]


def some_policies(draw):
    return [some_policy(draw, f"random-{number}") for number in range(draw.randint(1, 4))]


def some_policy(draw, name):
    sections = [rules(draw, way) if draw.random() < 0.6 else None for way in DIRECTIONS]
    types = draw.choice([None, ["Ingress"], ["Egress"], ["Ingress", "Egress"]])
    return policy(name, draw.choice("xyz"), some(draw, POD_SELECTORS), *sections, types)


def rules(draw, way):
    out = []
    for _ in range(draw.randint(0, 3)):
        one = {}
        if draw.random() < 0.8:
            half = "from" if way == "ingress" else "to"
            one[half] = [peer(draw) for _ in range(draw.randint(1, 2))]
        if draw.random() < 0.7:
            one["ports"] = draw.sample(SOME_PORTS, draw.randint(1, 3))
        out.append(one)
    return out


def peer(draw):
    if draw.random() < 0.25:
        return draw.choice(SOME_BLOCKS)
    out = by_namespace(some(draw, NAMESPACE_SELECTORS)) if draw.random() < 0.6 else {}
    if not out or draw.random() < 0.5:
        out |= by_pod(some(draw, POD_SELECTORS))
    return out


def some(draw, selectors):
    return draw.choice(list(selectors.values()))
