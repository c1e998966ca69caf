#!/bin/bash
# Pods as lessons use them: probes, hooks, init containers, volumes, ports of nodes, bad images.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/soon.sh"

kk="$KIN kubectl --lab $LAB"

start_lab

# ---- LIFE-01: not ready, not served
check "LIFE-01 a pod with a readiness probe" k apply -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata: {name: ready, labels: {app: r}}
spec:
  containers:
  - name: c
    image: nginx
    ports: [{name: http, containerPort: 80}]
    readinessProbe:
      httpGet: {path: /, port: http}
      initialDelaySeconds: 2
      periodSeconds: 1
EOF
check "LIFE-01 expose it" k expose pod ready --port=80 --name=ready
soon "LIFE-01 it runs" '0/1 +Running' k get pod ready
expect "LIFE-01 its endpoint is not ready" '^false true? ?false$|^false false false$' \
    k get endpointslices -l kubernetes.io/service-name=ready \
    -o 'jsonpath={.items[0].endpoints[0].conditions.ready} {.items[0].endpoints[0].conditions.serving} {.items[0].endpoints[0].conditions.terminating}'
check "LIFE-01 becomes ready" k wait --for=condition=Ready pod/ready --timeout=30s
expect "LIFE-01 describe shows the probe" \
    'Readiness: +http-get http://:http/ delay=2s timeout=1s period=1s #success=1 #failure=3' \
    k describe pod ready
check "LIFE-01 is served" until_true 10 k exec ready -- curl -s --max-time 2 http://ready
check "LIFE-01 take its page away" k exec ready -- rm /usr/share/nginx/html/index.html
check "LIFE-01 turns unready" k wait --for=condition=Ready=false pod/ready --timeout=30s
soon "LIFE-01 says why" 'Readiness probe failed: HTTP probe failed with statuscode: 403' k describe pod ready
soon "LIFE-01 left the endpoints" '^false$' k get endpointslices -l kubernetes.io/service-name=ready \
    -o 'jsonpath={.items[0].endpoints[0].conditions.ready}'
expect "LIFE-01 was not restarted" '^0$' field pod/ready '{.status.containerStatuses[0].restartCount}'
check "LIFE-01 put it back" k exec ready -- sh -c 'echo hi > /usr/share/nginx/html/index.html'
check "LIFE-01 is ready again" k wait --for=condition=Ready pod/ready --timeout=30s

# ---- LIFE-10: liveness restarts
check "LIFE-10 a pod that falls ill" k apply -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata: {name: liveness-http}
spec:
  containers:
  - name: liveness
    image: registry.k8s.io/e2e-test-images/agnhost:2.40
    args: [liveness]
    livenessProbe:
      httpGet:
        path: /healthz
        port: 8080
        httpHeaders: [{name: Custom-Header, value: Awesome}]
      initialDelaySeconds: 3
      periodSeconds: 3
EOF
soon "LIFE-10 starts" Running k get pod liveness-http
ip=$(field pod/liveness-http '{.status.podIP}')

# ---- LIFE-11: init containers that wait for Services
check "LIFE-11 a pod that waits for a Service" k apply -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata: {name: myapp-pod, labels: {app: myapp}}
spec:
  containers:
  - {name: myapp, image: 'busybox:1.28', command: [sh, -c, 'echo The app is running! && sleep 3600']}
  initContainers:
  - name: init-myservice
    image: busybox:1.28
    command: [sh, -c, "until nslookup myservice.$(cat /var/run/secrets/kubernetes.io/serviceaccount/namespace).svc.cluster.local; do echo waiting for myservice; sleep 0.5; done"]
EOF
soon "LIFE-11 waits" 'Init:0/1' k get pod myapp-pod
soon "LIFE-11 says so" 'waiting for myservice' k logs myapp-pod -c init-myservice
check "LIFE-11 the Service comes" k create service clusterip myservice --tcp=80:9376
check "LIFE-11 goes on" k wait --for=condition=Ready pod/myapp-pod --timeout=30s
soon "LIFE-11 runs" 'The app is running!' k logs myapp-pod

