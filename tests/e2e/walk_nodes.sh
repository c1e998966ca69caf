#!/bin/bash
# Walkthroughs of nodes and the flat network of pods.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/walk.sh"

start_lab

scenario NET-01 "Pod to pod without address translation"
check "a server on every node" k apply -f - <<YAML
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: flat}
spec:
  selector: {matchLabels: {app: flat}}
  template:
    metadata: {labels: {app: flat}}
    spec:
      containers:
      - {name: c, image: $AGNHOST, args: [netexec, --http-port=8080, --udp-port=8081]}
YAML
check "a second one on node-1" server_pod neighbour app=neighbour node-1
check "is rolled out" k rollout status daemonset/flat --timeout=30s
check "and it" ready pod/neighbour
mapfile -t pods < <(k get pods -o \
    'jsonpath={range .items[*]}{.metadata.name} {.status.podIP} {.spec.nodeName}{"\n"}{end}')
same "four pods" 4 "${#pods[@]}"
for one in "${pods[@]}"; do
    read -r name own node <<<"$one"
    wanted="" asked="" datagrams=""
    for other in "${pods[@]}"; do
        read -r _ address _ <<<"$other"
        wanted+="$own "
        asked+="curl -s --max-time 3 http://$address:8080/clientip; echo; "
        datagrams+="$address "
    done
    same "$name on $node is seen by all as $own" "${wanted% }" \
        "$(in_pod "$name" sh -c "$asked" | sed 's/:.*//' | xargs)"
    same "and by UDP" "${wanted% }" "$(in_pod "$name" python3 -c '
import socket, sys
for address in sys.argv[1:]:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(2)
    s.sendto(b"clientip", (address, 8081))
    print(s.recv(100).decode())' $datagrams | sed 's/:.*//' | xargs)"
done
read -r _ address _ <<<"${pods[0]}"
for number in 1 2 3; do
    expect "node-$number reaches a pod and is seen" "^172\.30\.0\.$((number + 1)):" \
        at node-$number "http://$address:8080/clientip"
    expect "a pod reaches node-$number" '1 received' \
        in_pod neighbour ping -c1 -W3 "172.30.0.$((number + 1))"
done
expect "outside a pod is seen as its node" '^172\.30\.0\.2:' \
    from neighbour http://203.0.113.20/clientip
expect "its one address is on eth0" '^eth0@?[^ ]* +UP +10\.244\.1\.[0-9]+/32' \
    in_pod neighbour ip -br -4 addr show dev eth0
same "besides lo" "lo eth0" "$(in_pod neighbour ip -br link | sed 's/[@ ].*//' | xargs)"
expect "and its default route" '^default via 10\.244\.1\.1 dev eth0' in_pod neighbour ip route
expect "which the node leads there" "$(by_cni '^10\.244\.1\.[0-9]+ dev veth.* src 172\.30\.0\.2' \
    '^10\.244\.1\.0/24 dev cni0 .*src 172\.30\.0\.2')" on node-1 ip route
expect "by a link of its own" "$(by_cni 'veth[0-9a-f]+@.* state UP' 'veth[0-9a-f]+@.* master cni0 state forwarding')" \
    on node-1 "$(by_cni ip bridge)" link
check "bridge ports are isolated and take frames of their pod only" on node-1 sh -c "$(by_cni true \
    "! bridge -d link | grep 'isolated' | grep -v 'learning off.*isolated on.*locked on'")"
mtu=$(in_pod neighbour ip link show dev eth0 | sed -n 's/.* mtu \([0-9]*\) .*/\1/p')
same "the MTU is what is left of 1500" "$(by_overlay 1500 1450)" "$mtu"
far=$(printf '%s\n' "${pods[@]}" | awk '$3 == "node-3" {print $2}')
expect "the MTU fits the path" '1 received' \
    in_pod neighbour ping -c1 -W3 -M do -s $((mtu - 28)) "$far"
expect "and more is refused with the size" "mtu ?= ?$mtu" \
    in_pod neighbour ping -c1 -W3 -M do -s $((mtu - 27)) "$far"
