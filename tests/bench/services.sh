# shellcheck shell=bash
# Of tests/bench/run: what connections to Services cost, and how long a start takes to program them.

# The pods and Services that datapath asks: a client and three servers on node-1, three servers on node-2. One of
# each three is asked without the Service: to a server both ways look like one client, but with different clocks,
# so that it takes some connections for old ones (PAWS) and leaves them without an answer.
path_pods="same-1 same-2 same-direct across-1 across-2 across-direct"
path_objects() {
    local name node
    for name in client $path_pods; do
        node="node-1"
        [ "${name%-*}" != across ] || node="node-2"
        echo "{apiVersion: v1, kind: Pod, metadata: {name: $name, namespace: default, labels: {path: ${name%-[12]}}},"
        echo " spec: {nodeName: $node, enableServiceLinks: false,"
        echo "  containers: [{name: c, image: registry.k8s.io/pause}]}}"
        echo ---
    done
    for name in same across; do
        echo "{apiVersion: v1, kind: Service, metadata: {name: $name, namespace: default},"
        echo " spec: {selector: {path: $name}, ports: [{port: 7000}]}}"
        echo ---
    done
}
# field OBJECT NAME: the first value of that name.
field() {
    api "/api/v1/namespaces/default/$1" |
        grep -o "\"$2\": *\"[^\"]*\"" | head -1 | cut -d'"' -f4
}
# pod_process POD: one that is in the pod's network.
pod_process() { process_at "$(field "pods/$1" podIP)"; }
# path_lab COUNT: a lab with so many Services; adds to servers and ways.
path_lab() {
    local pod client reach
    up
    apply_services "$1" >/dev/null
    path_objects | "$KIN" apply --lab "$LAB" -f - >/dev/null
    "$KIN" kubectl --lab "$LAB" wait --for=condition=Ready pod --all --timeout=30s >/dev/null
    settle
    client=$(pod_process client)
    for pod in $path_pods; do servers+=("$(pod_process "$pod")"); done
    for reach in same across; do
        ways+=("direct-$1:$reach:$client:$(field "pods/$reach-direct" podIP)")
        ways+=("service-$1:$reach:$client:$(field "services/$reach" clusterIP)")
    done
}
# direct_ways NAME: adds to servers and ways those that need no Service.
direct_ways() {
    local reach client
    client=$(pod_process client)
    for reach in same across; do
        servers+=("$(pod_process "$reach-direct")")
        ways+=("$1:$reach:$client:$(field "pods/$reach-direct" podIP)")
    done
}
# conntrack_lab: a lab whose nodes have conntrack and no rule of kin's, which is the least that any Services cost;
# adds to servers and ways. Only the direct ways exist there.
conntrack_lab() {
    local node
    up
    path_objects | "$KIN" apply --lab "$LAB" -f - >/dev/null
    "$KIN" kubectl --lab "$LAB" wait --for=condition=Ready pod --all --timeout=30s >/dev/null
    settle
    for node in node-1 node-2; do
        "$KIN" exec --lab "$LAB" "$node" -- sh -c "nft flush ruleset
            nft add table ip x
            nft add chain ip x before '{ type nat hook prerouting priority dstnat; }'
            nft add chain ip x after '{ type nat hook postrouting priority srcnat; }'
            nft add rule ip x before ip daddr 192.0.2.1 dnat to 192.0.2.2"
    done
    direct_ways direct-conntrack
}
# Wall clock of client, server and kernel together on one processor, which is what they cost.
bench_datapath() {
    local servers=() ways=() goal results label name reach kind us reference ratio low high
    path_lab 10
    LAB=$LAB-many path_lab 10000
    LAB=$LAB-bare conntrack_lab
    results=$("$BENCH" data-path "$TURNS" "$(IFS=,; echo "${servers[*]}")" "${ways[@]}")
    while read -r name reach kind us reference ratio low high; do
        case $name-$reach in
            direct-*-same) goal=1.16 ;;
            service-*-same) goal=1.25 ;;
            *) goal=1.02 ;;
        esac
        label="${name%-*}, ${name#*-} Services"
        [ "$name" != direct-conntrack ] || label="direct, conntrack alone"
        printf '%-52s %10s %10s %7sx  goal %s (turns %s to %s)\n' \
            "$label, $reach, $kind, us" "$us" "$reference" "$ratio" "$goal" "$low" "$high"
    done <<<"$results"
    for reach in same across; do
        for kind in rr crr; do
            ratio=$(awk "\$1 == \"service-10000\" && \$2 == \"$reach\" && \$3 == \"$kind\" {print \$6}" <<<"$results")
            low=$(awk "\$1 == \"service-10\" && \$2 == \"$reach\" && \$3 == \"$kind\" {print \$6}" <<<"$results")
            figure "$reach, $kind: 10,000 Services against 10" "$ratio" "$low" 1.03
        done
    done
    for kind in rr crr; do
        low=$(awk "\$1 == \"direct-conntrack\" && \$2 == \"across\" && \$3 == \"$kind\" {print \$6}" <<<"$results")
        for name in direct service; do
            ratio=$(awk "\$1 == \"$name-10\" && \$2 == \"across\" && \$3 == \"$kind\" {print \$6}" <<<"$results")
            figure "$name, across, $kind: against conntrack alone" "$ratio" "$low" 1.05
        done
    done
    "$KIN" reset --yes --lab "$LAB-many" >/dev/null
    "$KIN" reset --yes --lab "$LAB-bare" >/dev/null
    down
    "$KIN" reset --yes --lab "$LAB" >/dev/null
}

