#!/bin/bash
# Walkthroughs of groups D and H: StatefulSets, readiness, rollouts and scaling, under real requests.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/soon.sh"

AGNHOST=registry.k8s.io/e2e-test-images/agnhost:2.40
none() { [ -z "$("$@" -o name 2>/dev/null)" ]; } # none k get KIND
in_a_line() { "$@" | xargs -d '\n'; } # in_a_line COMMAND: its lines, joined
count() { "$@" | grep -c .; }
# watching FILE ARGS...: kubectl get --watch in the background, into /tmp/$LAB.FILE; its pid is $!.
watching() {
    local file=/tmp/$LAB.$1
    shift
    exec "$KIN" kubectl --lab "$LAB" -n "$NS" get --watch "$@" >"$file" 2>&1
}
# probe: a pod that asks, in this scenario's namespace.
probe() {
    k run probe --image=$AGNHOST >/dev/null
    check "a pod that asks runs" k wait --for=condition=Ready pod/probe --timeout=30s
}
# replace POD...: deletes pods of a StatefulSet, and waits until others have their names. On a slow machine not
# by kubectl's own wait: where the next pod comes before kubectl watches, that is the one which it waits for.
replace() {
    local before own=--wait=true
    [ "${KIN_SLOW:-1}" = 1 ] || own=--wait=false
    before=$(uids "$@")
    k delete pod "$@" $own --timeout=60s && until_true 60 replaced "$before" "$@"
}
uids() { k get pod "$@" --no-headers -o custom-columns=:.metadata.uid | sort; }
replaced() { # replaced UIDS POD...: as many have others.
    local now
    now=$(uids "${@:2}") && [ "$(wc -l <<<"$now")" = "$(wc -l <<<"$1")" ] &&
        [ -z "$(comm -12 <(echo "$now") <(echo "$1"))" ]
}
page() { k exec probe -- curl -sS --max-time 5 "$@"; }
slices() { # slices SERVICE: name, ready, serving and terminating of each endpoint.
    k get endpointslices -l "kubernetes.io/service-name=$1" -o 'jsonpath={range .items[*].endpoints[*]}{.targetRef.name} {.conditions.ready} {.conditions.serving} {.conditions.terminating}{"\n"}{end}'
}
# load PAUSE CLIENTS SERVICE...: a pod of clients that ask until /tmp/stop is there; half of them keep
# their connections. Its log then tells how many asked, failed, and what they were answered.
load() {
    local pause=$1 clients=$2 service=$3
    cat >"/tmp/$LAB.load.py" <<EOF
import collections, http.client, os, threading, time
answers, failures = collections.Counter(), collections.Counter()
lock = threading.Lock()
def ask(keep):
    connection = None
    while not os.path.exists("/tmp/stop"):
        try:
            connection = connection or http.client.HTTPConnection("$service", 80, timeout=5)
            connection.request("GET", "/")
            answer = connection.getresponse()
            text = answer.read().decode()
            if not keep or answer.will_close:
                connection.close()
                connection = None
            good, why = answer.status == 200, "status %d" % answer.status
        except Exception as error:
            good, why, connection = False, repr(error), None
        with lock:
            (answers if good else failures)[text.split("\n")[0] if good else why] += 1
        time.sleep($pause)
threads = [threading.Thread(target=ask, args=(i % 2 == 1,)) for i in range($clients)]
for one in threads: one.start()
for one in threads: one.join()
print("asked", sum(answers.values()) + sum(failures.values()), "failed", sum(failures.values()), dict(failures), dict(answers))
EOF
    k create configmap load --from-file=load.py="/tmp/$LAB.load.py" >/dev/null
    k apply -f - >/dev/null <<'EOF'
apiVersion: v1
kind: Pod
metadata: {name: load}
spec:
  restartPolicy: Never
  containers:
  - {name: c, image: python, command: [python3, /load/load.py], volumeMounts: [{name: load, mountPath: /load}]}
  volumes: [{name: load, configMap: {name: load}}]
EOF
    check "$clients clients run" k wait --for=condition=Ready pod/load --timeout=30s
}
load_ends() { # load_ends PATTERN
    k exec load -- touch /tmp/stop
    check "the clients end" k wait --for=jsonpath='{.status.phase}'=Succeeded pod/load --timeout=30s
    expect "no request failed" "$1" k logs load
}

