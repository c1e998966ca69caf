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

# own_policies COUNT: policies that all let the client of path_objects reach its servers.
own_policies() {
    awk -v count="$1" 'BEGIN {
        for (i = 0; i < count; ++i) {
            print "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy"
            print "metadata: {name: own-" i ", namespace: default}"
            print "spec:\n  podSelector: {matchExpressions: [{key: path, operator: In, values: [same-direct, across-direct]}]}"
            print "  ingress: [{from: [{podSelector: {matchLabels: {path: client}}}], ports: [{port: 7000}]}]\n---"
        }
    }'
}
# policy_path_lab NAME: a lab with the policies of standard input; adds to servers and ways.
policy_path_lab() {
    up
    { path_objects; cat; } | "$KIN" apply --lab "$LAB" -f - >/dev/null
    "$KIN" kubectl --lab "$LAB" wait --for=condition=Ready pod --all --timeout=30s >/dev/null
    settle
    direct_ways "$1"
}
# The way from pod to pod with policies, on kin's routed pods against pods on bridges without any rule.
bench_policypath() {
    local servers=() ways=() count name reach kind us reference ratio low high goal base=$LAB
    for count in 0 10 1000; do
        LAB=$base-$count
        policy_path_lab "others-$count" < <(policies "$count")
    done
    LAB=$base-own
    policy_path_lab own-100 < <(own_policies 100)
    LAB=$base
    "$BENCH" data-path "$TURNS" "$(IFS=,; echo "${servers[*]}")" "${ways[@]}" |
        while read -r name reach kind us reference ratio low high; do
            goal=1.02
            [ "$reach" != same ] || goal=1.25
            printf '%-52s %10s %10s %7sx  goal %s (turns %s to %s)\n' \
                "policies $name, $reach, $kind, us" "$us" "$reference" "$ratio" "$goal" "$low" "$high"
        done
    for count in 0 10 1000 own; do "$KIN" reset --yes --lab "$base-$count" >/dev/null; done
}