# programmed_ms: what the last start took for a node, from the logs of its kube-proxy pods. Compiling is done once
# for all nodes, so that each has a third of it.
programmed_ms() {
    local pod pods
    pods=$(api /api/v1/namespaces/kube-system/pods | grep -o '"kube-proxy-[a-z0-9]\+"' | tr -d '"' | sort -u)
    for pod in $pods; do api "/api/v1/namespaces/kube-system/pods/$pod/log"; done |
        sed -n 's/Synced all rules in \([0-9]*\) us; compiling .* took \([0-9]*\) us.*/\1 \2/p' |
        awk '{sum += $1; compiled = $2; ++nodes}
            END {if (nodes != 3) exit 1; printf "%.1f", (sum + compiled) / nodes / 1000}'
}
# What a start on 10,000 stored Services takes to program a node, from the objects in the caches to the kernel's
# answer to the last element, beside the same elements by raw netlink (their sets are there already).
bench_programming() {
    local turn begin count=10000 raw=() ups=() own=() held loaded
    up
    apply_services "$count" >/dev/null
    for ((turn = 0; turn < TURNS; turn++)); do
        loaded=$("$BENCH" raw-services "$count")
        # shellcheck disable=SC2086
        set -- $loaded
        raw+=("$2")
        down
        begin=$(now_ms)
        up
        settle
        ups+=("$(now_ms "$begin")")
        own+=("$(programmed_ms)")
    done
    held=$("$KIN" exec --lab "$LAB" node-1 -- nft list table ip kube-proxy |
        grep -o 'comment "default/s[0-9]' | wc -l)
    [ "$held" = $((count * 6)) ] || { echo "node-1 holds $held elements"; return 1; }
    [ "$1" = $((count * 6)) ] || { echo "raw netlink has loaded $1 elements"; return 1; }
    figure "10,000 Services: programming one node, ms" "$(printf '%s\n' "${own[@]}" | median)" \
        "$(printf '%s\n' "${raw[@]}" | median)" 4
    value "10,000 Services: kin up until settled, ms" "$(printf '%s\n' "${ups[@]}" | median)"
    down
    "$KIN" reset --yes --lab "$LAB" >/dev/null
}