start_lab

# Begun first, because they take their time: LIFE-10's pod falls ill after 10 s.
scenario LIFE-10 "Liveness restarts"
check "a pod that falls ill" k -n default apply -f - <<EOF
apiVersion: v1
kind: Pod
metadata: {name: liveness-http}
spec:
  containers:
  - name: liveness
    image: $AGNHOST
    args: [liveness]
    livenessProbe:
      httpGet: {path: /healthz, port: 8080, httpHeaders: [{name: Custom-Header, value: Awesome}]}
      initialDelaySeconds: 3
      periodSeconds: 3
---
apiVersion: v1
kind: Pod
metadata: {name: dies}
spec: {containers: [{name: c, image: busybox, command: [sh, -c, 'echo dying; exit 3']}]}
EOF
check "it starts" k -n default wait --for=condition=Ready pod/liveness-http --timeout=30s
ill=$(field "-n default pod/liveness-http" '{.status.podIP}')

scenario STS-01 "Ordered start and per-pod names"
web() { # web REPLICAS: the tutorial's Service and StatefulSet
    k apply -f - <<EOF
apiVersion: v1
kind: Service
metadata: {name: nginx, labels: {app: nginx}}
spec: {ports: [{port: 80, name: web}], clusterIP: None, selector: {app: nginx}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: web}
spec:
  serviceName: nginx
  replicas: $1
  selector: {matchLabels: {app: nginx}}
  template:
    metadata: {labels: {app: nginx}}
    spec:
      containers:
      - name: nginx
        image: registry.k8s.io/nginx-slim:0.21
        ports: [{containerPort: 80, name: web}]
        volumeMounts: [{name: www, mountPath: /usr/share/nginx/html}]
  volumeClaimTemplates:
  - metadata: {name: www}
    spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
EOF
}
watching watch pods -l app=nginx &
watcher=$!
probe
check "apply" web 2
check "rolls out" k rollout status statefulset/web --timeout=40s
# What the watch saw, as "web-0 Running 1/1" in its order; the first line of each pod is Pending.
saw() { awk '$1 ~ /^web-/ {print $1, $3, $2}' "/tmp/$LAB.watch" | uniq | xargs; }
soon "web-0 was ready before web-1 was made" \
    '^web-0 Pending 0/1 .*web-0 Running 1/1 web-1 Pending 0/1 .*web-1 Running 1/1' saw
kill $watcher
expect "the Service is headless" 'nginx +ClusterIP +None' k get service nginx
expect "READY 2/2" 'web +2/2' k get statefulset web
for i in 0 1; do expect "hostname of web-$i" "^web-$i\$" k exec "web-$i" -- sh -c hostname; done
for i in 0 1; do
    soon "name of web-$i" "Address.*$(field pod/web-$i '{.status.podIP}')" k run "dns-$i" -i --rm -q \
        --restart=Never --image=busybox:1.28 -- nslookup "web-$i.nginx"
done
soon "one SRV record per pod" 'web-0.nginx.sts-01.* web-1.nginx.sts-01' \
    in_a_line k exec probe -- sh -c "dig +short SRV nginx.$NS.svc.cluster.local | sort -k4"
soon "claims are bound" 'www-web-1 +Bound' k get pvc -l app=nginx
expect "both" 'www-web-0 +Bound' k get pvc -l app=nginx
expect "events tell of them" 'create Claim www-web-0 Pod web-0 in StatefulSet web success' k describe sts web

