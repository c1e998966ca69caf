#!/bin/bash
# Pods and what makes them: they come and go, are restarted, are replaced, and go with their owners.
source "$(dirname "$0")/lib.sh"

start_lab
check "a pod to begin with" k run tree --image=nginx
"$KIN" kubectl --lab "$LAB" get pods -w >"/tmp/$LAB.watch" 2>&1 &
watcher=$!
eventually "get pods -w shows it" 10 '^tree ' cat "/tmp/$LAB.watch"
check "run" k run bird --image=nginx
check "wait" k wait --for=condition=Ready pod/bird --timeout=30s
check "delete and wait" k delete pod bird --timeout=40s
eventually "get pods -w saw it Pending, Running and Terminating" 10 yes sh -c \
    "grep -q 'bird .*Pending' /tmp/$LAB.watch && grep -q 'bird .*1/1 *Running' /tmp/$LAB.watch &&
     grep -q 'bird .*Terminating' /tmp/$LAB.watch && echo yes"
kill $watcher
refused "wait gives up at its timeout" 'timed out' \
    k wait --for=condition=Ready node/node-1 --for=jsonpath='{.kind}'=Never --timeout=1s

# A Deployment's life.
check "apply" k apply -f examples/02-web.yaml
check "rollout status" k rollout status deployment/web --timeout=30s
expect "apply again" '^deployment.apps/web unchanged$' k apply -f examples/02-web.yaml
check "scale to 0" k scale deployment web --replicas=0
check "no pod stays" k wait --for=delete pod -l app=web --timeout=40s
expect "describe tells of it" 'Scaled down replica set .* to 0' k describe deployment web
check "delete -f" k delete -f examples/02-web.yaml --timeout=40s
refused "and it is gone" 'NotFound' k get -f examples/02-web.yaml

# Restarts.
check "a pod whose program fails" k run crash --image=busybox -- sh -c 'echo dying; exit 3'
check "a pod that runs a program of the host" k run python --image=debian \
    --command -- python3 -m http.server 8000
check "a pod of curl's image" k run curl --image=curlimages/curl --restart=Never -- --version
check "a pod that only pauses" k run pause --image=registry.k8s.io/pause:3.9
check "an agnhost that tells its name" k run who --image=registry.k8s.io/e2e-test-images/agnhost:2.40 \
    -- serve-hostname --http=true --port=8080
eventually "back-off as upstream" 20 'CrashLoopBackOff +[1-9]' k get pod crash
expect "its Events say so" 'Back-off restarting failed container crash' k describe pod crash
expect "its last state has the exit code" '^3$' k get pod crash \
    -o 'jsonpath={.status.containerStatuses[0].lastState.terminated.exitCode}'
expect "the earlier run's log" '^dying$' k logs crash --previous
check "the others are ready" k wait --for=condition=Ready pod/python pod/pause pod/who --timeout=30s
expect "serve-hostname serves it" '^who$' in_pod python curl -s --max-time 3 \
    "http://$(k get pod who -o 'jsonpath={.status.podIP}'):8080"
expect "the host's program serves" 'Directory listing' in_pod python curl -s localhost:8000
eventually "curl's image ran curl" 20 '^curl [0-9]' k logs curl
eventually "and has ended" 10 'Succeeded' k get pod curl -o 'jsonpath={.status.phase}'
address=$(k get pod who -o 'jsonpath={.status.podIP}')
in_pod who kill 1 >/dev/null 2>&1 # Ends this exec as well, with 137.
eventually "it is restarted" 20 '^1$' k get pod who \
    -o 'jsonpath={.status.containerStatuses[0].restartCount}'
check "ready again" k wait --for=condition=Ready pod/who --timeout=20s
same "with the same address" "$address" "$(k get pod who -o 'jsonpath={.status.podIP}')"
check "a pod of an unknown image" k run odd --image=example.org/no/such:1
eventually "waits for its image" 20 'ImagePull' k get pod odd

check "a pod for a node that does not exist" k run lost --image=nginx \
    --overrides='{"spec":{"nodeName":"node-99"}}'
expect "waits" '^Pending$' k get pod lost -o 'jsonpath={.status.phase}'
check "and can be deleted" k delete pod lost --timeout=20s
expect "ps in a pod shows its own program" '^ *1 .* nginx' in_pod tree busybox ps

# DaemonSets, node subnets, owners and namespaces.
check "a DaemonSet in a namespace of its own" k apply -f tests/e2e/workloads.yaml
check "rolls out" k -n fleet rollout status daemonset/each --timeout=30s
same "one pod on each node, in the node's subnet" \
    "node-1 10.244.1 node-2 10.244.2 node-3 10.244.3" \
    "$(k -n fleet get pods -l app=each --no-headers -o \
        'custom-columns=N:.spec.nodeName,I:.status.podIP' | sed 's/\.[0-9]*$//' | sort | xargs)"
same "as the nodes' podCIDR says" "10.244.1.0/24 10.244.2.0/24 10.244.3.0/24" \
    "$(k get nodes -o jsonpath='{.items[*].spec.podCIDR}')"
victim=$(k -n fleet get pods -l app=each -o name | head -1)
check "one is deleted" k -n fleet delete "$victim" --timeout=40s
check "and replaced" k -n fleet rollout status daemonset/each --timeout=30s
uid=$(k -n fleet get configmap owner -o jsonpath='{.metadata.uid}')
check "an object gets an owner" k -n fleet patch configmap owned --type=merge -p \
    '{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"owner","uid":"'"$uid"'"}]}}'
check "the owner is deleted" k -n fleet delete configmap owner
check "the owned one follows" k -n fleet wait --for=delete configmap/owned --timeout=20s
check "the namespace is deleted with all it holds" k delete namespace fleet --timeout=60s
expect "nothing of it is left" 'No resources found' k -n fleet get pods,daemonsets,configmaps
finish
