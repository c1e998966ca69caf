#!/bin/bash
# What makes pods: StatefulSets, rollouts, Jobs, ReplicationControllers; Services while they change.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/soon.sh"

kk="$KIN kubectl --lab $LAB"

start_lab
k run probe --image=registry.k8s.io/e2e-test-images/agnhost:2.40 >/dev/null

# ---- STS-01: ordered start and names per pod
check "STS-01 apply" k apply -f - <<'EOF'
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
  replicas: 2
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
check "STS-01 rollout status" k rollout status statefulset/web --timeout=40s
expect "STS-01 READY 2/2" 'web +2/2' k get statefulset web
expect "STS-01 in order" 'web-0.*web-1' bash -c \
    "$kk get pods -l app=nginx --sort-by=.metadata.creationTimestamp -o name | tr '\n' ' '"
expect "STS-01 hostname" '^web-1$' k exec web-1 -- sh -c hostname
check "STS-01 probe pod" k wait --for=condition=Ready pod/probe --timeout=30s
soon "STS-01 name of a pod" "$(field pod/web-0 '{.status.podIP}')" k exec probe -- nslookup web-0.nginx
soon "STS-01 one SRV record per pod" 'web-1.nginx.default.svc.cluster.local' \
    k exec probe -- dig +short SRV nginx.default.svc.cluster.local
expect "STS-01 claims are bound" 'www-web-0 +Bound.*www-web-1 +Bound' bash -c "$kk get pvc -l app=nginx | tr '\n' ' '"
expect "STS-01 events" 'create Claim www-web-0 Pod web-0 in StatefulSet web success' k describe sts web

# ---- STS-02: identity and storage outlive the pod
for i in 0 1; do
    check "STS-02 write in web-$i" k exec "web-$i" -- sh -c 'echo "$(hostname)" > /usr/share/nginx/html/index.html'
    expect "STS-02 served by web-$i" "^web-$i\$" k exec "web-$i" -- curl -s http://localhost/
done
check "STS-02 delete the pods" k delete pod -l app=nginx --timeout=60s
check "STS-02 they come back" k rollout status statefulset/web --timeout=60s
for i in 0 1; do
    soon "STS-02 web-$i still serves its page" "^web-$i\$" k exec "web-$i" -- curl -s http://localhost/
done
soon "STS-02 the name follows" "$(field pod/web-0 '{.status.podIP}')" k exec probe -- nslookup web-0.nginx

# ---- STS-03: up and down
check "STS-03 scale up" k scale sts web --replicas=4
check "STS-03 is up" k rollout status statefulset/web --timeout=60s
check "STS-03 patch down" k patch sts web -p '{"spec":{"replicas":3}}'
check "STS-03 web-3 goes" until_true 40 bash -c "! $kk get pod web-3"
expect "STS-03 the claim stays" 'www-web-3 +Bound' k get pvc

# ---- STS-04: rolling update, partition
check "STS-04 new image" k patch statefulset web --type=json \
    -p='[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"registry.k8s.io/nginx-slim:0.24"}]'
check "STS-04 rolled" k rollout status sts/web --timeout=90s
images='{.items[*].spec.containers[0].image}'
expect "STS-04 all three are new" '0.24 .*0.24 .*0.24$' field "pods -l app=nginx" "$images"
check "STS-04 partition 3" k patch sts web -p \
    '{"spec":{"updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"partition":3}}}}'
check "STS-04 old image again" k patch statefulset web --type=json \
    -p='[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"registry.k8s.io/nginx-slim:0.21"}]'
check "STS-04 delete web-2" k delete pod web-2 --timeout=40s
check "STS-04 web-2 is back" until_true 40 k wait --for=condition=Ready pod/web-2 --timeout=5s
expect "STS-04 web-2 kept its image" '0.24$' field pod/web-2 '{.spec.containers[0].image}'
check "STS-04 partition 2" k patch sts web -p \
    '{"spec":{"updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"partition":2}}}}'
