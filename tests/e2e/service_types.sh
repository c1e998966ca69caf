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
    expect "node port 30080 answers on $node" '^web-' get "http://$node:30080/hostname"
done
expect "a second Service cannot have the number" 'provided port is already allocated' \
    k create service nodeport other --tcp=80:8080 --node-port=30080
expect "the pod sees the node as the client" '^172\.30\.0\.[234]:' get http://172.30.0.3:30080/clientip
host_of() { "$KIN" status --lab "$LAB" | awk -v t="$1" '$1 == "default/web" && $2 == t {print $4}'; }
expect "this machine reaches the node port on its own 127.0.0.1" '^web-' \
    curl -s --max-time 5 "http://$(host_of NodePort)/hostname"

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
port=$(k get service web -o 'jsonpath={.spec.healthCheckNodePort}')
for number in 1 2 3; do
    wanted='"localEndpoints":0'
    [ "node-$number" = "$node" ] && wanted='"localEndpoints":1'
    expect "the health check of node-$number says $wanted" "$wanted" \
        get "http://172.30.0.$((number + 1)):$port/healthz"
done

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

check "session affinity" k patch service web -p '{"spec":{"sessionAffinity":"ClientIP"}}'
check "four pods" k scale deployment web --replicas=4
check "are ready" k rollout status deployment/web --timeout=30s
check "a client pod" k run c2 --image=busybox --command -- sleep 3600
check "is ready" k wait --for=condition=Ready pod/c2 --timeout=20s
same=$(k exec c2 -- sh -c 'for i in 1 2 3 4 5 6 7 8 9 10; do wget -qO- http://web/hostname; echo; done' |
    sort | uniq -c | wc -l)
expect "ten requests of one client meet one pod" '^1$' echo "$same"

check "no pods" k scale deployment web --replicas=0
refused() { grep -q refused <<<"$(k exec c2 -- wget -T 3 -qO- http://web/hostname 2>&1)"; }
check "are refused at once" until_true 40 refused

# kube-proxy is what programs a node: without it the rules stay as they were.
check "two pods" k scale deployment web --replicas=2
check "are ready again" k rollout status deployment/web --timeout=30s
check "without kube-proxy" k -n kube-system delete daemonset kube-proxy --timeout=40s
check "a new Service" k expose deployment web --name=late --port=80 --target-port=8080
expect "is in no kernel" '^0$' bash -c \
    "'$KIN' exec --lab $LAB node-1 -- nft list table ip kube-proxy | grep -c default/late"
expect "the old one works on" '^web-' k exec c2 -- wget -T 3 -qO- http://web/hostname
finish
