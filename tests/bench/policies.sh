# shellcheck shell=bash
# Of tests/bench/run: how soon a NetworkPolicy judges.

# policies COUNT: policies that select pods which are not there, with a rule each.
policies() {
    awk -v count="$1" 'BEGIN {
        for (i = 0; i < count; ++i) {
            print "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy"
            print "metadata: {name: other-" i ", namespace: default}"
            print "spec:\n  podSelector: {matchLabels: {other: \"" i "\"}}"
            print "  ingress: [{from: [{podSelector: {matchLabels: {friend: \"" i "\"}}}], ports: [{port: 80}]}]\n---"
        }
    }'
}
# From a policy's write to the first connection that it judges, beside policies for others.
bench_policies() {
    local count address numbers
    # shellcheck disable=SC2046
    set -- $("$BENCH" policy-compiling 1000 1000)
    value "1,000 policies x 1,000 pods: all tables, ms" "$1" "($2 MiB)"
    value "    one policy changes / one pod arrives, us" "$3" "/ $4 (goal 1000)"
    for count in 0 1000; do
        up
        { policies "$count"; cat <<'YAML'; } | "$KIN" apply --lab "$LAB" -f - >/dev/null
apiVersion: v1
kind: Pod
metadata: {name: server, namespace: default, labels: {app: server}}
spec:
  nodeName: node-2
  containers:
  - {name: c, image: registry.k8s.io/e2e-test-images/agnhost, args: [netexec, --http-port=8080]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: gate, namespace: default}
spec: {podSelector: {matchLabels: {app: server}}, ingress: [{ports: [{port: 8081}]}]}
YAML
        curl -sf --unix-socket "$(status socket)" -X POST http://kin/kin/v1/settle >/dev/null
        address=$(curl -sf --unix-socket "$(status socket)" \
            http://kin/api/v1/namespaces/default/pods/server | sed -n 's/.*"podIP": *"\([^"]*\)".*/\1/p')
        numbers=$("$KIN" exec --lab "$LAB" node-1 -- "$BENCH" policy-changes "$(status socket)" \
            "$address" 100)
        # shellcheck disable=SC2086
        set -- $numbers
        value "$count policies for others, one changed: answer -> allowed, us" "$1" "1500 (p99 $2, goal 4000)"
        value "$count policies for others, one changed: answer -> denied, us" "$3" "1500 (p99 $4, goal 4000)"
        down
        "$KIN" reset --yes --lab "$LAB" >/dev/null
    done
}