soon "STS-04 the canary is replaced" '0.24 .*0.24 .*0.21$' field "pods -l app=nginx" "$images"
expect "STS-04 history" 'REVISION' k rollout history sts/web
check "STS-04 delete the set" k delete sts web --timeout=60s
check "STS-04 its pods go" until_true 60 bash -c "[ -z \"\$($kk get pods -l app=nginx -o name)\" ]"
check "STS-04 delete its claims" k delete pvc -l app=nginx --timeout=20s
check "STS-04 volumes go with them" until_true 20 bash -c "[ -z \"\$($kk get pv -o name)\" ]"

# ---- LIFE-05: a rolling update without a failed request
check "LIFE-05 deployment" k apply -f - <<'EOF'
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 4
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
      - name: nginx
        image: nginx:1.25.1
        ports: [{containerPort: 80}]
        readinessProbe: {httpGet: {port: 80}, periodSeconds: 1}
        lifecycle: {preStop: {sleep: {seconds: 1}}}
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {app: shop}, ports: [{port: 80}]}
EOF
check "LIFE-05 rolled out" k rollout status deployment/shop --timeout=60s
cat >/tmp/$LAB.load.py <<'EOF'
import http.client, os, sys, threading, time
asked = failed = 0
why = ""
lock = threading.Lock()
def ask(keep):
    global asked, failed, why
    connection = None
    while not os.path.exists("/tmp/stop"):
        try:
            connection = connection or http.client.HTTPConnection("shop", 80, timeout=5)
            connection.request("GET", "/")
            answer = connection.getresponse()
            body = answer.read()
            good = answer.status == 200 and b"Welcome" in body
            if not keep or answer.will_close:
                connection.close()
                connection = None
            text = "status %d" % answer.status
        except Exception as error:
            good, text, connection = False, repr(error), None
        with lock:
            asked += 1
            if not good:
                failed += 1
                why = text
        time.sleep(0.02)
threads = [threading.Thread(target=ask, args=(i < 16,)) for i in range(32)]
for one in threads: one.start()
for one in threads: one.join()
print("asked", asked, "failed", failed, why)
EOF
k create configmap load --from-file=load.py=/tmp/$LAB.load.py >/dev/null
check "LIFE-05 32 clients" k apply -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata: {name: load}
spec:
  restartPolicy: Never
  containers:
  - {name: c, image: python, command: [python3, /load/load.py], volumeMounts: [{name: load, mountPath: /load}]}
  volumes: [{name: load, configMap: {name: load}}]
EOF
check "LIFE-05 they run" k wait --for=condition=Ready pod/load --timeout=30s
check "LIFE-05 new image" k set image deployment/shop nginx=nginx:1.25.2
check "LIFE-05 rolled over" k rollout status deployment/shop --timeout=120s
expect "LIFE-05 two ReplicaSets, the old one empty" ' 4 +4 +4 .* 0 +0 +0 | 0 +0 +0 .* 4 +4 +4 ' \
    bash -c "$kk get rs -l app=shop --no-headers | tr '\n' ' '"
check "LIFE-05 again" k rollout restart deployment/shop
check "LIFE-05 restarted" k rollout status deployment/shop --timeout=120s
check "LIFE-05 stop the clients" k exec load -- touch /tmp/stop
check "LIFE-05 they end" until_true 30 bash -c "$kk get pod load | grep -q Completed"
expect "LIFE-05 no request failed" 'asked [1-9][0-9]{2,} failed 0 ' k logs load

