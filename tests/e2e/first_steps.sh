#!/bin/bash
# The first half hour of every tutorial: a Deployment, a Service, a page fetched by its name.
source "$(dirname "$0")/lib.sh"

# The ready pods' addresses, and those of the Service's endpoints; "same_addresses" if they agree.
slice_addresses() {
    local pods slices
    pods=$(k get pods -l app=web -o jsonpath='{.items[*].status.podIP}' | tr ' ' '\n' | sort)
    slices=$(k get endpointslices -l kubernetes.io/service-name=web \
        -o jsonpath='{.items[*].endpoints[*].addresses[0]}' | tr ' ' '\n' | sort)
    [ "$pods" = "$slices" ] && echo same_addresses
    echo "pods: $pods; endpoints: $slices"
}

start_lab
same "three nodes are Ready" "node-1 node-2 node-3 " \
    "$(k get nodes --no-headers | awk '$2 == "Ready" {printf "%s ", $1}')"
check "nodes are Ready in kubectl's eyes" k wait --for=condition=Ready node --all --timeout=20s
check "coredns rolls out" k -n kube-system rollout status deployment/coredns --timeout=30s
check "kube-proxy rolls out" k -n kube-system rollout status daemonset/kube-proxy --timeout=30s
label_phase_ready='{.metadata.labels.k8s-app} {.status.phase} {.status.containerStatuses[0].ready}'
same "every system pod is Running" \
    "3 kin-network Running true, 2 kube-dns Running true, 3 kube-proxy Running true, " \
    "$(k -n kube-system get pods -o jsonpath="{range .items[*]}$label_phase_ready{'\n'}{end}" |
        sort | uniq -c | awk '{printf "%s %s %s %s, ", $1, $2, $3, $4}')"

check "create deployment" k create deployment web --image=nginx --replicas=3
check "rollout status" k rollout status deployment/web --timeout=30s
check "expose" k expose deployment web --port=80
same "each node has one of the three pods" "node-1 node-2 node-3" \
    "$(k get pods -l app=web -o jsonpath='{.items[*].spec.nodeName}' | tr ' ' '\n' | sort | xargs)"

k run c --rm -i --quiet --restart=Never --image=busybox -- wget -qO- http://web \
    >"/tmp/$LAB.page" 2>"/tmp/$LAB.err"
expect "a pod fetches the page by name" '<title>Welcome to nginx!</title>' cat "/tmp/$LAB.page"
same "and says nothing on stderr" "" "$(cat "/tmp/$LAB.err")"
# Without --quiet kubectl says on stderr where the output came from, had it come too late to attach.
k run c --rm -i --restart=Never --image=busybox -- wget -qO- http://web >/dev/null 2>"/tmp/$LAB.err" </dev/null
same "it comes by attach, not from the log" "" "$(grep "couldn't attach" "/tmp/$LAB.err")"
check "the client pod is gone" until_true 20 bash -c "! '$KIN' kubectl --lab $LAB get pod c"

for pod in $(k get pods -l app=web -o name); do
    expect "curl in $pod" "Welcome to nginx" k exec "$pod" -- curl -s --max-time 5 http://web
    expect "by its full name in $pod" "Welcome to nginx" \
        k exec "$pod" -- curl -s --max-time 5 http://web.default.svc.cluster.local
done
expect "apply says unchanged the second time" unchanged bash -c \
    "'$KIN' kubectl --lab $LAB apply -f examples/02-web.yaml >/dev/null 2>&1
     '$KIN' kubectl --lab $LAB apply -f examples/02-web.yaml"
check "scale" k scale deployment web --replicas=5
check "scaled" k rollout status deployment/web --timeout=30s
victim=$(k get pods -l app=web -o name | head -1)
check "delete a pod" k delete "$victim" --timeout=40s
check "its replacement is ready" k rollout status deployment/web --timeout=30s
same "five pods again, without the deleted one" "5 0" \
    "$(k get pods -l app=web -o name | wc -l) $(k get pods -o name | grep -c "^$victim\$")"
eventually "the Service leads to exactly these five" 10 same_addresses slice_addresses
expect "describe shows events" "ScalingReplicaSet" k describe deployment web
expect "the node's rules name the Service" 'default/web' \
    kin exec --lab "$LAB" node-2 -- nft list ruleset
expect "the node's routes lead to its pods" '10\.244\.2\.[0-9]+(/24)? dev (veth|cni0)' \
    kin exec --lab "$LAB" node-2 -- ip route
check "delete -f" k delete -f examples/02-web.yaml --timeout=60s
check "pods go with their deployment" until_true 40 bash -c \
    "[ -z \"\$('$KIN' kubectl --lab $LAB get pods -l app=web -o name)\" ]"
expect "an unknown field is refused by name" 'unknown field "spec.replica"' \
    k create -f tests/e2e/unknown_field.yaml
finish
