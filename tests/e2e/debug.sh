#!/bin/bash
# kubectl debug: ephemeral containers in pods that run, copies of pods, pods that look at a node.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/soon.sh"

T=$(mktemp -d /tmp/kin-debug.XXXXXX)
source "$(dirname "$0")/forward.sh"
kubectl_line="'$KIN' kubectl --lab $LAB"
debug() { timeout "$(stretched 60)" "$KIN" kubectl --lab "$LAB" debug --profile=general "$@" </dev/null; }
# state NAME: of the ephemeral container of `web` with that name.
state() { field "pod web" "{.status.ephemeralContainerStatuses[?(@.name==\"$1\")].state}"; }
asked() { k exec client -- wget -qO- -T 2 "http://$ip"; }
captured() { asked && k logs web -c sniffer | grep -q "> $ip.80: Flags"; }
# add JSON [PATH]: a strategic merge patch of web.
add() {
    api "/api/v1/namespaces/default/pods/web${2-/ephemeralcontainers}" -X PATCH \
        -H 'Content-Type: application/strategic-merge-patch+json' \
        -d "{\"spec\":{\"ephemeralContainers\":[$1]}}"
}

start_lab
check "two pods" k apply -f - <<'YAML'
apiVersion: v1
kind: Pod
metadata: {name: web}
spec: {nodeName: node-1, terminationGracePeriodSeconds: 1, containers: [{name: web, image: nginx}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec:
  nodeName: node-2
  terminationGracePeriodSeconds: 1
  containers: [{name: c, image: busybox, command: [sleep, '1000']}]
YAML
check "are ready" k wait --for=condition=Ready pod/web pod/client --timeout=30s
ip=$(field "pod web" '{.status.podIP}')

echo "- in a pod's network"
debug web -i --image=nicolaka/netshoot -c first -- \
    sh -c 'ip -o -4 address show eth0; curl -s localhost | grep "<title>"; ps; exit 3' >"$T/first" 2>&1
expect "it has the pod's address" "inet $ip/" cat "$T/first"
expect "and what listens there is its own localhost's" 'Welcome to nginx' cat "$T/first"
same "but not the pod's processes" "" "$(grep 'nginx -g' "$T/first")"
soon "its exit code is in the status" '"exitCode":3' state first
expect "its log is there" "inet $ip/" k logs web -c first
expect "describe has it" 'Ephemeral Containers:' k describe pod web
expect "with its end" 'Exit Code: +3' k describe pod web
soon "and an Event of its start" 'Started container first' k describe pod web
expect "the pod is none the worse" 'web +1/1 +Running +0 ' k get pod web
same "and its generation counted" 2 "$(field "pod web" '{.metadata.generation}')"

echo "- a second one, which captures"
check "tcpdump" debug web --image=nicolaka/netshoot -c sniffer -- \
    tcpdump -lnc 1 -i eth0 "dst host $ip and tcp dst port 80"
soon "runs" '"running"' state sniffer
check "and sees a packet of the pod's" until_true 30 captured
soon "it ends by itself" '"exitCode":0' state sniffer
expect "the first is still there" '"exitCode":3' state first

echo "- a terminal"
in_terminal "$kubectl_line debug --profile=general -it web --image=busybox -c shell -- sh" \
    >"$T/shell" < <(
        until_true 30 grep -Eq '[#$] ' "$T/shell"
        echo 'ip -o -4 address show eth0; tty; exit 4'
        until_true 30 shows '"exitCode":4' state shell
    ) 2>&1
expect "a shell with the pod's address" "inet $ip/" cat "$T/shell"
expect "on a terminal" '/dev/pts/0' cat "$T/shell"
soon "and its exit code" '"exitCode":4' state shell

echo "- the processes of a container"
debug web -i --image=busybox -c watcher --target=web -- \
    sh -c 'ps; ls /proc/1/root/usr/share/nginx/html' >"$T/watcher" 2>&1
expect "are seen" '1 root +nginx -g daemon off;' cat "$T/watcher"
expect "and its files" 'index.html' cat "$T/watcher"
check "one that stays" debug web --image=busybox -c stays --target=web -- sleep 1000
soon "is running" '"running"' state stays
expect "exec finds it" 'sleep 1000' k exec web -c stays -- ps
refused "a target that is none" 'targetContainerName: Not found: "nope"' \
    debug web --image=busybox -c lost --target=nope -- true

echo "- what may not be"
expect "one that is there does not change" \
    'existing ephemeral containers \\"first\\" may not be changed' \
    add '{"name":"first","image":"nginx"}'
expect "probes and ports are not for it" \
    'livenessProbe: Forbidden: cannot be set for an Ephemeral Container' \
    add '{"name":"probed","image":"nginx","livenessProbe":{"tcpSocket":{"port":80}}}'
expect "a pod's plain update does not add one" 'pod updates may not change fields other than' \
    add '{"name":"plain","image":"nginx"}' ''
refused "nor does a new pod have one" 'spec.ephemeralContainers: Forbidden: cannot be set on create' \
    k create -f - <<'YAML'
apiVersion: v1
kind: Pod
metadata: {name: born}
spec: {containers: [{name: c, image: nginx}], ephemeralContainers: [{name: e, image: busybox}]}
YAML
timeout 3 "$KIN" kubectl --lab "$LAB" debug --profile=general web --image=example.com/none:1 -c none >/dev/null 2>&1
soon "an image that is none waits" 'ErrImagePull|ImagePullBackOff' state none

echo "- a copy"
debug web -i --copy-to=copy --image=busybox -c side -- \
    sh -c 'hostname; until wget -qO- localhost; do :; done' >"$T/copy" 2>&1
soon "runs beside the pod, with a container more" 'Welcome to nginx' k logs copy -c side
same "and the same ones" "web side" "$(field "pod copy" '{.spec.containers[*].name}')"

echo "- a node"
debug node/node-2 -i --image=busybox -- sh -c 'hostname; ip -o -4 address; ip route
    chroot /host sh -c "echo inside \$(cat /etc/hostname)"; touch /host/etc/x /host/usr/x' \
    >"$T/node" 2>&1
expect "its name" '^node-2' cat "$T/node"
expect "its address" 'inet 172.30.0.3/' cat "$T/node"
expect "its way to the pods of another" '10.244.1.0/24' cat "$T/node"
expect "chroot /host finds programs" '^inside node-2' cat "$T/node"
expect "and changes nothing" '/host/etc/x: Read-only file system' cat "$T/node"
expect "of this machine" '/host/usr/x: Read-only file system' cat "$T/node"

echo "- after a restart of the lab"
"$KIN" down --lab "$LAB" >/dev/null 2>&1
check "kin up" "$KIN" up --lab "$LAB" --detach --api-port 0 --page-port 0
check "the pod runs again" k wait --for=condition=Ready pod/web --timeout=40s
soon "what ran has ended" '"terminated"' state stays
expect "what had ended stays so" '"exitCode":4' state shell
check "another can be added" debug web --image=busybox -c again -- sh -c 'echo here'
soon "and runs" '^here' k logs web -c again
expect "those of before do not" '"terminated"' state stays
check "all go with the pod" k delete pod web --timeout=20s

rm -rf "$T"
finish
