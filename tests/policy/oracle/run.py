"""Compares a lab of kin with the oracle: every case of cases.py, every pair of pods, port and
protocol.

    run.py KIN [--lab NAME] [--sample COUNT] [--groups NAMES] [--only TEXT] [--slow MS]
               [--keep-flows]

Starts a lab of its own unless one is named. Measures how long after the API's answer the kernels do
what a change says. Fails if a cell is wrong, or if more than one of a hundred changes takes longer
than --slow. Cells from a pod's node and from other nodes are compared too.
"""

import argparse
import copy
import sys
import time

import cases
from lab import SLOW, Lab, eventually
from model import Model
from words import PROTOCOLS

PATIENCE = 2 * SLOW  # seconds after which a wrong cell is not late but wrong
WATCHED = 12  # cells that are tried every few milliseconds while a change comes into force


class Grid:
    def __init__(self, lab, keeps_flows=False):
        self.lab, self.model, self.keeps_flows = lab, Model(), keeps_flows
        self.table = {}
        self.settled, self.wrong, self.late = [], [], []
        self.cells = self.steps = 0

    def build(self):
        for name, labels in self.model.namespaces.items():
            self.lab.make_namespace(name, labels)
        for pod in self.model.pods.values():
            self.lab.make_pod(pod)
        self.model.nodes = self.lab.node_addresses()
        for name, pod in self.model.pods.items():
            pod["address"] = self.lab.wait_for_pod(pod)
            self.lab.start_prober(name, pod["address"])
        for name in self.model.nodes:
            self.lab.start_prober(name)
        self.table = self.model.table(PROTOCOLS)
        eventually("everybody reaches everybody", lambda: not self.probe(self.table))

    # One step.
    def step(self, case, number, changes):
        watching = self.watch(changes)
        for change in changes:
            self.carry_out(self.model.do(change))
        since = time.monotonic()
        self.table = self.model.table(PROTOCOLS)
        took = self.settle(watching, since)
        wrong = self.probe(self.table)
        if wrong:
            took = max(took, self.insist(f"{case} step {number}", wrong, since))
        self.steps += 1
        self.cells += len(self.table)
        if watching:
            self.settled.append((took, f"{case} step {number}"))

    def insist(self, step, wrong, since):
        """Tries them again until they are right, only late, or it is clear that they stay wrong."""
        left = wrong
        while left and time.monotonic() < since + PATIENCE:
            begin = time.monotonic()
            left = self.probe([cell for cell, _ in left])
        if len(left) < len(wrong):
            took = 1000 * (begin - since)
            self.late.append(f"{len(wrong) - len(left)} cells of {step}, {took:.0f} ms")
        for cell, outcome in left[:5]:
            self.explain(step, cell, outcome)
        self.wrong += left
        return begin - since

    def watch(self, changes):
        """Begins to try cells that this changes, between as many pairs of nodes as possible; who
        does. If none changes for good, those that a change takes away and another gives back."""
        preview = copy.deepcopy(self.model)
        states = [self.table]
        for change in changes:
            preview.do(change)
            states.append(preview.table(PROTOCOLS))
        after = states[-1]
        between = {}
        for since in (states[:1], states[1:]):
            for cell, allowed in after.items() if not between else ():
                if any(state.get(cell, allowed) != allowed for state in since):
                    nodes = [preview.pods[end]["node"] if "/" in end else end for end in cell[:2]]
                    between.setdefault((*nodes, allowed), []).append(cell)
        share = -(-WATCHED // max(1, len(between)))
        by_source = {}
        for cells in between.values():
            for cell in cells[:: max(1, len(cells) // share)][:share]:
                by_source.setdefault(cell[0], []).append(self.addressed(cell, after[cell]))
        for source, cells in by_source.items():
            self.lab.tell(source, {"watch": cells})
        return list(by_source)

    def settle(self, sources, since):
        """Seconds until every watched cell was as it should be."""
        for source in sources:
            self.lab.tell(source, {"since": since})
        times = [one for source in sources for one in self.lab.hear(source)]
        return max((float("inf") if one is None else one for one in times), default=0.0)

    def forget_flows(self):
        """Else thousands of our own attempts are in conntrack, and what is measured is how long it
        takes to look through them for what a change forbids."""
        if self.keeps_flows:
            return
        for node in self.model.nodes:
            self.lab.tell(node, {"forget": True})
        if not all([self.lab.hear(node) for node in self.model.nodes]):
            raise RuntimeError("conntrack does not forget")

    def addressed(self, cell, allowed):
        _, destination, protocol, port = cell
        return [self.model.address_of(destination), protocol, port, allowed]

    def carry_out(self, change):
        verb, *rest = change
        if verb == "put":
            self.lab.put_policy(rest[0])
        elif verb == "delete":
            self.lab.delete_policy(*rest)
        elif verb == "label-pod":
            self.lab.relabel("/api/v1/namespaces/{}/pods/{}".format(*rest[0].split("/")), rest[1])
        elif verb == "label-namespace":
            self.lab.relabel(f"/api/v1/namespaces/{rest[0]}", rest[1])
        elif verb == "remove-pod":
            self.lab.remove_pod(rest[0])
        elif verb == "add-pod":
            pod = self.model.pods[rest[0]]
            self.lab.make_pod(pod)
            pod["address"] = self.lab.wait_for_pod(pod)
            self.lab.start_prober(rest[0], pod["address"])

    def probe(self, cells):
        """Tries all at the same time: [(cell, outcome)] of those that are not as they should be."""
        asked = {}
        for cell in cells:
            asked.setdefault(cell[0], []).append(cell)
        for source, its in asked.items():
            check = [self.addressed(cell, self.table[cell]) for cell in its]
            self.lab.tell(source, {"check": check})
        outcomes = {
            cell: outcome
            for source, its in asked.items()
            for cell, outcome in zip(its, self.lab.hear(source), strict=True)
        }
        return [(c, o) for c, o in outcomes.items() if o != ("open" if self.table[c] else "silent")]

    def explain(self, step, cell, outcome):
        source, destination, protocol, port = cell
        verdict = self.model.judge(source, destination, protocol, port)
        print(f"WRONG {step}: {source} -> {destination}:{port}/{protocol}")
        print(f"  was:    {outcome}")
        print(f'  oracle: {"allowed" if verdict.allowed else "denied"}: {verdict.why}')
        if source in self.model.pods and protocol != "SCTP":
            words = [source, f"{destination}:{port}", "--protocol", protocol.lower()]
            said = self.lab.say("check", *words)
            print("  kin check: " + (said.stdout + said.stderr).strip().replace("\n", "\n    "))
        else:
            print(f"  {self.model.packet(source, destination, protocol, port)}")
        print(f"  policies: {list(self.model.policies.values())}", flush=True)

    # All of it.
    def run(self, groups):
        for group, several in groups.items():
            begin, wrong, cells = time.monotonic(), len(self.wrong), self.cells
            for case in several:
                self.forget_flows()
                for number, step in enumerate(case.steps, 1):
                    # What the case before made goes in the same breath.
                    back = self.model.undo() if number == 1 else []
                    self.step(case.name, number, [*back, *step.changes])
            print(
                f"  {group:13} {len(several):4} cases {self.cells - cells:7} cells"
                f" {len(self.wrong) - wrong:4} wrong  {time.monotonic() - begin:5.1f} s",
                flush=True,
            )
        self.step("nothing is left", 1, self.model.undo())


def summary(grid, slow):
    print(f"{len(grid.wrong)} wrong cells of {grid.cells} in {grid.steps} steps")
    for one in grid.late:
        print(f"  late: {one}")
    if not grid.settled:
        return 1
    times = sorted((1000 * took, step) for took, step in grid.settled)
    count = len(times)
    p50, p99, (worst, where) = times[count // 2][0], times[count * 99 // 100][0], times[-1]
    print(
        f"settled after p50 {p50:.1f} ms, p99 {p99:.1f} ms, worst {worst:.1f} ms ({where}),"
        f" of {count} changes"
    )
    # A busy machine may be late once in a while; the policies may not.
    too_slow = sum(took > slow for took, _ in times)
    print(f"{too_slow} took longer than {slow:.0f} ms")
    return 1 if grid.wrong or too_slow > max(1, count // 100) or worst > 10 * slow else 0


def main():
    options = argparse.ArgumentParser()
    options.add_argument("kin")
    options.add_argument("--lab")
    options.add_argument("--sample", type=int, help="about so many cases, always the same")
    options.add_argument("--groups", help="only these: peers,ports,...")
    options.add_argument("--only", help="cases with this in their name")
    options.add_argument("--keep-flows", action="store_true", help="in conntrack")
    options.add_argument("--slow", type=float, default=200 * SLOW, help="milliseconds a change may take")
    asked = options.parse_args()
    groups = cases.sample(asked.sample) if asked.sample else cases.groups()
    if asked.groups:
        groups = {name: groups[name] for name in asked.groups.split(",")}
    if asked.only:
        groups = {name: [c for c in some if asked.only in c.name] for name, some in groups.items()}
    lab = Lab(asked.kin, asked.lab)
    try:
        grid = Grid(lab, asked.keep_flows)
        grid.build()
        grid.run({name: some for name, some in groups.items() if some})
        return summary(grid, asked.slow)
    finally:
        lab.close()


if __name__ == "__main__":
    sys.exit(main())
