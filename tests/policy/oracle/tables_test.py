"""The oracle says what upstream's 48 truth tables say, cell by cell, and every case can be done."""

import unittest

import cases
import upstream
from model import Model
from words import PROTOCOLS


class TablesTest(unittest.TestCase):
    def test_oracle_agrees_with_upstreams_tables(self):
        self.assertEqual(len(upstream.cases()), 48)
        compared = 0
        for case in upstream.cases():
            model = Model()
            model.invent_addresses()
            for step in case.steps:
                for change in step.changes:
                    model.do(change)
                self.assertTrue(step.tables, case.name)
                for cell, allowed in model.table(PROTOCOLS).items():
                    source, destination, protocol, port = cell
                    if not {source, destination} <= set(case.pods.split()):
                        continue
                    wanted = table_says(step.tables, source, destination, port, protocol)
                    if wanted is not None:
                        compared += 1
                        self.assertEqual(allowed, wanted, f"{case.name}: {cell}")
        self.assertGreater(compared, 500)

    def test_there_are_as_many_cases_as_promised(self):
        groups = cases.groups()
        names = [case.name for group in groups.values() for case in group]
        self.assertEqual(len(names), len(set(names)))
        self.assertGreaterEqual(len(names) - 48, 230)

    def test_cases_can_be_done_and_undone(self):
        for group in cases.groups().values():
            for case in group:
                model = Model()
                model.invent_addresses()
                start = model.table(PROTOCOLS)
                for step in [*case.steps, None]:
                    for change in step.changes if step else model.undo():
                        model.do(change)
                    model.invent_addresses()
                    tried = model.table(PROTOCOLS)
                self.assertEqual(tried, start, case.name)


def table_says(tables, source, destination, number, protocol):
    """What a truth table says of this cell; None if there is none for this port and protocol. Cells
    of a pod with itself are not in them."""
    for its_port, its_protocol, lines in tables:
        if (its_port, its_protocol) != (number, protocol) or source == destination:
            continue
        verdict = True
        for left, right, allowed in lines:
            if means(left, source) and means(right, destination):
                verdict = allowed
        return verdict
    return None


def means(pattern, pod):
    return pattern in ("*", pod) or (pattern.endswith("/*") and pod.split("/")[0] == pattern[0])


if __name__ == "__main__":
    unittest.main()