# ---- LIFE-06: history, undo, a bad image, pause
check "LIFE-06 create" k create deploy nginx --image=nginx:1.18.0 --replicas=2 --port=80
check "LIFE-06 rolled" k rollout status deploy nginx --timeout=60s
check "LIFE-06 set image" k set image deploy nginx nginx=nginx:1.19.8
check "LIFE-06 rolled" k rollout status deploy nginx --timeout=60s
expect "LIFE-06 history" '1 .*2 ' bash -c "$kk rollout history deploy nginx | tr '\n' ' '"
check "LIFE-06 undo" k rollout undo deploy nginx
check "LIFE-06 undone" k rollout status deploy nginx --timeout=60s
expect "LIFE-06 the old image" '1.18.0' field deploy/nginx '{.spec.template.spec.containers[0].image}'
check "LIFE-06 a tag that cannot exist" k set image deploy nginx nginx=nginx:1.91
soon "LIFE-06 its pods cannot pull" 'ErrImagePull|ImagePullBackOff' k get pods -l app=nginx
expect "LIFE-06 old pods keep serving" '^[12]$' field deploy/nginx '{.status.availableReplicas}'
expect "LIFE-06 the rollout does not finish" 'Waiting|timed out' k rollout status deploy nginx --timeout=1s
check "LIFE-06 undo to a revision" k rollout undo deploy nginx --to-revision=2
check "LIFE-06 rolled" k rollout status deploy nginx --timeout=60s
expect "LIFE-06 revision 4 names it" 'nginx:1.91' k rollout history deploy nginx --revision=4
check "LIFE-06 pause" k rollout pause deploy nginx
before=$(k get rs -l app=nginx -o name | wc -l)
check "LIFE-06 an image while paused" k set image deploy nginx nginx=nginx:1.19.9
expect "LIFE-06 nothing happens" "^$before\$" bash -c "$kk get rs -l app=nginx -o name | wc -l"
check "LIFE-06 resume" k rollout resume deploy nginx
check "LIFE-06 rolls" k rollout status deploy nginx --timeout=60s

# ---- LIFE-09: scaling
check "LIFE-09 wrong current size" bash -c "! $kk scale --current-replicas=3 --replicas=1 deployment/nginx"
check "LIFE-09 to zero" k scale deploy nginx --replicas=0
soon "LIFE-09 0/0" '0/0' k get deploy nginx

# ---- ReplicationControllers and Jobs
check "rc" k apply -f - <<'EOF'
apiVersion: v1
kind: ReplicationController
metadata: {name: rc}
spec:
  replicas: 2
  selector: {app: rc}
  template:
    metadata: {labels: {app: rc}}
    spec: {containers: [{name: c, image: nginx}]}
EOF
soon "rc has two ready pods" 'rc +2 +2 +2' k get rc rc
check "rc scales" k scale rc rc --replicas=1
soon "rc has one" 'rc +1 +1 +1' k get rc rc
check "rc goes with its pod" k delete rc rc --timeout=30s
check "its pods are gone" until_true 40 bash -c "[ -z \"\$($kk get pods -l app=rc -o name)\" ]"

check "jobs" k apply -f - <<'EOF'
apiVersion: batch/v1
kind: Job
metadata: {name: pi}
spec:
  completions: 4
  parallelism: 2
  template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox, command: [echo, '3.14']}]}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: wrong}
spec:
  backoffLimit: 0
  template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox, command: ['false']}]}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: brief}
spec:
  ttlSecondsAfterFinished: 1
  template: {spec: {restartPolicy: Never, containers: [{name: c, image: busybox, command: ['true']}]}}
---
apiVersion: batch/v1
kind: Job
metadata: {name: long}
spec:
  activeDeadlineSeconds: 2
  template: {spec: {restartPolicy: Never, terminationGracePeriodSeconds: 1, containers: [{name: c, image: busybox, command: [sleep, '100']}]}}
EOF
check "job completes" k wait --for=condition=complete job/pi --timeout=40s
expect "job 4/4" 'pi +Complete +4/4' k get job pi
expect "job's log" '3.14' k logs job/pi
check "a failing job fails" k wait --for=condition=failed job/wrong --timeout=40s
expect "and says why" 'BackoffLimitExceeded' k describe job wrong
check "a deadline ends a job" k wait --for=condition=failed job/long --timeout=40s
expect "and says so" 'DeadlineExceeded' k describe job long
check "a job goes after its time" until_true 30 bash -c "! $kk get job brief"
finish
