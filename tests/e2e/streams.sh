#!/bin/bash
# kubectl port-forward, through its WebSocket tunnel and with plain SPDY.
source "$(dirname "$0")/lib.sh"

T=$(mktemp -d /tmp/kin-streams.XXXXXX)
CURL=(curl -s --noproxy '*' --max-time 20)

# In the background: kubectl itself is the process that is killed later.
kubectl_itself() { exec "$KIN" kubectl --lab "$LAB" "$@"; }
# forward ARGS...: kubectl port-forward in the background; sets FORWARD (its pid) and PORTS.
forward() {
    kubectl_itself port-forward "$@" >"$T/forward" 2>&1 &
    FORWARD=$!
    local wanted
    wanted=$(printf '%s\n' "$@" | grep -c '^:')
    until_true 20 bash -c "[ \$(grep -c 'from 127' $T/forward) -ge $wanted ]" || cat "$T/forward"
    mapfile -t PORTS < <(sed -n 's/^Forwarding from 127.0.0.1:\([0-9]*\) .*/\1/p' "$T/forward")
}
unforward() {
    kill "$FORWARD" 2>/dev/null
    wait "$FORWARD" 2>/dev/null
}
page() { "${CURL[@]}" "http://127.0.0.1:${PORTS[$1]}/${2:-}"; }
many() {
    local i pids=()
    for i in $(seq 50); do page 0 >"$T/many.$i" & pids+=($!); done
    wait "${pids[@]}"
    [ "$(grep -l '<title>Welcome to nginx!' "$T"/many.* | wc -l)" = 50 ]
}
# shown PATTERN FILE: the file, as soon as the pattern is in it.
shown() {
    until_true 20 grep -Eq -- "$1" "$2"
    cat "$2"
}

start_lab
k run web --image=nginx --port=80 >/dev/null
k run box --image=busybox --restart=Never -- sh -c 'cd /tmp; mkdir a b; echo first >a/index.html
    echo second >b/index.html; head -c 20000000 /dev/urandom >a/large; httpd -p 8001 -h /tmp/a
    httpd -p 8002 -h /tmp/b; exec nc -ll -p 9000 -e cat' >/dev/null
k create deployment shop --image=nginx --replicas=2 >/dev/null
k expose deployment shop --port=8080 --target-port=80 >/dev/null
check "pods are ready" k wait --for=condition=Ready pod/web pod/box --timeout=40s
check "a deployment rolls out" k rollout status deployment/shop --timeout=40s

for transport in websocket spdy; do
    websockets=true
    [ $transport = spdy ] && websockets=false
    export KUBECTL_PORT_FORWARD_WEBSOCKETS=$websockets

    echo "- port-forward, $transport"
    forward pod/web :80
    expect "a page of a pod" "Welcome to nginx" page 0
    check "50 connections at once" many
    unforward
    forward deploy/shop :80
    expect "a page of a deployment" "Welcome to nginx" page 0
    unforward
    forward svc/shop :8080
    expect "a page of a service" "Welcome to nginx" page 0
    unforward
    forward pod/box :8001 :8002 :9000
    expect "several ports, the first" first page 0
    expect "several ports, the second" second page 1
    expect "20 MB arrive whole" "$(k exec box -- sha256sum /tmp/a/large | cut -d' ' -f1)" \
        bash -c "curl -s --noproxy '*' http://127.0.0.1:${PORTS[0]}/large | sha256sum"
    expect "a client may end its half first" hello \
        bash -c "echo hello | timeout 10 busybox nc 127.0.0.1 ${PORTS[2]}"
    unforward
    forward pod/web :81
    page 0 >/dev/null
    expect "a closed port is told" \
        "error forwarding port 81 to pod default/web: dial tcp 127.0.0.1:81: connect: connection refused" \
        shown "connection refused" "$T/forward"
    unforward
done
rm -rf "$T"
finish
