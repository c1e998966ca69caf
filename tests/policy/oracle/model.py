"""The cluster as it must be after every change of a case: what the oracle is asked about."""

import copy
import ipaddress

from oracle import Packet, judge
from words import NAMESPACES, NODES, PORTS, named_ports, pods


class Model:
    """Namespaces, pods and policies. Pods' addresses come from the lab; see `address_of`."""

    def __init__(self):
        self.namespaces = copy.deepcopy(NAMESPACES)
        self.pods = pods()
        self.policies = {}
        self.nodes = {}

    def invent_addresses(self):
        """For tables without a lab."""
        self.nodes = {f"node-{n}": f"172.30.0.{10 + n}" for n in range(1, NODES + 1)}
        for number, pod in enumerate(self.pods.values()):
            pod["address"] = f'10.244.{pod["node"][-1]}.{2 + number}'

    def cluster(self):
        return {
            "namespaces": self.namespaces,
            "nodes": self.nodes,
            "pods": [pod for pod in self.pods.values() if pod.get("address")],
        }

    def do(self, change):
        """The change as it is now: with addresses in the place of "@NAMESPACE/POD/PREFIX"."""
        verb, *rest = change
        if verb == "put":
            one = self.resolved(rest[0])
            self.policies[one["metadata"]["namespace"], one["metadata"]["name"]] = one
            return verb, one
        if verb == "delete":
            del self.policies[tuple(rest)]
        elif verb == "label-pod":
            relabel(self.pods[rest[0]]["labels"], rest[1])
        elif verb == "label-namespace":
            relabel(self.namespaces[rest[0]], rest[1])
        elif verb == "remove-pod":
            del self.pods[rest[0]]
        elif verb == "add-pod":
            ns, name = rest[0].split("/")
            self.pods[rest[0]] = {
                "namespace": ns,
                "name": name,
                "labels": dict(rest[2]),
                "node": rest[1],
                "ports": named_ports(),
            }
        return change

    def undo(self):
        """The changes that lead back to the beginning, without doing them."""
        out = [("delete", *key) for key in self.policies]
        for name, wanted in NAMESPACES.items():
            if change := difference(self.namespaces[name], wanted):
                out.append(("label-namespace", name, change))
        wanted_pods = pods()
        out += [("remove-pod", name) for name in self.pods if name not in wanted_pods]
        for name, wanted in wanted_pods.items():
            if name not in self.pods:
                out.append(("add-pod", name, wanted["node"], wanted["labels"]))
            elif change := difference(self.pods[name]["labels"], wanted["labels"]):
                out.append(("label-pod", name, change))
        return out

    def resolved(self, value):
        if isinstance(value, dict):
            return {key: self.resolved(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self.resolved(one) for one in value]
        if not (isinstance(value, str) and value.startswith("@")):
            return value
        pod, prefix = value.lstrip("@").rsplit("/", 1)
        text = f'{self.pods[pod]["address"]}/{prefix}'
        # "@@" keeps the host's bits.
        return text if value.startswith("@@") else str(ipaddress.ip_network(text, strict=False))

    def judge(self, source, destination, protocol, port):
        """`source`: the name of a pod or node; `destination`: of a pod."""
        packet = self.packet(source, destination, protocol, port)
        return judge(self.cluster(), self.policies.values(), packet)

    def packet(self, source, destination, protocol, port):
        return Packet(self.address_of(source), self.address_of(destination), protocol, port)

    def address_of(self, name):
        return self.pods[name]["address"] if name in self.pods else self.nodes[name]

    def table(self, protocols):
        """{(source, destination, protocol, port): allowed} from all pods and nodes to all pods."""
        cluster, policies = self.cluster(), list(self.policies.values())
        pods_there = [name for name, pod in self.pods.items() if pod.get("address")]
        return {
            (source, destination, protocol, port): judge(
                cluster, policies, self.packet(source, destination, protocol, port)
            ).allowed
            for source in [*pods_there, *self.nodes]
            for destination in pods_there
            for protocol in protocols
            for port in PORTS
        }


def relabel(labels, change):
    for key, value in change.items():
        if value is None:
            labels.pop(key, None)
        else:
            labels[key] = value


def difference(have, wanted):
    return {key: wanted.get(key) for key in {*have, *wanted} if have.get(key) != wanted.get(key)}
