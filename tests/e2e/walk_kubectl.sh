#!/bin/bash
# Walkthroughs of group I: what reaches into pods with kubectl, as its documentation spells it.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/soon.sh"

T=$(mktemp -d /tmp/kin-kubectl.XXXXXX)
source "$(dirname "$0")/forward.sh"
gone() { ! kill -0 "$1"; }
# connects PORT: somebody answers there, with whatever.
connects() { timeout "$(stretched 5)" bash -c "exec 3<>/dev/tcp/127.0.0.1/$1"; }

start_lab

scenario CTL-02 "Port-forward in all its spellings"
check "mongo" k apply -f - <<'EOF'
apiVersion: apps/v1
kind: Deployment
metadata: {name: mongo, labels: {app.kubernetes.io/name: mongo}}
spec:
  replicas: 1
  selector: {matchLabels: {app.kubernetes.io/name: mongo}}
  template:
    metadata: {labels: {app.kubernetes.io/name: mongo}}
    spec:
      containers:
      - name: mongo
        image: mongo:4.2
        args: [--bind_ip, 0.0.0.0]
        resources: {requests: {cpu: 100m, memory: 100Mi}}
        ports: [{containerPort: 27017}]
---
apiVersion: v1
kind: Service
metadata: {name: mongo}
spec: {ports: [{port: 27017, targetPort: 27017}], selector: {app.kubernetes.io/name: mongo}}
EOF
check "is there" k rollout status deployment/mongo --timeout=30s
expect "get pods" 'mongo-.* 1/1 +Running' k get pods
expect "get deployment" 'mongo +1/1 +1 +1' k get deployment
expect "get replicaset" 'mongo-[0-9a-z]+ +1 +1 +1' k get replicaset
expect "get service" 'mongo +ClusterIP .* 27017/TCP' k get service mongo
pod=$(field pods '{.items[0].metadata.name}')
set=$(field rs '{.items[0].metadata.name}')
expect "its port, by a template" '^27017$' k get pod "$pod" \
    --template='{{(index (index .spec.containers 0).ports 0).containerPort}}{{"\n"}}'
# A port that nobody of this machine has; kubectl's own choice, once.
forward deployment/mongo :27017
expect "a free port is chosen and printed" '^Forwarding from 127.0.0.1:[0-9]+ -> 27017' cat "$T/forward"
check "which leads to mongo" connects "${PORTS[0]}"
local_port=${PORTS[0]}
unforward
for what in "$pod" "pods/$pod" deployment/mongo "replicaset/$set" service/mongo; do
    forward "$what" "$local_port:27017"
    expect "port-forward $what" "^Forwarding from 127.0.0.1:$local_port -> 27017" cat "$T/forward"
    check "which leads to mongo" connects "$local_port"
    unforward
done
k run large --image=busybox -- sh -c \
    'mkdir /tmp/w; head -c 100000000 /dev/urandom >/tmp/w/f; cd /tmp/w; httpd -p 80; exec sleep 1000' >/dev/null
soon "a pod with 100 MB" '100000000' k exec large -- sh -c 'wget -qO- localhost/f | wc -c'
sum=$(k exec large -- sha256sum /tmp/w/f | cut -d' ' -f1)
forward pod/large :80 :81
for i in 1 2; do
    curl -s --noproxy '*' --max-time "$(stretched 60)" "http://127.0.0.1:${PORTS[0]}/f" | sha256sum >"$T/sum.$i" &
    loads[$i]=$!
done
wait "${loads[@]}"
same "two transfers of 100 MB at once arrive whole" "$sum - $sum -" "$(cat "$T/sum.1" "$T/sum.2" | xargs)"
curl -s --noproxy '*' --max-time 5 "http://127.0.0.1:${PORTS[1]}/" >/dev/null
expect "a port where nobody listens is told" 'connection refused' shown 'connection refused' "$T/forward"
# Since 1.23 kubectl itself gives up then; the walkthrough remembers an older one.
expect "kubectl then ends the forward" 'lost connection to pod' shown 'lost connection' "$T/forward"
unforward
forward pod/large :80
check "another one" connects "${PORTS[0]}"
k delete pod large --now --wait=false >/dev/null
soon "the pod is gone" 'NotFound' k get pod large
connects "${PORTS[0]}" 2>/dev/null
check "a forward ends with its pod" until_true 20 gone "$FORWARD"
expect "and says why" 'lost connection to pod|error forwarding|not found' cat "$T/forward"
unforward