# STS-02 to STS-04 go on with the same set, as the tutorial does.
echo "STS-02 Identity and storage outlive the pod"
for i in 0 1; do
    check "write in web-$i" k exec "web-$i" -- sh -c 'echo "$(hostname)" > /usr/share/nginx/html/index.html'
    expect "served by web-$i" "^web-$i\$" k exec "web-$i" -- curl -s http://localhost/
done
check "delete the pods, and others come" replace -l app=nginx
check "they are ready" k rollout status statefulset/web --timeout=60s
for i in 0 1; do
    soon "web-$i still serves its page" "^web-$i\$" k exec "web-$i" -- curl -s http://localhost/
    soon "its name follows" "$(field pod/web-$i '{.status.podIP}')" k exec probe -- nslookup "web-$i.nginx"
done

echo "STS-03 Scaling a StatefulSet up and down"
watching watch pods -l app=nginx &
watcher=$!
until_true 10 grep -q web-1 "/tmp/$LAB.watch"
check "up to 5" k scale sts web --replicas=5
check "is up" k rollout status statefulset/web --timeout=60s
soon "one after the other" 'web-2 Running 1/1 web-3 Pending .*web-3 Running 1/1 web-4 Pending .*web-4 Running 1/1' saw
check "down to 3" k patch sts web -p '{"spec":{"replicas":3}}'
check "web-3 goes" k wait --for=delete pod/web-3 --timeout=40s
soon "web-4 went before" 'web-4 Terminating.*web-3 Terminating' saw
kill $watcher
same "five claims stay" 5 "$(k get pvc -l app=nginx --no-headers | grep -c Bound)"

echo "STS-04 Rolling update, partition, canary, OnDelete"
image() { # image TAG
    k patch statefulset web --type=json -p='[{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value":"registry.k8s.io/nginx-slim:'"$1"'"}]'
}
strategy() { k patch statefulset web -p '{"spec":{"updateStrategy":'"$1"'}}'; }
images() { field "pods -l app=nginx" '{range .items[*]}{.spec.containers[0].image}{" "}{end}' | sed 's/[^ ]*://g'; }
check "a new image" image 0.24
check "rolled" k rollout status sts/web --timeout=90s
same "all three have it" "0.24 0.24 0.24 " "$(images)"
check "partition 3" strategy '{"type":"RollingUpdate","rollingUpdate":{"partition":3}}'
check "the old image" image 0.21
check "delete web-2" replace web-2
check "it is back" until_true 40 k wait --for=condition=Ready pod/web-2 --timeout=5s
expect "with the image it had" '0.24$' field pod/web-2 '{.spec.containers[0].image}'
check "partition 2" strategy '{"type":"RollingUpdate","rollingUpdate":{"partition":2}}'
soon "the canary alone is replaced" '^0.24 0.24 0.21 $' images
check "delete web-1" replace web-1
check "it is back" until_true 40 k wait --for=condition=Ready pod/web-1 --timeout=5s
expect "with the old revision" '0.24$' field pod/web-1 '{.spec.containers[0].image}'
check "partition 0" strategy '{"type":"RollingUpdate","rollingUpdate":{"partition":0}}'
soon "all are new" '^0.21 0.21 0.21 $' images
expect "history" 'REVISION' k rollout history sts/web
check "OnDelete" strategy '{"type":"OnDelete","rollingUpdate":null}'
check "another image" image 0.24
check "web-2 is deleted" replace web-2
soon "and only it has it" '^0.21 0.21 0.24 $' images
check "delete the set" k delete sts web --timeout=60s
check "its pods go" until_true 60 none k get pods -l app=nginx
check "delete its claims" k delete pvc -l app=nginx --timeout=20s
check "volumes go with them" until_true 20 none k get pv

