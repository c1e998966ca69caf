#!/bin/bash
# All that streams: port-forward, exec, attach, cp, logs, watches; with kubectl's WebSockets and with
# SPDY, and with clients that are killed in the middle.
source "$(dirname "$0")/lib.sh"

T=$(mktemp -d /tmp/kin-streams.XXXXXX)
source "$(dirname "$0")/forward.sh"
CURL=(curl -s --noproxy '*' --max-time "$(stretched 20)")

kill_tree() {
    local pid=$1 child
    for child in $(cat /proc/"$pid"/task/*/children 2>/dev/null); do kill_tree "$child"; done
    kill -9 "$pid" 2>/dev/null
}
page() { "${CURL[@]}" "http://127.0.0.1:${PORTS[$1]}/${2:-}"; }
many() {
    local i pids=()
    for i in $(seq 50); do page 0 >"$T/many.$i" & pids+=($!); done
    wait "${pids[@]}"
    [ "$(grep -l '<title>Welcome to nginx!' "$T"/many.* | wc -l)" = 50 ]
}
kubectl_line="'$KIN' kubectl --lab $LAB"
digest() { sha256sum | cut -d' ' -f1; }
# A terminal whose size changes while the program runs.
resized() {
    in_terminal "$kubectl_line exec -it box -- sh -c 'until stty size; do :; done; read line; stty size'" \
        >"$T/resized" < <(
            until_true 20 grep -q "33 91" "$T/resized"
            stty -F "$(tr -d '\r' <"$T/tty")" rows 44 cols 101
            # The new size travels on its own stream: it is there when a second program sees it.
            until_true 20 bash -c "$kubectl_line exec box -- sh -c \
                'for t in /dev/pts/[0-9]*; do stty -F \$t size; done' | grep -q '44 101'"
            echo
        )
    cat "$T/resized"
}
# What comes back from the pod `talker`, which repeats lines to both outputs, until both are there.
talk() {
    local fifo=$T/fifo.$1
    mkfifo "$fifo"
    kubectl_itself attach -i talker <"$fifo" >"$T/talk.out" 2>"$T/talk.err" &
    local attached=$!
    exec 7>"$fifo"
    echo "$1" >&7
    until_true 20 grep -q "out $1" "$T/talk.out"
    until_true 20 grep -q "err $1" "$T/talk.err"
    kill "$attached"
    wait "$attached" 2>/dev/null
    exec 7>&-
    cat "$T/talk.out"
    sed 's/^/on stderr: /' "$T/talk.err"
}
server_pid() { "$KIN" status --lab "$LAB" --json | sed -n 's/.*"pid": \([0-9]*\).*/\1/p'; }
descriptors() { find "/proc/$(server_pid)/fd" -mindepth 1 | wc -l; }
threads() { find "/proc/$(server_pid)/task" -mindepth 1 -maxdepth 1 | wc -l; }
resident_kb() { awk '/^VmRSS:/ {print $2}' "/proc/$(server_pid)/status"; }
# killed N COMMAND...: starts kubectl, kills it when it has shown something; N times.
killed() {
    local n=$1 i pids=()
    shift
    for i in $(seq "$n"); do
        kubectl_itself "$@" >"$T/killed.$i" 2>&1 &
        pids+=($!)
    done
    for i in $(seq "$n"); do until_true 30 test -s "$T/killed.$i"; done
    kill -9 "${pids[@]}" 2>/dev/null
    wait "${pids[@]}" 2>/dev/null
}
no_more_than() { [ "$("$1")" -le "$2" ]; }
in_box() { k exec box -- sh -c "ps | grep '$1' | grep -v grep"; }
gone_from_box() { ! in_box "$1"; }

start_lab
k run web --image=nginx --port=80 >/dev/null
k run box --image=busybox --restart=Never -- sh -c 'cd /tmp; mkdir a b; echo first >a/index.html
    echo second >b/index.html; head -c 20000000 /dev/urandom >a/large; httpd -p 8001 -h /tmp/a
    httpd -p 8002 -h /tmp/b; exec nc -ll -p 9000 -e cat' >/dev/null
k run talker --image=busybox --stdin --leave-stdin-open --attach=false --restart=Never -- sh -c \
    'while read -r line; do echo "out $line"; echo "err $line" >&2; done' >/dev/null
k create deployment shop --image=nginx --replicas=2 >/dev/null
k expose deployment shop --port=8080 --target-port=80 >/dev/null
check "pods are ready" k wait --for=condition=Ready pod/web pod/box pod/talker --timeout=40s
check "a deployment rolls out" k rollout status deployment/shop --timeout=40s

for transport in websocket spdy; do
    websockets=true
    [ $transport = spdy ] && websockets=false
    export KUBECTL_PORT_FORWARD_WEBSOCKETS=$websockets KUBECTL_REMOTE_COMMAND_WEBSOCKETS=$websockets

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
        bash -c "echo hello | timeout $(stretched 10) busybox nc 127.0.0.1 ${PORTS[2]}"
    unforward
    forward pod/web :81
    page 0 >/dev/null
    expect "a closed port is told" \
        "error forwarding port 81 to pod default/web: dial tcp 127.0.0.1:81: connect: connection refused" \
        shown "connection refused" "$T/forward"
    unforward

    echo "- exec, $transport"
    k exec box -- sh -c 'echo out; echo err >&2; exit 7' >"$T/out" 2>"$T/err"
    [ $? = 7 ] && ok "the exit code is the program's" || bad "the exit code is the program's"
    expect "stdout alone" '^out$' cat "$T/out"
    expect "stderr and kubectl's message" 'command terminated with exit code 7' cat "$T/err"
    expect "stderr is not mixed with stdout" '^err$' cat "$T/err"
    expect "stdin ends" '^hello$' bash -c "echo hello | timeout $(stretched 10) $kubectl_line exec -i box -- cat"
    head -c 20000000 /dev/urandom >"$T/sent"
    expect "20 MB go in and come out" "$(digest <"$T/sent")" \
        bash -c "timeout $(stretched 60) $kubectl_line exec -i box -- cat <$T/sent | sha256sum"
    expect "a program that is not there" 'executable file not found' k exec box -- no-such-program
    expect "a terminal has the client's size" '33 91' \
        in_terminal "$kubectl_line exec -it box -- sh -c 'until stty size; do :; done'"
    expect "and follows it" '44 101' resized
    expect "attach joins stdout and stdin" "^out $transport" talk $transport
    expect "stderr stays apart" "^on stderr: err $transport" talk $transport-again
done
unset KUBECTL_PORT_FORWARD_WEBSOCKETS KUBECTL_REMOTE_COMMAND_WEBSOCKETS

echo "- much"
before=$(resident_kb)
expect "100 MB come out whole" '^104857600$' \
    bash -c "$kubectl_line exec box -- head -c 104857600 /dev/zero | wc -c"
expect "a client that reads slowly gets all" '^33554432$' bash -c \
    "$kubectl_line exec box -- head -c 33554432 /dev/zero | { read -rt 3 -n 1 <> <(:); wc -c; }"
expect "so does one who is attached" '^33554432$' bash -c \
    "echo | $kubectl_line run much -i --rm --restart=Never --image=busybox -q -- \
     sh -c 'read -r line; exec head -c 33554432 /dev/zero' | tr -dc '\\0' | wc -c"
grown=$((($(resident_kb) - before) / 1024))
echo "  the server grew by $grown MB"
[ $grown -lt 40 ] && ok "the server buffers little" || bad "the server grew by $grown MB"

echo "- run and cp"
in_terminal "$kubectl_line run tty --rm -it --restart=Never --image=busybox -- sh -c 'stty size; tty; exit 3'" >"$T/run"
[ $? = 3 ] && ok "run -it ends with the program's code" || bad "run -it ends with the program's code"
expect "run -it has a terminal" '/dev/pts/0' cat "$T/run"
check "and removes the pod" until_true 20 bash -c "! $kubectl_line get pod tty"
check "cp into a pod" k cp "$T/sent" box:/tmp/sent
expect "is whole" "$(digest <"$T/sent")" k exec box -- sha256sum /tmp/sent
check "cp a directory out of a pod" k cp box:/tmp/a "$T/copied"
expect "is whole too" "$(k exec box -- sha256sum /tmp/a/large | cut -d' ' -f1)" \
    sha256sum "$T/copied/large"
# By GNU tar, which as root gives the files to the sender's id.
check "cp into nginx" k cp "$T/copied/index.html" web:/tmp/page

echo "- logs"
k apply -f - >/dev/null <<YAML
apiVersion: v1
kind: Pod
metadata: {name: logs, labels: {app: logs}}
spec:
  containers:
  - {name: a, image: busybox, command: [sh, -c, "i=0; while [ \$i -lt 20 ]; do i=\$((i+1)); echo a\$i; done; until [ -e /tmp/go ]; do sleep 0.1; done; echo last; exec sleep 1000"]}
  - {name: b, image: busybox, command: [sh, -c, "echo b; [ -e /keep/again ] && exec sleep 1000; touch /keep/again; exit 1"], volumeMounts: [{name: keep, mountPath: /keep}]}
  volumes: [{name: keep, emptyDir: {}}]
YAML
check "a pod restarts a container" until_true 30 bash -c \
    "$kubectl_line get pod logs -o 'jsonpath={.status.containerStatuses[*].restartCount}' | grep -q 1"
check "both run" k wait --for=condition=Ready pod/logs --timeout=40s
expect "--tail" '^a19 a20$' bash -c "$kubectl_line logs logs -c a --tail=2 | xargs"
expect "--timestamps" '^20[0-9-]+T[0-9:.]+Z a20$' k logs logs -c a --tail=1 --timestamps
expect "--since" '^a20$' k logs logs -c a --since=10m
expect "--since-time of tomorrow shows nothing" '^0$' bash -c \
    "$kubectl_line logs logs -c a --since-time=$(date -u -d tomorrow +%FT%TZ) | wc -l"
expect "--previous" '^b$' k logs logs -c b --previous
expect "--previous of one that never restarted" 'previous terminated container "a" in pod "logs" not found' \
    k logs logs -c a --previous
expect "--all-containers --prefix -l" '\[pod/logs/b\] b' k logs -l app=logs --all-containers --prefix
expect "one of several must be named" 'Defaulted container "a" out of: a, b' k logs logs --tail=1
kubectl_itself logs -f logs -c a --tail=1 >"$T/follow" 2>&1 &
follow=$!
check "-f shows what was written" until_true 20 grep -q a20 "$T/follow"
k exec logs -c a -- touch /tmp/go
check "-f shows what is written" until_true 20 grep -q last "$T/follow"
k delete pod logs --grace-period=0 --force >/dev/null 2>&1
check "-f ends with the container" until_true 20 bash -c "! kill -0 $follow"

echo "- clients that vanish"
kubectl_itself exec box -- sleep 12345 >/dev/null 2>&1 &
gone=$!
check "a program runs for a client" until_true 20 in_box '12345'
kill -9 $gone
check "and ends with it" until_true 20 gone_from_box '12345'
in_terminal "$kubectl_line exec -it box -- sh -c 'sleep 12346; true'" >/dev/null 2>&1 </dev/null &
terminal=$!
check "a program runs in a terminal" until_true 20 in_box '12346'
kill_tree $terminal
check "and its children" until_true 20 gone_from_box '12346'
# More than the pipe, the server and the kernel take: behind a full window.
head -c 20000000 /dev/zero >"$T/zeros"
kubectl_itself exec -i box -- sleep 12347 <"$T/zeros" >/dev/null 2>&1 &
gone=$!
check "one that reads no stdin" until_true 20 in_box '12347'
kill -9 $gone
check "ends too" until_true 20 gone_from_box '12347'

k get pods >/dev/null
before=$(descriptors)
threads_before=$(threads)
killed 10 get pods -w
killed 10 exec box -- sh -c 'echo here; sleep 1000'
killed 10 port-forward pod/web :80
killed 10 logs -f talker --tail=1
killed 10 attach -i talker
check "40 killed clients leave no descriptor" until_true 30 no_more_than descriptors $((before + 2))
check "and no thread" no_more_than threads "$threads_before"

kubectl_itself proxy --port=0 >"$T/proxy" 2>&1 &
proxy=$!
until_true 20 grep -q Starting "$T/proxy"
through="http://$(sed -n 's/.* on //p' "$T/proxy")/api/v1/namespaces/default"
expect "kubectl proxy" '"PodList"' "${CURL[@]}" "$through/pods"
echo "- proxy: pages of pods and Services by the API"
expect "a pod's page" "Welcome to nginx" "${CURL[@]}" "$through/pods/web/proxy/"
expect "a Service's by its port" "Welcome to nginx" "${CURL[@]}" "$through/services/shop:8080/proxy/"
expect "which is moved into a folder" "Welcome to nginx" "${CURL[@]}" -L "$through/services/http:shop:8080/proxy"
same "a file that is not there is the pod's to say" 404 \
    "$("${CURL[@]}" -o /dev/null -w '%{http_code}' "$through/pods/web/proxy/none")"
expect "a port that nobody listens at" '"message":"error trying to reach service: .*refused' \
    "${CURL[@]}" "$through/pods/web:81/proxy/"
expect "a port that the Service has not" 'no service port 81 found for service' \
    "${CURL[@]}" "$through/services/shop:81/proxy/"
expect "nobody behind it" 'no endpoints available for service' "${CURL[@]}" "$through/services/kubernetes/proxy/"
k exec box -- sh -c 'head -c 30000000 /dev/zero >/tmp/zeros; cd /tmp; httpd -p 8090'
same "30 MB whole" 30000000 "$("${CURL[@]}" "$through/pods/box:8090/proxy/zeros" | wc -c)"
"${CURL[@]}" --limit-rate 1000 "$through/pods/box:8090/proxy/zeros" >/dev/null &
slow=$!
expect "beside one that hardly reads" "Welcome to nginx" "${CURL[@]}" "$through/pods/web/proxy/"
kill $slow
kill $proxy
rm -rf "$T"
finish