scenario CTL-03 "Port-forward to a Service resolves the target port"
check "simpleservice" k apply -f - <<'EOF'
apiVersion: apps/v1
kind: Deployment
metadata: {name: sise-deploy}
spec:
  replicas: 1
  selector: {matchLabels: {app: sise}}
  template:
    metadata: {labels: {app: sise}}
    spec: {containers: [{name: sise, image: 'quay.io/openshiftlabs/simpleservice:0.5.0', ports: [{containerPort: 9876}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: simpleservice}
spec: {ports: [{port: 80, targetPort: 9876}], selector: {app: sise}}
EOF
check "is there" k rollout status deployment/sise-deploy --timeout=30s
forward service/simpleservice :80
expect "the pod's port is named" '^Forwarding from 127.0.0.1:[0-9]+ -> 9876' cat "$T/forward"
same "the application sees the names of this side" "localhost:${PORTS[0]} 127.0.0.1" \
    "$(curl -s --noproxy '*' --max-time 5 -4 "http://localhost:${PORTS[0]}/info" |
        python3 -c 'import json, sys; d = json.load(sys.stdin); print(d["host"], d["from"])')"
unforward

scenario CTL-04 "Exec"
check "a pod on the host network, and two containers with one page" k apply -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata: {name: shell-demo}
spec:
  volumes: [{name: shared-data, emptyDir: {}}]
  containers: [{name: nginx, image: nginx, volumeMounts: [{name: shared-data, mountPath: /usr/share/nginx/html}]}]
  hostNetwork: true
  dnsPolicy: Default
---
apiVersion: v1
kind: Pod
metadata: {name: two-containers}
spec:
  restartPolicy: Never
  volumes: [{name: shared-data, emptyDir: {}}]
  containers:
  - {name: nginx-container, image: nginx, volumeMounts: [{name: shared-data, mountPath: /usr/share/nginx/html}]}
  - name: debian-container
    image: debian
    volumeMounts: [{name: shared-data, mountPath: /pod-data}]
    command: [/bin/sh]
    args: [-c, echo Hello from the debian container > /pod-data/index.html]
EOF
check "it runs" k wait --for=condition=Ready pod/shell-demo --timeout=30s
kubectl_line="'$KIN' kubectl --lab $LAB -n $NS"
typed() { # typed TEXT: what a shell with a terminal in shell-demo shows when that is typed.
    in_terminal "$kubectl_line exec --stdin --tty shell-demo -- /bin/bash" < <(printf '%b' "$1")
}
expect "a shell, typed at" 'Hello shell demo' typed \
    "ls /\necho 'Hello shell demo' > /usr/share/nginx/html/index.html\ncurl -s http://localhost/\nexit\n"
expect "that page is served" '^Hello shell demo' k exec shell-demo -- curl -s http://localhost/
# What is typed before the program runs, or goes, would be the shell's.
sleeps() { k exec shell-demo -- pgrep -f '^sleep 1234'; }
interrupted() {
    in_terminal "$kubectl_line exec --stdin --tty shell-demo -- /bin/bash" < <(
        printf 'sleep 1234\n'
        until_true 20 sleeps
        printf '\003'
        until_true 20 eval '! sleeps'
        printf "echo still h''ere\nexit\n"
    )
}
expect "Ctrl-C ends a program, not the shell" 'still [h]ere' interrupted
typed "echo a\n\004" >/dev/null
same "Ctrl-D ends the shell" 0 $?
expect "env" '^HOSTNAME=' k exec shell-demo -- env
expect "ps aux" 'nginx' k exec shell-demo -- ps aux
expect "ls /" '^usr$' k exec shell-demo -- ls /
k exec shell-demo -- false >/dev/null 2>&1
same "false: exit 1" 1 $?
head -c 300000 /dev/urandom >"$T/binary"
same "stdin passes through unchanged" "$(sha256sum <"$T/binary")" \
    "$(k exec -i shell-demo -- cat <"$T/binary" | sha256sum)"
node=$(field pod/shell-demo '{.spec.nodeName}')
check "a second nginx on that node's network" k run second --image=nginx --restart=Never \
    --overrides="{\"spec\":{\"hostNetwork\":true,\"nodeName\":\"$node\"}}"
soon "cannot bind" 'Error' k get pod second
expect "and says so" 'bind|in use' k logs second
soon "one container has ended" '^Completed$' field pod/two-containers \
    '{.status.containerStatuses[?(@.name=="debian-container")].state.terminated.reason}'
expect "the other runs" 'startedAt' field pod/two-containers \
    '{.status.containerStatuses[?(@.name=="nginx-container")].state.running}'
expect "and serves what the first wrote" 'Hello from the debian container' \
    k exec two-containers -c nginx-container -- curl -s localhost
refused "a container that is not there" 'container no-such is not valid for pod|container not found' \
    k exec two-containers -c no-such -- ls

scenario CTL-05 "Logs"
check "one that counts" k run busybox --image=busybox --restart=Never -- /bin/sh -c \
    'i=0; while true; do echo "$i: $(date)"; i=$((i+1)); sleep 0.2; done'
check "one that fails" k run busybox2 --restart=Never --image=busybox -- /bin/sh -c 'ls /notexist'
check "one whose program is not there" k run busybox3 --restart=Never --image=busybox -- notexist
k create deployment two --image=nginx --replicas=2 >/dev/null
check "it runs" k wait --for=condition=Ready pod/busybox --timeout=30s
kubectl_itself logs busybox -f >"$T/follow" 2>&1 &
follow=$!
check "-f follows" until_true 20 grep -q '^12: ' "$T/follow"
kill $follow
expect "--tail=3" '^3$' eval 'k logs busybox --tail=3 | wc -l'
expect "--since=1s shows some" '^[1-9]$' eval 'k logs busybox --since=1s | wc -l'
expect "--timestamps" '^20[0-9-]+T[0-9:.]+Z 0: ' k logs busybox --timestamps
soon "the failure" 'Error' k get pod busybox2
expect "its words" '/notexist: No such file' k logs busybox2
expect "its exit code" 'Exit Code: +[12]' k describe po busybox2
soon "a start that fails" 'StartError|RunContainerError|ContainerCannotRun' k get pod busybox3
expect "an Event names the program" 'notexist' eval 'k describe po busybox3 | grep -A20 Events:'
check "deleted with force" k delete po busybox3 --force --grace-period=0 --timeout=5s
refused "it is gone at once" NotFound k get pod busybox3
check "a deployment" k rollout status deployment/two --timeout=30s
expect "logs of a deployment" 'start worker' k logs deployment/two
expect "logs of a label" '^\[pod/two-[^/]+/nginx\] ' k logs -l app=two --prefix
same "of both pods" 2 "$(k logs -l app=two --prefix | sed 's/ .*//' | sort -u | wc -l)"
expect "--all-containers" '^0: ' k logs busybox --all-containers
rm -rf "$T"
finish
