#!/bin/bash
# NetworkPolicies while things move: pods that start under a default deny, connections that a change
# forbids or does not, restarts of kin. POLICY_PODS and POLICY_CHANGES make it longer.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/walk.sh"
PODS=${POLICY_PODS:-50} CHANGES=${POLICY_CHANGES:-1000}

start_lab
k create namespace quiet >/dev/null
check "a server that notes whoever reaches it" k apply -f - <<'YAML'
apiVersion: v1
kind: Pod
metadata: {name: sink, labels: {app: sink}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: c
    image: debian
    command:
    - python3
    - -uc
    - |
      import selectors, socket
      poll = selectors.DefaultSelector()
      udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.bind(("", 9000))
      tcp = socket.create_server(("", 9000), backlog=1000)
      for s in udp, tcp: poll.register(s, selectors.EVENT_READ)
      print("listening")
      while True:
          for key, _ in poll.select():
              peer = udp.recvfrom(100)[1] if key.fileobj is udp else tcp.accept()[1]
              print("heard", peer[0])
YAML
check "it listens" until_true 20 matches listening k logs sink
SINK=$(field pod/sink '{.status.podIP}')

# What a pod does first of all: a burst of datagrams and a connection.
burst() { # NAME PODS
    k apply -n quiet -f - <<YAML
apiVersion: batch/v1
kind: Job
metadata: {name: $1}
spec:
  completions: $2
  parallelism: $2
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: 0
      initContainers:
      - name: early
        image: debian
        command: [bash, -c, "for i in 1 2 3 4 5; do echo x >/dev/udp/$SINK/9000; done; exit 0"]
      containers:
      - name: c
        image: debian
        command:
        - bash
        - -c
        - "for i in 1 2 3 4 5; do echo x >/dev/udp/$SINK/9000; done;
           timeout 0.3 bash -c 'echo x >/dev/tcp/$SINK/9000'; exit 0"
YAML
}
# No pod of namespace quiet may say or hear anything.
silence() {
    k apply -n quiet -f - <<'YAML'
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
YAML
}
heard() { k logs sink | grep -c heard; }

echo "A kernel that refuses the rules"
# Somebody else owns the table's name on node-2 as long as his process lives, so every write of kin fails there.
coproc HOLDER { exec "$KIN" exec --lab "$LAB" node-2 -- nft -i; }
echo 'add table ip kin-policy { flags owner; }' >&"${HOLDER[1]}"
check "node-2 takes no rules" until_true 5 matches kin-policy on node-2 nft list tables
k apply -n quiet -f - >/dev/null <<'YAML'
apiVersion: v1
kind: Pod
metadata: {name: open}
spec:
  nodeName: node-3
  terminationGracePeriodSeconds: 0
  containers: [{name: c, image: debian, command: [bash, -c, 'exec 3<>/dev/tcp/10.96.0.1/443; echo open; sleep infinity']}]
YAML
check "a pod of another node has a connection" until_true 20 matches open k logs -n quiet open
open() { on node-3 conntrack -L -s "$(k get pod -n quiet open -o 'jsonpath={.status.podIP}')" 2>/dev/null | grep -q dport=443; }
check "which conntrack knows" open
silence >/dev/null
check "and forgets, since its node takes the policy that forbids it" until_true 10 eval '! open'
for node in node-2 node-3; do
    printf -- '---\napiVersion: v1\nkind: Pod\nmetadata: {name: on-%s, namespace: quiet}\nspec: {nodeName: %s, terminationGracePeriodSeconds: 0, containers: [{name: c, image: debian, command: [bash, -c, "echo x >/dev/udp/%s/9000; sleep infinity"]}]}\n' \
        "$node" "$node" "$SINK"
done | k apply -f - >/dev/null
check "a pod of another node runs" k wait -n quiet --for=condition=Ready pod/on-node-3 --timeout=20s
eventually "the pod of node-2 waits, and an Event says what for" 10 \
    'FailedCreatePodSandBox.*put NetworkPolicies in force.*Operation not permitted' \
    k get events -n quiet --field-selector involvedObject.name=on-node-2
same "it has not begun" Pending "$(k get pod -n quiet on-node-2 -o 'jsonpath={.status.phase}')"
eval "exec ${HOLDER[1]}>&-" # End of input: nft ends, and its table with it.
check "it runs once the kernel takes rules" k wait -n quiet --for=condition=Ready pod/on-node-2 --timeout=30s
same "not one packet of theirs arrived" 0 "$(heard)"
k delete pod -n quiet --all >/dev/null
k delete networkpolicy -n quiet deny >/dev/null

echo "Isolation is in force before a pod's first process"
check "a policy comes before its pods" silence
burst early "$PODS" >/dev/null
check "$PODS pods start, send and end" k wait -n quiet --for=condition=Complete job/early --timeout=300s
same "not one packet of theirs arrived" 0 "$(heard)"
kin down --lab "$LAB" >/dev/null
kin up --lab "$LAB" --detach --api-port 0 >/dev/null
check "kin comes back" until_true 20 matches listening k logs sink
SINK=$(field pod/sink '{.status.podIP}')
burst again 10 >/dev/null
check "more pods after a restart of kin" k wait -n quiet --for=condition=Complete job/again --timeout=120s
same "not one packet of theirs arrived" 0 "$(heard)"
k delete networkpolicy -n quiet deny >/dev/null
burst late 1 >/dev/null
check "without the policy one pod sends" k wait -n quiet --for=condition=Complete job/late --timeout=60s
check "and is heard: the server is no stone" test "$(heard)" -ge 6

echo "Connections and changes"
talk() { # NAME: sends a number every 20 ms over one connection and over UDP; says when each answer came.
    k apply -f - <<YAML
apiVersion: v1
kind: Pod
metadata: {name: $1, labels: {app: $1}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: c
    image: debian
    command:
    - python3
    - -uc
    - |
      import socket, time
      tcp = socket.create_connection(("$ECHO", 7)); tcp.settimeout(0.02)
      udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.connect(("$ECHO", 7)); udp.settimeout(0.02)
      while True:
          for name, s in ("tcp", tcp), ("udp", udp):
              try:
                  s.send(b"x"); s.recv(1); print(name, time.time())
              except TimeoutError: pass
              except OSError as e: print(name, "broken", e); time.sleep(0.1)
YAML
}
# Answers over UDP come late, so that some are on their way when the policy arrives.
check "an echo server" k apply -f - <<'YAML'
apiVersion: v1
kind: Pod
metadata: {name: echo, labels: {app: echo}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: c
    image: debian
    command:
    - python3
    - -uc
    - |
      import selectors, socket, threading
      poll = selectors.DefaultSelector()
      udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.bind(("", 7))
      tcp = socket.create_server(("", 7))
      for s in udp, tcp: poll.register(s, selectors.EVENT_READ)
      print("listening")
      while True:
          for key, _ in poll.select():
              s = key.fileobj
              if s is tcp: poll.register(tcp.accept()[0], selectors.EVENT_READ)
              elif s is udp: threading.Timer(0.1, udp.sendto, udp.recvfrom(100)).start()
              else:
                  data = s.recv(100)
                  if data: s.send(data)
                  else: poll.unregister(s)
YAML
check "listens" until_true 20 matches listening k logs echo
ECHO=$(field pod/echo '{.status.podIP}')
talk friend >/dev/null
talk stranger >/dev/null
check "two pods talk to it" until_true 20 matches udp k logs stranger
check "both of them" until_true 20 matches udp k logs friend

for ((i = 0; i < CHANGES; i++)); do
    printf -- '---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: other-%d}\nspec: {podSelector: {matchLabels: {other: x%d}}, ingress: [{from: [{podSelector: {matchLabels: {app: friend}}}]}]}\n' $((i % 20)) "$i"
done >"/tmp/$LAB.policies"
before=$(k logs friend | grep -c tcp)
check "$CHANGES changes of policies for others" kin apply --lab "$LAB" -f "/tmp/$LAB.policies"
check "what is allowed goes on" until_true 5 test "$(k logs friend | grep -c tcp)" -gt "$before"
same "no connection was broken" "" "$(k logs friend | grep broken)$(k logs stranger | grep broken)"

check "only the friend may go on" k apply -f - <<'YAML'
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: friends}
spec:
  podSelector: {matchLabels: {app: echo}}
  ingress: [{from: [{podSelector: {matchLabels: {app: friend}}}]}]
YAML
now=$(date +%s.%N)
# Later by the friend's own answers, not by a clock of ours.
late() { k logs friend | awk -v t="$now" -v later="$(stretched 2)" '$1 == "tcp" && $2 > t + later {found = 1} END {exit !found}'; }
check "the friend is answered $(stretched 2) s later" until_true 10 late
for protocol in tcp udp; do
    last=$(k logs stranger | awk -v p=$protocol '$1 == p && $2 != "broken" {t = $2} END {print t}')
    after=$(awk "BEGIN {print $last - $now}")
    check "the stranger's $protocol ended within $(stretched 1) s ($after s)" \
        awk "BEGIN {exit !($after < $(stretched 1))}"
done
same "the friend's connection was never broken" "" "$(k logs friend | grep broken)"
expect "kin says who was dropped and why" \
    'ingress pod default/stranger -> pod default/echo TCP 7: isolated by default/friends.*wants app=friend, pod default/stranger has app=stranger' \
    kin flows --lab "$LAB" --dropped
soon "so does an Event of the pod" 'NetworkPolicyDropped.*from pod default/stranger was dropped' \
    k get events --field-selector involvedObject.name=echo
k delete networkpolicy friends >/dev/null
now=$(date +%s.%N)
again() { k logs stranger | awk -v t="$now" '$1 == "udp" && $2 > t + 0.3 {found = 1} END {exit !found}'; }
check "without the policy the stranger's old socket is answered again" until_true 10 again
finish
