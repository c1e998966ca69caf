#!/bin/bash
# Pods as lessons use them: sidecars, volumes, ports of nodes, bad images.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/soon.sh"

start_lab

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
check "the hostPort goes with its pod" k delete pod hostport --timeout=40s
expect "nobody answers there any more" 'refused|Failed|failed' kin exec --lab "$LAB" client -- \
    curl -sS --max-time 3 "http://$node2:8088"

# ---- SVC-02: variables of Services that were there before
k create service clusterip myservice --tcp=80:9376 >/dev/null
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

# ---- probes by gRPC
check "a pod with gRPC probes, and two that are asked in vain" k apply -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata: {name: grpc}
spec:
  containers:
  - name: c
    image: registry.k8s.io/e2e-test-images/agnhost:2.40
    args: [grpc-health-checking]
    readinessProbe: {grpc: {port: 5000, service: shop}, periodSeconds: 1}
---
apiVersion: v1
kind: Pod
metadata: {name: no-grpc}
spec: {containers: [{name: c, image: nginx, readinessProbe: {grpc: {port: 80}, periodSeconds: 1}}]}
---
apiVersion: v1
kind: Pod
metadata: {name: boutique}
spec:
  containers:
  - name: server
    image: us-central1-docker.pkg.dev/online-boutique-ci/microservices-demo/adservice:v0.10.6
    ports: [{containerPort: 9555}]
    readinessProbe: {grpc: {port: 9555}, periodSeconds: 1}
EOF
check "SERVING is ready" k wait --for=condition=Ready pod/grpc --timeout=20s
check "and so is a stand-in" k wait --for=condition=Ready pod/boutique --timeout=20s
k exec grpc -- curl -s localhost:8080/make-not-serving >/dev/null
check "NOT_SERVING is not" k wait --for=condition=Ready=false pod/grpc --timeout=20s
soon "its Event says so" 'Readiness probe failed: service unhealthy .responded with "NOT_SERVING".' k describe pod grpc
soon "a server of something else" 'Readiness probe failed: .*no health service' k describe pod no-grpc

# ---- hostPath
k apply -f - >/dev/null <<'EOF'
apiVersion: v1
kind: Pod
metadata: {name: host-path}
spec:
  containers: [{name: c, image: nginx, volumeMounts: [{name: data, mountPath: /data}]}]
  volumes: [{name: data, hostPath: {path: /etc}}]
EOF
soon "hostPath is refused in words" 'FailedMount.*hostPath is refused' k describe pod host-path

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

finish