scenario LIFE-01 "Not ready, not served"
delay=$(stretched 6) # Long enough to ask meanwhile.
check "a web server with a readiness probe" k apply -f - <<EOF
apiVersion: v1
kind: Pod
metadata: {name: nginx, labels: {app: nginx}}
spec:
  containers:
  - {name: nginx, image: nginx, ports: [{containerPort: 80}], readinessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 1}}
---
apiVersion: v1
kind: Pod
metadata: {name: readiness-pod}
spec:
  containers:
  - name: hello
    image: bmuschko/nodejs-hello-world:1.0.0
    ports: [{name: nodejs-port, containerPort: 3000}]
    readinessProbe: {httpGet: {path: /, port: nodejs-port}, initialDelaySeconds: 2, periodSeconds: 8}
---
apiVersion: v1
kind: Pod
metadata: {name: ready}
spec:
  containers:
  - name: sise
    image: quay.io/openshiftlabs/simpleservice:0.5.0
    ports: [{containerPort: 9876}]
    readinessProbe: {httpGet: {path: /health, port: 9876}, initialDelaySeconds: $delay}
EOF
check "a label" k label pod ready app=r
check "expose it" k expose pod ready --port=80 --target-port=9876
probe
soon "it runs, not ready" '0/1 +Running' k get pod ready
soon "its endpoint says so" '^ready false false false$' slices ready
refused "a request is refused" 'refused|Failed to connect' page http://ready/info
soon "the probe on a named port" '1/1 +Running' k get pod readiness-pod
check "becomes ready" k wait --for=condition=Ready pod/ready --timeout=30s
started=$(date -d "$(field pod/ready '{.status.containerStatuses[0].state.running.startedAt}')" +%s)
became=$(date -d "$(field pod/ready '{.status.conditions[?(@.type=="Ready")].lastTransitionTime}')" +%s)
[ $((became - started)) -ge "$delay" ] && ok "only after its delay" || bad "ready after $((became - started)) s"
soon "then it is served" '"host": ?"ready"' page http://ready/info
k expose pod nginx --port=80 >/dev/null
expect "describe shows the probe" \
    'Readiness: +http-get http://:80/ delay=0s timeout=1s period=1s #success=1 #failure=3' k describe pod nginx
soon "it is served" 'Welcome to nginx' page http://nginx
check "take its page away" k exec nginx -- rm /usr/share/nginx/html/index.html
check "turns unready" k wait --for=condition=Ready=false pod/nginx --timeout=30s
soon "an Event says why" 'Readiness probe failed: HTTP probe failed with statuscode: 403' k describe pod nginx
soon "it left the endpoints" '^nginx false' slices nginx
soon "nobody is served" 'refused|Failed to connect' page http://nginx
expect "it was not restarted" '^0$' field pod/nginx '{.status.containerStatuses[0].restartCount}'
check "put it back" k exec nginx -- sh -c 'echo hi > /usr/share/nginx/html/index.html'
check "is ready again" k wait --for=condition=Ready pod/nginx --timeout=30s
soon "and served" '^hi$' page http://nginx

scenario LIFE-03 "A terminating pod in the EndpointSlice"
check "a pod that takes its time" k apply -f - <<'EOF'
apiVersion: apps/v1
kind: Deployment
metadata: {name: slow}
spec:
  replicas: 1
  selector: {matchLabels: {app: slow}}
  template:
    metadata: {labels: {app: slow}}
    spec:
      terminationGracePeriodSeconds: 8
      containers:
      - name: nginx
        image: nginx
        ports: [{containerPort: 80}]
        lifecycle: {preStop: {exec: {command: [sh, -c, 'sleep 60']}}}