# ---- sidecars, shared volumes, configuration that changes, the downward API
k create configmap cm --from-literal=key=one >/dev/null
k create secret generic top --from-literal=password=hush >/dev/null
check "volumes of all kinds" k apply -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata: {name: vols, labels: {colour: red}, annotations: {a: b}}
spec:
  initContainers:
  - name: side
    image: busybox
    restartPolicy: Always
    command: [sh, -c, 'while true; do date > /shared/tick; sleep 0.2; done']
    volumeMounts: [{name: shared, mountPath: /shared}]
  containers:
  - name: c
    image: busybox
    command: [sh, -c, "trap 'exit 0' TERM; while true; do sleep 0.1; done"]
    env:
    - {name: KEY, valueFrom: {configMapKeyRef: {name: cm, key: key}}}
    - {name: PASSWORD, valueFrom: {secretKeyRef: {name: top, key: password}}}
    - {name: MISSING, valueFrom: {configMapKeyRef: {name: cm, key: nope, optional: true}}}
    - {name: NODE, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}
    - {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
    - {name: CPU, valueFrom: {resourceFieldRef: {resource: limits.cpu, divisor: 1m}}}
    - {name: BOTH, value: '$(KEY)-$(PASSWORD)'}
    envFrom: [{configMapRef: {name: cm}, prefix: CM_}]
    resources: {limits: {cpu: 250m, memory: 64Mi}}
    volumeMounts:
    - {name: shared, mountPath: /shared}
    - {name: cm, mountPath: /cm}
    - {name: all, mountPath: /all}
    - {name: info, mountPath: /info}
  volumes:
  - {name: shared, emptyDir: {medium: Memory}}
  - {name: cm, configMap: {name: cm}}
  - name: all
    projected:
      sources:
      - {secret: {name: top}}
      - {configMap: {name: cm, items: [{key: key, path: deep/key}]}}
  - {name: info, downwardAPI: {items: [{path: labels, fieldRef: {fieldPath: metadata.labels}}]}}
EOF
check "is ready" k wait --for=condition=Ready pod/vols --timeout=30s
expect "two of two containers" '2/2' k get pod vols
expect "environment" 'one hush one-hush 250 one' \
    k exec vols -c c -- sh -c 'echo $KEY $PASSWORD $BOTH $CPU $CM_key'
expect "CTL-10 the pod's own address" "^$(field pod/vols '{.status.podIP}')" \
    k exec vols -c c -- printenv POD_IP
check "the sidecar writes for its neighbour" until_true 10 k exec vols -c c -- test -s /shared/tick
expect "projected files" 'hush.*one|^hushone' k exec vols -c c -- cat /all/password /all/deep/key
k create configmap cm --from-literal=key=two --dry-run=client -o yaml | k apply -f - >/dev/null 2>&1
k label pod vols colour=green --overwrite >/dev/null
soon "a changed ConfigMap shows" '^two' k exec vols -c c -- cat /cm/key
soon "in projected volumes, too" '^two' k exec vols -c c -- cat /all/deep/key
soon "changed labels show" 'colour="green"' k exec vols -c c -- cat /info/labels
expect "variables do not change" '^one' k exec vols -c c -- printenv KEY

# ---- hostPort and hostNetwork
check "hostPort and hostNetwork" k apply -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata: {name: hostport}
spec:
  nodeName: node-2
  containers: [{name: c, image: nginx, ports: [{containerPort: 80, hostPort: 8088}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: hostnet}
spec:
  nodeName: node-3
  hostNetwork: true
  dnsPolicy: ClusterFirstWithHostNet
  containers: [{name: c, image: nginx, ports: [{containerPort: 80}]}]
EOF
check "both are ready" k wait --for=condition=Ready pod/hostport pod/hostnet --timeout=30s
node2=$(field node/node-2 '{.status.addresses[0].address}')
node3=$(field node/node-3 '{.status.addresses[0].address}')
expect "hostPort from outside" 'Welcome to nginx' kin exec --lab "$LAB" client -- curl -s --max-time 5 "http://$node2:8088"
expect "hostPort on the node itself" 'Welcome to nginx' kin exec --lab "$LAB" node-2 -- curl -s --max-time 5 "http://$node2:8088"
expect "hostPort from another pod" 'Welcome to nginx' k exec vols -c c -- wget -qO- -T 5 "http://$node2:8088"
expect "no other node has it" 'refused|Failed|failed|code: 000' kin exec --lab "$LAB" client -- \
    curl -sS --max-time 3 "http://$node3:8088"
expect "hostNetwork has the node's address" "^$node3\$" field pod/hostnet '{.status.podIP}'
expect "and the node's ports" 'Welcome to nginx' kin exec --lab "$LAB" client -- curl -s --max-time 5 "http://$node3"
expect "DNS-10 and the cluster's names" 'Address.*10.96.0.1' k exec hostnet -- nslookup kubernetes.default
check "the hostPort goes with its pod" k delete pod hostport --timeout=40s
expect "nobody answers there any more" 'refused|Failed|failed' kin exec --lab "$LAB" client -- \
    curl -sS --max-time 3 "http://$node2:8088"

# ---- SVC-02: variables of Services that were there before
check "SVC-02 Service and two pods" k apply -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata: {name: env-on}
spec:
  containers: [{name: c, image: 'registry.k8s.io/e2e-test-images/agnhost:2.40'}]
---
apiVersion: v1
kind: Pod
metadata: {name: env-off}
spec:
  enableServiceLinks: false
  containers: [{name: c, image: 'registry.k8s.io/e2e-test-images/agnhost:2.40'}]
EOF
check "SVC-02 ready" k wait --for=condition=Ready pod/env-on pod/env-off --timeout=30s
expect "SVC-02 an older Service has variables" 'MYSERVICE_SERVICE_HOST=10.96' k exec env-on -- printenv
expect "SVC-02 links as Docker made them" 'MYSERVICE_PORT_80_TCP_PROTO=tcp' k exec env-on -- printenv
expect "SVC-02 without links only the API's" '^KUBERNETES_SERVICE_HOST=10.96.0.1$' k exec env-off -- printenv
expect "SVC-02 none else" '^0' k exec env-off -- sh -c 'printenv | grep -c MYSERVICE'

# ---- images that kin does not know
k run nowhere --image=example.com/not/there >/dev/null 2>&1
k run some --image=example.com/some/server --port=7777 >/dev/null 2>&1
soon "an unknown image without ports" 'ImagePullBackOff' k get pod nowhere
soon "its Event lists the choices" 'Failed to pull image.*nginx.*busybox' k describe pod nowhere
check "an unknown image with ports has a stand-in" k wait --for=condition=Ready pod/some --timeout=30s
expect "the stand-in is told of" 'Warning +StandIn' k describe pod some
expect "it answers" 'HTTP/1.1 200' k exec env-on -- curl -si --max-time 5 "http://$(field pod/some '{.status.podIP}'):7777"

# ---- activeDeadlineSeconds, restartPolicy
check "pods that end" k apply -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata: {name: late}
spec: {activeDeadlineSeconds: 1, terminationGracePeriodSeconds: 1, containers: [{name: c, image: busybox, command: [sleep, '300']}]}
---
apiVersion: v1
kind: Pod
metadata: {name: once}
spec: {restartPolicy: OnFailure, containers: [{name: c, image: busybox, command: ['true']}]}
EOF
soon "activeDeadlineSeconds" '^DeadlineExceeded Failed' field pod/late '{.status.reason} {.status.phase}'
soon "OnFailure ends with success" 'Completed' k get pod once

# ---- LIFE-03: a terminating pod in the slices
check "LIFE-03 a pod that takes its time" k apply -f - <<'EOF'
apiVersion: apps/v1
kind: Deployment
metadata: {name: slow}
spec:
  replicas: 1
  selector: {matchLabels: {app: slow}}
  template:
    metadata: {labels: {app: slow}}
    spec:
      terminationGracePeriodSeconds: 6
      containers:
      - name: nginx
        image: nginx
        ports: [{containerPort: 80}]
        lifecycle: {preStop: {exec: {command: [sh, -c, 'sleep 60']}}}
---
apiVersion: v1
kind: Service
metadata: {name: slow}
spec: {selector: {app: slow}, ports: [{port: 80}]}
EOF
check "LIFE-03 rolled out" k rollout status deployment/slow --timeout=30s
old=$(field "pods -l app=slow" '{.items[0].metadata.name}')
old_ip=$(field "pod/$old" '{.status.podIP}')
check "LIFE-03 delete it" k delete pod "$old" --wait=false
slice='{range .items[*].endpoints[*]}{.targetRef.name} {.conditions.ready} {.conditions.serving} {.conditions.terminating}{"\n"}{end}'
soon "LIFE-03 it serves and terminates" "$old false true true" \
    k get endpointslices -l kubernetes.io/service-name=slow -o "jsonpath=$slice"
soon "LIFE-03 another one is ready" 'true true false' \
    k get endpointslices -l kubernetes.io/service-name=slow -o "jsonpath=$slice"
expect "LIFE-03 the old one still answers itself" 'Welcome' k exec env-on -- curl -s --max-time 3 "http://$old_ip"
check "LIFE-03 it is killed when its time is over" until_true 20 bash -c "! $kk get pod $old"
soon "LIFE-03 its endpoint is gone" '^1$' bash -c \
    "$kk get endpointslices -l kubernetes.io/service-name=slow -o 'jsonpath=$slice' | wc -l"

# ---- LIFE-10, again: by now it is ill
soon "LIFE-10 the probe's failure is told" 'Liveness probe failed: HTTP probe failed with statuscode: 500' \
    k describe pod liveness-http
soon "LIFE-10 and what follows" 'Container liveness failed liveness probe, will be restarted' \
    k describe pod liveness-http
soon "LIFE-10 it was restarted" '^[1-9]' field pod/liveness-http '{.status.containerStatuses[0].restartCount}'
expect "LIFE-10 with the same address" "^$ip\$" field pod/liveness-http '{.status.podIP}'
check "LIFE-10 the earlier log is there" k logs liveness-http --previous
finish
