#!/bin/bash
# The first half hour of every tutorial: a Deployment, a Service, a page fetched by its name.
source "$(dirname "$0")/lib.sh"

start_lab
expect "three nodes are Ready" "node-3 +Ready" k get nodes
check "nodes are Ready in kubectl's eyes" k wait --for=condition=Ready node --all --timeout=20s
check "coredns rolls out" k -n kube-system rollout status deployment/coredns --timeout=30s
check "kube-proxy rolls out" k -n kube-system rollout status daemonset/kube-proxy --timeout=30s
expect "system pods are Running" "coredns.*1/1 +Running" k get pods -A

check "create deployment" k create deployment web --image=nginx --replicas=3
check "rollout status" k rollout status deployment/web --timeout=30s
check "expose" k expose deployment web --port=80
expect "pods are spread over the nodes" "node-1.*node-2.*node-3|node-[123]" \
    k get pods -l app=web -o wide

page=$(k run c --rm -i --restart=Never --image=busybox -- wget -qO- http://web 2>/tmp/$LAB.err)
if grep -q '<title>Welcome to nginx!</title>' <<<"$page"; then ok "a pod fetches the page by name"; else
    bad "a pod fetches the page by name"
    echo "$page" | head -5
    cat /tmp/$LAB.err
fi
check "the client pod is gone" until_true 20 bash -c "! '$KIN' kubectl --lab $LAB get pod c"

for pod in $(k get pods -l app=web -o name); do
    expect "curl in $pod" "Welcome to nginx" k exec "$pod" -- curl -s --max-time 5 http://web
    expect "by its full name in $pod" "Welcome to nginx" \
        k exec "$pod" -- curl -s --max-time 5 http://web.default.svc.cluster.local
done
expect "apply says unchanged the second time" unchanged bash -c \
    "'$KIN' kubectl --lab $LAB apply -f examples/01-web.yaml >/dev/null 2>&1
     '$KIN' kubectl --lab $LAB apply -f examples/01-web.yaml"
check "scale" k scale deployment web --replicas=5
check "scaled" k rollout status deployment/web --timeout=30s
victim=$(k get pods -l app=web -o name | head -1)
check "delete a pod" k delete "$victim" --timeout=40s
check "its replacement is ready" k rollout status deployment/web --timeout=30s
expect "describe shows events" "ScalingReplicaSet" k describe deployment web
expect "the node's rules name the Service" 'default/web' \
    kin exec --lab "$LAB" node-2 -- nft list ruleset
expect "the node's routes lead to its pods" '10\.244\.2\.[0-9]+ dev' \
    kin exec --lab "$LAB" node-2 -- ip route
check "delete -f" k delete -f examples/01-web.yaml --timeout=60s
check "pods go with their deployment" until_true 40 bash -c \
    "[ -z \"\$('$KIN' kubectl --lab $LAB get pods -l app=web -o name)\" ]"
expect "an unknown field is refused by name" 'unknown field "spec.replica"' \
    k create -f tests/e2e/unknown_field.yaml
finish