---
apiVersion: v1
kind: Service
metadata: {name: nginx-service}
spec: {selector: {app: slow}, ports: [{port: 80}]}
EOF
probe
check "rolled out" k rollout status deployment/slow --timeout=30s
soon "one endpoint, ready, serving" '^slow-[^ ]+ true true false$' slices nginx-service
old=$(field "pods -l app=slow" '{.items[0].metadata.name}')
old_ip=$(field "pod/$old" '{.status.podIP}')
# An open download, which has sent its request's first half.
"$KIN" kubectl --lab "$LAB" -n "$NS" exec probe -- bash -c \
    "exec 3<>/dev/tcp/$old_ip/80; printf 'GET / HTTP/1.1\r\nHost: x\r\n' >&3; echo open
     until [ -e /tmp/go ]; do read -rt 0.1 <> <(:); done; printf 'Connection: close\r\n\r\n' >&3; cat <&3" \
    >"/tmp/$LAB.download" 2>&1 &
download=$!
check "a connection is open" until_true 10 grep -q open "/tmp/$LAB.download"
check "delete it" k delete pod "$old" --wait=false
soon "Terminating, still 1/1" "$old +1/1 +Terminating" k get pods
soon "it serves and terminates" "$old false true true" slices nginx-service
soon "another one is ready" 'true true false' slices nginx-service
new=$(slices nginx-service | sed -n 's/ true true false//p')
expect "its endpoint has a node and a target" "^node-[0-9] Pod $new\$" k get endpointslices -l kubernetes.io/service-name=nginx-service \
    -o "jsonpath={range .items[*].endpoints[?(@.targetRef.name==\"$new\")]}{.nodeName} {.targetRef.kind} {.targetRef.name}{\"\\n\"}{end}"
k exec "$new" -- sh -c 'echo new >/usr/share/nginx/html/index.html'
answers=$(for _ in $(seq 10); do echo 'url = "http://nginx-service"'; done | k exec -i probe -- curl -sS --max-time 5 -K - | sort | uniq -c | xargs)
same "new connections go to the new pod" "10 new" "$answers"
expect "the old one still answers itself" 'Welcome' page "http://$old_ip"
k exec probe -- touch /tmp/go
wait $download
expect "and whoever was there before" 'Welcome' cat "/tmp/$LAB.download"
check "with all endpoints terminating" k scale deployment slow --replicas=0
soon "none is ready" "$new false true true" slices nginx-service
check "the old one is killed when its time is over" k wait --for=delete "pod/$old" --timeout=20s
expect "the last one serves rather than nobody" '^new$' page http://nginx-service
soon "then none is left" '^0$' count slices nginx-service
refused "and nobody answers" 'refused|Failed to connect' page http://nginx-service

scenario LIFE-05 "Rolling update under load, inside the cluster"
# httpd first: its steps wait while the rest goes on.
check "two deployments" k apply -f - <<'EOF'
apiVersion: apps/v1
kind: Deployment
metadata: {name: nginx-deployment}
spec:
  replicas: 2
  selector: {matchLabels: {app: nginx}}
  template:
    metadata: {labels: {app: nginx}}
    spec: {containers: [{name: nginx, image: 'nginx:1.14.2', ports: [{containerPort: 80}]}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: httpd}
spec:
  replicas: 4
  minReadySeconds: 3
  strategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 40%, maxSurge: 10%}}
  selector: {matchLabels: {app: httpd}}
  template:
    metadata: {labels: {app: httpd}}
    spec:
      containers:
      - name: httpd
        image: httpd:2.4.23-alpine
        ports: [{containerPort: 80}]
        readinessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 1}
EOF
check "expose one" k expose deployment nginx-deployment --port=80 --name=shop
check "it is there" k rollout status deployment/nginx-deployment --timeout=30s
load 0.02 16 shop
check "a newer image" k set image deployment/nginx-deployment nginx=nginx:1.16.1
expect "rolled out" 'successfully rolled out' k rollout status deployment/nginx-deployment --timeout=60s
same "two ReplicaSets, the old one empty" "0 2" "$(k get rs -l app=nginx -o 'jsonpath={range .items[*]}{.status.replicas}{"\n"}{end}' | sed 's/^$/0/' | sort | xargs)"
expect "the strategy in words" 'RollingUpdateStrategy: +25% max unavailable, 25% max surge' k describe deployment nginx-deployment
expect "its steps in order" 'Scaled up replica set .* from 0 to 2 .*from 0 to 1 .*from 2 to 1 .*from 1 to 2 .*from 1 to 0' \
    in_a_line k describe deployment nginx-deployment