# What the network between the nodes sees of a pod's packet to another node.
check "a tap between the nodes" on node-3 nft 'add table ip tap; add chain ip tap in {
    type filter hook prerouting priority -400; };
    add rule ip tap in iifname eth0 udp dport 4789 ip saddr 172.30.0.2 counter comment "tunnel";
    add rule ip tap in iifname eth0 ip saddr 10.244.1.0/24 counter comment "plain"'
tapped() { on node-3 nft list table ip tap | sed -n "s/.*packets \([0-9]*\) .*\"$1\".*/\1/p"; }
before_tunnel=$(tapped tunnel) before_plain=$(tapped plain)
expect "a packet to it" '1 received' in_pod neighbour ping -c1 -W3 "$far"
same "is a node's datagram in VXLAN, plain without" "$(by_overlay '0 1' '1 0')" \
    "$(($(tapped tunnel) - before_tunnel)) $(($(tapped plain) - before_plain))"
check "the tap goes" on node-3 nft delete table ip tap
far_name=$(printf '%s\n' "${pods[@]}" | awk '$3 == "node-3" {print $1}')
in_pod "$far_name" sh -c \
    'cd /tmp && head -c 10000000 /dev/zero >ten && exec timeout 30 python3 -m http.server 8082' \
    >/dev/null 2>&1 &
server=$!
check "a server of ten megabytes" until_true 10 from neighbour "http://$far:8082/"
same "a large download between nodes is complete" 10000000 \
    "$(in_pod neighbour curl -s --max-time 10 -o /dev/null -w '%{size_download}' "http://$far:8082/ten")"
kill "$server"
same "traceroute shows the nodes between pods" "172.30.0.2 172.30.0.4 $far" \
    "$(in_pod neighbour busybox traceroute -n -q1 -w2 "$far" | awk '/^ *[0-9]/ {print $2}' | xargs)"

scenario NET-02 "One pod per node"
check "a DaemonSet" k apply -f - <<YAML
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: test-daemonset}
spec:
  selector: {matchLabels: {app: test-daemonset}}
  template:
    metadata: {labels: {app: test-daemonset}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: web, image: $AGNHOST, args: [netexec, --http-port=80]}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: test-daemonset}, ports: [{port: 80}]}
YAML
on_nodes() { lines "pods -l app=test-daemonset" '{.spec.nodeName}' | sort | xargs; }
is_on() { [ "$(on_nodes)" = "$1" ]; }
soon "is everywhere" '^test-daemonset +3 +3 +3 +3 +3 ' k get ds test-daemonset
same "one on each node" "node-1 node-2 node-3" "$(on_nodes)"
client_pod client node-1 >/dev/null
check "a client" ready pod/client
expect "a node is added" 'node-4' kin node add --lab "$LAB"
check "it is Ready" k wait --for=condition=Ready node/node-4 --timeout=10s
soon "one pod more" '^test-daemonset +4 +4 +4 +4 +4 ' k get ds test-daemonset
same "on it" "node-1 node-2 node-3 node-4" "$(on_nodes)"
check "four endpoints" until_true 5 sh -c \
    "[ \$('$KIN' kubectl --lab $LAB -n $NS get endpointslices -o yaml | grep -c 'nodeName: node-') = 4 ]"
new=$(lines "pods -l app=test-daemonset" '{.spec.nodeName} {.metadata.name} {.status.podIP}' |
    awk '$1 == "node-4" {print $2, $3}')
expect "the new pod has an address of the new block" ' 10\.244\.4\.[0-9]+$' echo "$new"
same "its block is in the Node" 10.244.4.0/24 "$(field node/node-4 '{.spec.podCIDR}')"
for host in node-1 node-2 node-3 node-4; do
    expect "$host reaches the new pod" "^${new% *}\$" at $host "http://${new#* }/hostname"
done
own=$(field pod/client '{.status.podIP}')
expect "a pod elsewhere, too, and is seen" "^$own:" from client "http://${new#* }/clientip"
expect "the new pod reaches Services by name" '"gitVersion"' \
    in_pod "${new% *}" curl -sk --max-time 3 https://kubernetes.default/version
expect "and the world" '^172\.30\.0\.5:' from "${new% *}" http://203.0.113.20/clientip
soon "the new node has all Services" '^test-daemonset-' \
    at node-4 "http://$(field svc/web '{.spec.clusterIP}')/hostname"
