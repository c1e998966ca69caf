"""A lab of kin of our own, by its binary and its socket, and probers in its pods and nodes."""

import http.client
import json
import os
import pathlib
import socket
import subprocess
import time

from words import NODES, PORTS

AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.59"
SLOW = int(os.environ.get("KIN_SLOW", "1"))  # How many times slower than others this machine is.
POLICIES = "/apis/networking.k8s.io/v1/namespaces/{}/networkpolicies"


class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("kin", timeout=30 * SLOW)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def eventually(what, ready, seconds=30):
    """Asks until it is so: a condition with a deadline."""
    deadline = time.monotonic() + seconds * SLOW
    while not (found := ready()):
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        time.sleep(0.01)
    return found


class Lab:
    """`name`: of a lab that runs, and stays. None: one of our own, which close() ends."""

    def __init__(self, kin, name=None):
        self.kin, self.is_own = kin, name is None
        self.name = name or f"polgrid-{os.getpid()}"
        self.probers = {}
        if self.is_own:
            words = ["--lab", self.name, "--detach", "--api-port", "0", "--nodes", str(NODES)]
            subprocess.run([kin, "up", *words], check=True, stdout=subprocess.DEVNULL)
        self.status = json.loads(self.say("status", "--json").stdout)
        self.connection = Unix(self.status["socket"])

    def say(self, verb, *words):
        return subprocess.run(
            [self.kin, verb, "--lab", self.name, *words], capture_output=True, text=True
        )

    def close(self):
        for name in list(self.probers):
            self.stop_prober(name)
        if self.is_own:
            self.say("down")
            self.say("reset", "--yes")

    # The API.
    def ask(self, method, path, body=None, kind="application/json", allow=()):
        text = None if body is None else json.dumps(body)
        self.connection.request(method, path, text, {"Content-Type": kind} if text else {})
        answer = self.connection.getresponse()
        data = answer.read()
        if answer.status >= 300 and answer.status not in allow:
            raise RuntimeError(f"{method} {path}: {answer.status} {data.decode()} for {text}")
        return answer.status, json.loads(data)

    def node_addresses(self):
        return {
            node["metadata"]["name"]: next(
                one["address"] for one in node["status"]["addresses"] if one["type"] == "InternalIP"
            )
            for node in self.ask("GET", "/api/v1/nodes")[1]["items"]
        }

    def make_namespace(self, name, labels):
        body = {"metadata": {"name": name, "labels": labels}}
        self.ask("POST", "/api/v1/namespaces", body)

    def make_pod(self, pod):
        """Two servers, each with TCP and UDP on its port."""
        containers = [
            {
                "name": f"serve-{port}",
                "image": AGNHOST,
                "args": ["netexec", f"--http-port={port}", f"--udp-port={port}"],
                "ports": [
                    {"name": one["name"], "containerPort": port, "protocol": one["protocol"]}
                    for one in pod["ports"]
                    if one["port"] == port
                ],
            }
            for port in PORTS
        ]
        body = {
            "metadata": {"name": pod["name"], "labels": pod["labels"]},
            "spec": {
                "nodeName": pod["node"],
                "terminationGracePeriodSeconds": 0,
                "containers": containers,
            },
        }
        self.ask("POST", f'/api/v1/namespaces/{pod["namespace"]}/pods', body)

    def wait_for_pod(self, pod):
        """Its address, when it is ready."""

        def address():
            found = self.ask("GET", f'/api/v1/namespaces/{pod["namespace"]}/pods/{pod["name"]}')[1]
            conditions = found["status"].get("conditions", [])
            if any(one["type"] == "Ready" and one["status"] == "True" for one in conditions):
                return found["status"]["podIP"]
            return None

        return eventually(f'{pod["namespace"]}/{pod["name"]} is ready', address)

    def remove_pod(self, name):
        ns, pod = name.split("/")
        path = f"/api/v1/namespaces/{ns}/pods/{pod}"
        self.stop_prober(name)
        self.ask("DELETE", path, {"gracePeriodSeconds": 0})
        eventually(f"{name} is gone", lambda: self.ask("GET", path, allow=(404,))[0] == 404)

    def relabel(self, path, labels):
        body = {"metadata": {"labels": labels}}
        self.ask("PATCH", path, body, "application/merge-patch+json")

    def put_policy(self, policy):
        path = POLICIES.format(policy["metadata"]["namespace"])
        if self.ask("POST", path, policy, allow=(409,))[0] == 409:
            self.ask("PUT", f'{path}/{policy["metadata"]["name"]}', policy)

    def delete_policy(self, ns, name):
        self.ask("DELETE", f"{POLICIES.format(ns)}/{name}")

    # Probers.
    def process_in(self, address):
        """A process of the pod that has this address."""
        return eventually(f"a process at {address}", lambda: self.processes().get(address))

    def processes(self):
        """Of every pod's address a process, of all below the lab's PID 1."""
        out, more = {}, [parent_of(self.status["pid"])]
        while more:
            pid = more.pop()
            for children in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
                more += read(children).split()
            for address in local_addresses(read(f"/proc/{pid}/net/fib_trie")):
                if address.startswith("10.244."):
                    out[address] = pid
        return out

    def start_prober(self, name, address=None):
        """In a pod, by its address, or in the node of that name."""
        prober = str(pathlib.Path(__file__).with_name("prober.py"))
        command = ["python3", "-B", "-u", prober, str(SLOW)]
        host = name
        if address:
            host = "node-1"  # Only to become the lab's root, who may enter pods' networks.
            command = ["nsenter", f"--net=/proc/{self.process_in(address)}/ns/net", *command]
        self.probers[name] = subprocess.Popen(
            [self.kin, "exec", "--lab", self.name, host, "--", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        line = self.probers[name].stdout.readline()
        if not line:
            raise RuntimeError(f"no prober in {name}")
        return json.loads(line)

    def stop_prober(self, name):
        prober = self.probers.pop(name)
        prober.stdin.close()
        prober.wait()

    def tell(self, name, message):
        self.probers[name].stdin.write(json.dumps(message) + "\n")
        self.probers[name].stdin.flush()

    def hear(self, name):
        return json.loads(self.probers[name].stdout.readline())


def read(path):
    try:
        return pathlib.Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""  # The process has ended meanwhile.


def parent_of(pid):
    line = next(one for one in read(f"/proc/{pid}/status").splitlines() if one.startswith("PPid:"))
    return line.split()[1]


def local_addresses(trie):
    """The network namespace's own, in the kernel's table of routes."""
    lines = trie.split("\n")
    return {
        before.split()[-1]
        for before, line in zip(lines, lines[1:])
        if "/32 host LOCAL" in line
    }