check "again" k rollout restart deployment/nginx-deployment
check "restarted" k rollout status deployment/nginx-deployment --timeout=60s
load_ends 'asked [1-9][0-9]{2,} failed 0 '
check "httpd is available" k rollout status deployment/httpd --timeout=60s
watching sizes deployment httpd -o 'jsonpath={.status.availableReplicas} {.status.replicas}{"\n"}' &
watcher=$!
started=$SECONDS
check "another image for httpd" k set image deployment httpd httpd=httpd:2.4.57-alpine
check "rolled" k rollout status deployment/httpd --timeout=60s
[ $((SECONDS - started)) -ge 6 ] && ok "each step waited for minReadySeconds" || bad "rolled within $((SECONDS - started)) s"
kill $watcher
expect "never fewer than 3 available, never more than 5" '^ok$' awk \
    '$1 < 3 || $2 > 5 {print "seen:", $0; bad = 1} END {if (!bad && NR > 3) print "ok"}' "/tmp/$LAB.sizes"

scenario LIFE-06 "History, undo, bad image, pause and resume"
check "create" k create deploy nginx --image=nginx:1.18.0 --replicas=2 --port=80
check "rolled" k rollout status deploy nginx --timeout=60s
check "set image" k set image deploy nginx nginx=nginx:1.19.8
check "rolled" k rollout status deploy nginx --timeout=60s
revisions() { k rollout history deploy nginx | awk '/^[0-9]/ {print $1}' | xargs; }
same "history" "1 2" "$(revisions)"
same "another hash" 2 "$(k get rs -l app=nginx -o 'jsonpath={range .items[*]}{.metadata.labels.pod-template-hash}{"\n"}{end}' | sort -u | wc -l)"
check "undo" k rollout undo deploy nginx
check "undone" k rollout status deploy nginx --timeout=60s
same "history" "2 3" "$(revisions)"
soon "pods have the old image" '^(nginx:1.18.0 ){2}$' field "pods -l app=nginx" '{range .items[*]}{.spec.containers[0].image}{" "}{end}'
k expose deploy nginx --port=80 >/dev/null
probe
check "a tag that cannot exist" k set image deploy nginx nginx=nginx:1.91
soon "its pods cannot pull" 'ErrImagePull|ImagePullBackOff' k get pods -l app=nginx
refused "the rollout does not finish" 'timed out' k rollout status deploy nginx --timeout=1s
expect "old pods keep serving" 'Welcome to nginx' page http://nginx
check "undo to a revision" k rollout undo deploy nginx --to-revision=2
check "rolled" k rollout status deploy nginx --timeout=60s
expect "revision 4 names the bad tag" 'nginx:1.91' k rollout history deploy nginx --revision=4
check "scale" k scale deploy nginx --replicas=5
check "pause" k rollout pause deploy nginx
soon "it has settled" '5/5' k get deploy nginx
sets() { k get rs -l app=nginx -o name | sort | xargs; }
before=$(sets)
check "an image while paused" k set image deploy nginx nginx=nginx:1.19.9
same "no new ReplicaSet" "$before" "$(sets)"
check "resume" k rollout resume deploy nginx
check "rolls" k rollout status deploy nginx --timeout=60s
expect "autoscale is taken or refused in words" 'autoscaled|stores this|could not find the requested resource' \
    k autoscale deploy nginx --min=5 --max=10 --cpu-percent=80