check "a node port" k patch svc web -p '{"spec":{"type":"NodePort"}}'
port=$(field svc/web '{.spec.ports[0].nodePort}')
soon "answers on the new node" '^test-daemonset-' at client "http://172.30.0.5:$port/hostname"
check "a load balancer" k patch svc web -p '{"spec":{"type":"LoadBalancer"}}'
soon "leads to it, too" '172\.30\.0\.5' on router ip route show table main root 172.30.200.0/24
expect "kin status knows it" '^node-4 +172\.30\.0\.5 +10\.244\.4\.0/24' kin status --lab "$LAB"
expect "its Lease is there" 'node-4' k -n kube-node-lease get leases
refused "a lab that does not run has no nodes" 'is not running. Start it: kin up' \
    kin node add --lab "$LAB-not"
refused "a node that is not there cannot go" 'there is no node-9' kin node remove node-9 --lab "$LAB"
refused "nor the control plane" 'control plane' kin node remove node-1 --lab "$LAB"
expect "the node is removed" 'node-4' kin node remove node-4 --lab "$LAB"
refused "its object is gone" NotFound k get node node-4
soon "its pods go" '^test-daemonset +3 +3 +3 +3 +3 ' k get ds test-daemonset
check "with it" until_true 10 is_on "node-1 node-2 node-3"
check "the endpoints follow" until_true 5 sh -c \
    "[ \$('$KIN' kubectl --lab $LAB -n $NS get endpointslices -o yaml | grep -c 'nodeName: node-') = 3 ]"
same "no pod is left on it" "" \
    "$(k get pods -A --field-selector=spec.nodeName=node-4 -o name)"
answers=$(in_pod client sh -c "$(repeat 20 http://web/hostname)") && ok "no request is lost" ||
    bad "no request is lost"
refused "its network is gone" 'there is no host node-4' on node-4 true
same "and the ways to it" 0 "$(on node-1 ip route | grep -c '10\.244\.4\.')"
expect "not balanced to" '^0$' sh -c \
    "'$KIN' exec --lab $LAB router -- ip route | grep -c '172.30.0.5'"
check "another is added" kin node add --lab "$LAB"
check "which is node-4 again" k wait --for=condition=Ready node/node-4 --timeout=10s
soon "with its pod" '^test-daemonset +4 +4 +4 +4 +4 ' k get ds test-daemonset
soon "that is reached" '^172\.30\.0\.5:' sh -c \
    "'$KIN' kubectl --lab $LAB -n $NS exec \$('$KIN' kubectl --lab $LAB -n $NS get pods -l app=test-daemonset --field-selector=spec.nodeName=node-4 -o name) -- curl -s --max-time 3 http://203.0.113.20/clientip"
check "one in the middle is drained" k drain node-2 --ignore-daemonsets --timeout=40s
expect "so nothing new comes" 'SchedulingDisabled' k get node node-2
check "and removed" kin node remove node-2 --lab "$LAB"
soon "three are left" '^test-daemonset +3 +3 +3 +3 +3 ' k get ds test-daemonset
expect "after a restart of the lab" . kin down --lab "$LAB"
check "it starts" kin up --lab "$LAB" --detach --api-port 0
same "there are the same nodes" "node-1 node-3 node-4" \
    "$(k get nodes -o 'jsonpath={.items[*].metadata.name}')"
soon "with their pods" '^test-daemonset +3 +3 +3 +3 +3 ' k get ds test-daemonset
soon "and their ways" '^test-daemonset-' \
    at node-4 "http://$(field svc/web '{.spec.clusterIP}')/hostname"
check "a Node object is deleted, though the node runs" k delete node node-3
soon "its pods go" '^test-daemonset +2 +2 +2 +2 +2 ' k get ds test-daemonset
expect "it is what joins next" '^. node-3 joined' kin node add --lab "$LAB"
soon "with its pod" '^test-daemonset +3 +3 +3 +3 +3 ' k get ds test-daemonset
expect "the next one has the free number" 'node-2' kin node add --lab "$LAB"
check "and is Ready" k wait --for=condition=Ready node/node-2 --timeout=10s
soon "four again" '^test-daemonset +4 +4 +4 +4 +4 ' k get ds test-daemonset

