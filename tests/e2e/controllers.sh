#!/bin/bash
# What makes pods beside Deployments and StatefulSets (walk_workloads.sh): Jobs, ReplicationControllers.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/soon.sh"

kk="$KIN kubectl --lab $LAB"

start_lab
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