scenario LIFE-07 "Blue/green by changing the selector"
colour() { # colour COLOUR: a deployment of four that say their colour
    k apply -f - <<EOF
apiVersion: apps/v1
kind: Deployment
metadata: {name: web-server-$1}
spec:
  replicas: 4
  selector: {matchLabels: {type: $1}}
  template:
    metadata: {labels: {type: $1}}
    spec: {containers: [{name: c, image: hashicorp/http-echo, args: [-text=$1, -listen=:8080], ports: [{containerPort: 8080}]}]}
EOF
}
check "blue" colour blue
check "green" colour green
check "the Service leads to blue" k create service clusterip web-server --tcp=80:8080
check "its selector" k set selector service web-server type=blue
check "blue is there" k rollout status deployment/web-server-blue --timeout=30s
check "green is there" k rollout status deployment/web-server-green --timeout=30s
probe
load 0.05 8 web-server
k patch service web-server -p '{"spec":{"selector":{"type":"green"}}}' >/dev/null
ask() { for _ in $(seq 20); do echo 'url = "http://web-server"'; done | k exec -i probe -- curl -sS --no-keepalive --max-time 5 -K - | sort | uniq -c | xargs; }
soon "then only green" '^20 green$' ask
greens=$(field "pods -l type=green" '{range .items[*]}{.status.podIP}{"\n"}{end}' | sort)
same "the endpoints are the green pods" "$greens" \
    "$(field "endpoints web-server" '{range .subsets[*].addresses[*]}{.ip}{"\n"}{end}' | sort)"
check "blue goes" k delete deployment web-server-blue
check "its pods as well" until_true 30 none k get pods -l type=blue
expect "clients see nothing of it" '^20 green$' ask
load_ends 'asked [1-9][0-9]+ failed 0 .*blue.*green|asked [1-9][0-9]+ failed 0 .*green.*blue'

scenario LIFE-08 "Canary by replica ratio"
version() { # version N REPLICAS
    k apply -f - <<EOF
apiVersion: apps/v1
kind: Deployment
metadata: {name: my-app-v$1}
spec:
  replicas: $2
  selector: {matchLabels: {app: my-app, version: v$1}}
  template:
    metadata: {labels: {app: my-app, version: v$1}}
    spec:
      containers:
      - {name: nginx, image: nginx, ports: [{containerPort: 80}], volumeMounts: [{name: workdir, mountPath: /usr/share/nginx/html}]}
      initContainers:
      - {name: install, image: 'busybox:1.28', command: [/bin/sh, -c, 'echo version-$1 > /work-dir/index.html'], volumeMounts: [{name: workdir, mountPath: /work-dir}]}
      volumes: [{name: workdir, emptyDir: {}}]
EOF
}
check "version 1" version 1 3
check "a Service" k create service clusterip my-app-svc --tcp=80:80
check "its selector" k set selector service my-app-svc app=my-app
check "it is there" k rollout status deployment/my-app-v1 --timeout=30s
soon "an init container wrote its page" '^version-1$' k run busybox -i --rm -q --restart=Never \
    --image=gcr.io/google-containers/busybox --command -- wget -qO- my-app-svc