scenario NET-03 "Choosing the node"
pod_on() { # NAME MORE OF ITS SPEC
    k apply -f - <<YAML
apiVersion: v1
kind: Pod
metadata: {name: $1}
spec: {$2, terminationGracePeriodSeconds: 0, containers: [{name: c, image: nginx}]}
YAML
}
node_of() { field "pod/$1" '{.spec.nodeName} {.status.phase}'; }
check "a node that there is not" pod_on nowhere 'nodeName: foo-node'
check "another one, by name" pod_on named 'nodeName: node-3'
check "one by its label" pod_on labelled 'nodeSelector: {kubernetes.io/hostname: node-2}'
check "one by a label that no node has" pod_on picky 'nodeSelector: {disk: fast}'
check "two run" ready pod/named pod/labelled
same "where they should" "node-3 Running node-2 Running" "$(node_of named) $(node_of labelled)"
soon "the picky one waits" 'FailedScheduling.*node\(s\) didn.t match' k describe pod picky
same "without a node" " Pending" "$(node_of picky)"
expect "that of nowhere never runs" '^(foo-node Pending)?$' node_of nowhere
check "a taint" k taint node node-2 tier=frontend:NoSchedule
expect "describe shows it" 'Taints: +tier=frontend:NoSchedule' k describe node node-2
check "six new pods" k create deployment avoiders --image=nginx --replicas=6
check "and one that tolerates it, there" pod_on tolerant \
    'nodeSelector: {kubernetes.io/hostname: node-2}, tolerations: [{key: tier, operator: Exists}]'
check "are rolled out" rolled_out avoiders
check "and it" ready pod/tolerant
same "the six are elsewhere" 0 "$(lines "pods -l app=avoiders" '{.spec.nodeName}' | grep -c node-2)"
same "it is there" "node-2 Running" "$(node_of tolerant)"
check "the taint is taken away" k taint node node-2 tier=frontend:NoSchedule-
wide=$(k get nodes -o wide)
for number in 1 2 3 4; do
    expect "node-$number is Ready, with version and address" \
        "^node-$number +Ready .* v1\.35\.0 +172\.30\.0\.$((number + 1)) " echo "$wide"
done

scenario NET-04 "The link between two nodes is cut"
check "two servers" server_pod here app=cut node-1
check "of one Service" server_pod there app=cut node-3
check "and a client" client_pod client node-1
check "are ready" ready pod --all
check "exposed" k expose pod there --port=80 --target-port=8080 --selector=app=cut --name=cut
here=$(field pod/here '{.status.podIP}')
there=$(field pod/there '{.status.podIP}')
expect "they are reached" '^there$' from client "http://$there:8080/hostname"
# Frames of one node get lost on their way to the other.
check "the link is cut" on node-1 nft \
    'add table ip cut; add chain ip cut in { type filter hook prerouting priority -310; };
     add rule ip cut in ip saddr { 172.30.0.4, 10.244.3.0/24 } drop'
expect "requests across get no answer" "$TIMEOUT" \
    from client --max-time 1 "http://$there:8080/hostname"
expect "on the node they do" '^here$' from client "http://$here:8080/hostname"
expect "elsewhere, too" '^there$' at node-2 "http://$there:8080/hostname"
check "it is mended" on node-1 nft delete table ip cut
expect "all is well" '^there$' from client "http://$there:8080/hostname"
same "also through the Service" "here there" \
    "$(in_pod client sh -c "$(repeat 20 http://cut/hostname)" | sort -u | xargs)"

end_scenario
check "the lab ends" kin down --lab "$LAB"
check "and starts over with two nodes" kin up --lab "$LAB" --detach --api-port 0 --nodes 2
nodes_are() { [ "$(k get nodes -o 'jsonpath={.items[*].metadata.name}')" = "$1" ]; }
check "the others are gone" until_true 10 nodes_are "node-1 node-2"
elsewhere() { k get pods -A -o wide | grep -E ' node-[34] '; }
none_elsewhere() { ! elsewhere; }
check "with what ran there" until_true 10 none_elsewhere
finish
