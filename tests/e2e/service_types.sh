#!/bin/bash
# Every way to reach a Service: from pods, from outside, from this machine; and what the kernel holds.
source "$(dirname "$0")/lib.sh"

start_lab
check "a deployment of three" k create deployment web --image=registry.k8s.io/e2e-test-images/agnhost:2.53 \
    --replicas=3 -- /agnhost netexec --http-port=8080
check "they are ready" k rollout status deployment/web --timeout=40s
client() { kin exec --lab "$LAB" client -- "$@"; }
get() { client curl -s --max-time 5 "$@"; }

check "a NodePort Service with a number of its own" \
    k create service nodeport web --tcp=80:8080 --node-port=30080
for node in 172.30.0.2 172.30.0.3 172.30.0.4; do
    eventually "node port 30080 answers on $node" 10 '^web-' get "http://$node:30080/hostname"
done
expect "the pod sees the node as the client" '^172\.30\.0\.[234]:' get http://172.30.0.3:30080/clientip
host_of() { "$KIN" status --lab "$LAB" | awk -v t="$1" '$1 == "default/web" && $2 == t {print $4}'; }
expect "this machine reaches the node port on its own 127.0.0.1" '^web-' \
    curl -s --max-time 5 "http://$(host_of NodePort)/hostname"


check "a UDP port" k apply -f - <<YAML
apiVersion: v1
kind: Service
metadata: {name: datagrams}
spec:
  type: NodePort
  selector: {app: web}
  ports: [{port: 81, targetPort: 8081, nodePort: 30081, protocol: UDP}]
YAML
datagram_host() { "$KIN" status --lab "$LAB" | awk '$1 == "default/datagrams" {print $4}'; }
check "is published, too" until_true 5 matches '^127\.0\.0\.1:30081/UDP$' datagram_host
# Two clients of this machine, each with its own answer.
ask_by_udp() {
    python3 -c '
import socket, sys
for word in "hostname", "clientip":
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.settimeout(3)
    s.sendto(word.encode(), ("127.0.0.1", int(sys.argv[1])))
    print(word, s.recv(1000).decode())' "$1"
}
expect "this machine reaches it" '^hostname web-' ask_by_udp 30081
expect "and is seen as a node" '^clientip 172\.30\.0\.' ask_by_udp 30081

# Every port that kin would try is somebody else's; a line when they are, then until killed.
python3 -c '
import signal, socket
held = []
for port in range(30500, 30600):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        s.bind(("127.0.0.1", port))
        s.listen()
    except OSError:
        pass  # Taken by yet another: as good.
    held.append(s)
print("held", flush=True)
signal.pause()' >"/tmp/$LAB.held" &
holder=$!
check "a hundred ports are taken" until_true 5 grep -q held "/tmp/$LAB.held"
check "a Service that would have one" k create service nodeport late --tcp=80:8080 --node-port=30500
late() { "$KIN" status --lab "$LAB" | awk '$1 == "default/late" {print}'; }
check "kin status says why it is not published" until_true 5 matches 'in use' late
kill "$holder"
check "once they are free it is" until_true 10 matches ' 127\.0\.0\.1:30[0-9]+$' late
check "and goes" k delete service late datagrams

check "it becomes a LoadBalancer" k patch service web -p '{"spec":{"type":"LoadBalancer"}}'
check "and gets an address" until_true 5 bash -c \
    "'$KIN' kubectl --lab $LAB get service web -o 'jsonpath={.status.loadBalancer.ingress[0].ip}' | grep -q 172.30.200."
address=$(k get service web -o 'jsonpath={.status.loadBalancer.ingress[0].ip}')
expect "kubectl shows it" "LoadBalancer .* $address .*80:30080/TCP" k get service web
expect "the outside client reaches it" '^web-' get "http://$address/hostname"
expect "a pod reaches it" '^web-' k run c1 --rm -i --quiet --restart=Never --image=busybox -- \
    wget -qO- "http://$address/hostname"
expect "this machine reaches it on 8080 or later" '^web-' \
    curl -s --max-time 5 "http://$(host_of LoadBalancer)/hostname"
expect "describe tells who gave it" EnsuredLoadBalancer k describe service web

check "externalTrafficPolicy Local" \
    k patch service web -p '{"spec":{"externalTrafficPolicy":"Local"}}'
check "one pod only" k scale deployment web --replicas=1
check "scaled" k rollout status deployment/web --timeout=30s
one_endpoint() { [ "$(k get endpointslices -l kubernetes.io/service-name=web -o 'jsonpath={.items[*].endpoints[*].conditions.ready}')" = true ]; }
check "one endpoint is left" until_true 40 one_endpoint
"$KIN" kubectl --lab "$LAB" get --raw /readyz >/dev/null
expect "the pod sees the client's own address" '^203\.0\.113\.10:' get "http://$address/clientip"
node=$(k get pods -l app=web -o 'jsonpath={.items[0].spec.nodeName}')

expect "kin rules tells the way and counts" 'one of 1 endpoint' \
    kin rules --lab "$LAB" svc/web --node "$node"
expect "and what iptables would hold" 'KUBE-SVC-[A-Z2-7]{16}' \
    kin rules --lab "$LAB" svc/web --mode iptables
expect "and IPVS" '^TCP .* rr' kin rules --lab "$LAB" svc/web --mode ipvs
expect "a Service that is not there" 'there is no Service default/none' \
    kin rules --lab "$LAB" svc/none

check "back to ClusterIP" k patch service web --type=merge \
    -p '{"spec":{"type":"ClusterIP","externalTrafficPolicy":null}}'
no_address() { [ -z "$(k get service web -o 'jsonpath={.status.loadBalancer.ingress}')" ]; }
check "its address is taken back" until_true 5 no_address
closed() { ! get "http://172.30.0.3:30080/hostname"; }
check "its node port is closed" until_true 5 closed

check "a client pod" k run c2 --image=busybox --command -- sleep 3600
check "is ready" k wait --for=condition=Ready pod/c2 --timeout=20s

check "no pods" k scale deployment web --replicas=0
no_way_in() { grep -q refused <<<"$(k exec c2 -- wget -T 3 -qO- http://web/hostname 2>&1)"; }
check "are refused at once" until_true 40 no_way_in

# kube-proxy is what programs a node: without it the rules stay as they were.
check "two pods" k scale deployment web --replicas=2
check "are ready again" k rollout status deployment/web --timeout=30s
check "without kube-proxy" k -n kube-system delete daemonset kube-proxy --timeout=40s
check "a new Service" k expose deployment web --name=late --port=80 --target-port=8080
expect "is in no kernel" '^0$' bash -c \
    "'$KIN' exec --lab $LAB node-1 -- nft list table ip kube-proxy | grep -c default/late"
expect "the old one works on" '^web-' k exec c2 -- wget -T 3 -qO- http://web/hostname
finish