probe
load 0.02 4 my-app-svc
check "version 2" version 2 1
check "it is there" k rollout status deployment/my-app-v2 --timeout=30s
hundred() { for _ in $(seq 100); do echo 'next
url = "http://my-app-svc"
header = "Connection: close"'; done | sed 1d | k exec -i probe -- curl -sS --max-time 5 -K - | grep -c version-2; }
soon "about a quarter is version 2" '^([1-3][0-9]|40)$' hundred
check "four of version 2" k scale --replicas=4 deploy my-app-v2
check "they are there" k rollout status deployment/my-app-v2 --timeout=30s
check "version 1 goes" k delete deploy my-app-v1
soon "only version 2" '^100$' hundred
load_ends 'asked [1-9][0-9]+ failed 0 '

scenario LIFE-09 "Scaling and zero replicas"
check "a deployment" k create deployment nginx-deployment --image=$AGNHOST --port=80 --replicas=2 -- \
    /agnhost serve-hostname --port=80
k expose deployment nginx-deployment --port=80 --name=who >/dev/null
check "five" k scale deployment nginx-deployment --replicas=5
check "are there" k rollout status deployment/nginx-deployment --timeout=30s
probe
soon "five endpoints" '^5$' count slices who
names() { for _ in $(seq 80); do echo 'next
url = "http://who"
header = "Connection: close"
write-out = "\n"'; done | sed 1d | k exec -i probe -- curl -sS --max-time 5 -K - | sort -u | grep -c .; }
expect "all five are asked" '^5$' names
refused "a wrong current size" 'Expected replicas to be 3, was 5' \
    k scale --current-replicas=3 --replicas=1 deployment/nginx-deployment
expect "changes nothing" '^5$' field deployment/nginx-deployment '{.spec.replicas}'
check "none" k scale deployment nginx-deployment --replicas=0
soon "0/0" '0/0' k get deployment nginx-deployment
soon "requests are refused at once" 'refused|Failed to connect' page http://who
check "twenty" k scale deployment nginx-deployment --replicas=20
check "are there" k rollout status deployment/nginx-deployment --timeout=60s
check "delete them all" k delete pod -l app=nginx-deployment --wait=false
soon "twenty again" '20/20' k get deployment nginx-deployment
same "no two living pods share an address" "" \
    "$(field "pods" '{range .items[?(@.status.phase=="Running")]}{.status.podIP}{"\n"}{end}' | sort | uniq -d)"

scenario LIFE-11 "Init containers that wait for Services"
check "a pod that waits for two Services" k apply -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata: {name: myapp-pod, labels: {app: myapp}}
spec:
  containers:
  - {name: myapp, image: 'busybox:1.28', command: [sh, -c, 'echo The app is running! && sleep 3600']}
  initContainers:
  - name: init-myservice
    image: busybox:1.28
    command: [sh, -c, "until nslookup myservice.$(cat /var/run/secrets/kubernetes.io/serviceaccount/namespace).svc.cluster.local; do echo waiting for myservice; sleep 1; done"]
  - name: init-mydb
    image: busybox:1.28
    command: [sh, -c, "until nslookup mydb.$(cat /var/run/secrets/kubernetes.io/serviceaccount/namespace).svc.cluster.local; do echo waiting for mydb; sleep 1; done"]
EOF
soon "it waits" 'Init:0/2' k get pod myapp-pod
soon "and says so" 'waiting for myservice' k logs myapp-pod -c init-myservice
expect "describe tells of both" 'Init Containers:.*init-myservice:.*init-mydb:' \
    in_a_line k describe pod myapp-pod
check "one Service comes" k create service clusterip myservice --tcp=80:9376
soon "one step" 'Init:1/2' k get pod myapp-pod
check "the other" k create service clusterip mydb --tcp=80:9377
check "it runs" k wait --for=condition=Ready pod/myapp-pod --timeout=30s
soon "its log" 'The app is running!' k logs myapp-pod

NS=default
echo "LIFE-10 again: by now it is ill"
soon "the probe's failure is told" 'Liveness probe failed: HTTP probe failed with statuscode: 500' k describe pod liveness-http
soon "and what follows" 'Killing .*Container liveness failed liveness probe, will be restarted' k describe pod liveness-http
soon "it was restarted" '^[1-9]' field pod/liveness-http '{.status.containerStatuses[0].restartCount}'
expect "with the same address" "^$ill\$" field pod/liveness-http '{.status.podIP}'
expect "the earlier run's log" 'Serving /healthz' k logs liveness-http --previous
soon "one that dies again and again waits" 'CrashLoopBackOff +[2-9]' k get pod dies
expect "longer each time" 'back-off (20s|40s|1m20s|2m40s|5m0s) restarting failed container' field pod/dies '{.status.containerStatuses[0].state.waiting.message}'
NS=
finish
