#!/bin/bash
# What kin says of NetworkPolicies: warnings, kin check, matrix and flows, Events, rules with names.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/walk.sh"
source "$(dirname "$0")/reach.sh"

start_lab

scenario POL-DB "The database of the lessons"
also other
pods "who wants something of it" backend,app=backend frontend,app=frontend plain \
    other/backend,app=backend
policy_of_db() {
    policy db '{podSelector: {matchLabels: {role: database}}, policyTypes: [Ingress, Egress],
        ingress: [{from: [{podSelector: {matchLabels: {app: backend}}}], ports: [{port: 5432}]}]}'
}
expect "kin warns of a policy that selects nobody" \
    "^Warning: .*selects no pod of namespace $NS now: its podSelector wants role=database" policy_of_db
check "it is taken back" k delete networkpolicy db
check "the database" k apply -f - <<YAML
apiVersion: v1
kind: Pod
metadata:
  name: db
  labels: {role: database}
  annotations: {kubectl.kubernetes.io/default-container: postgres}
spec:
  containers:
  - {name: postgres, image: "postgres:16", ports: [{containerPort: 5432}]}
  - {name: more, image: $AGNHOST, args: [netexec, --http-port=80, --udp-port=8081]}
---
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {selector: {role: database}, ports: [{port: 5432}]}
YAML
check "is ready" ready pod/db
check "it is open" until_true 5 answers frontend db:5432 yes
db=$(ip_of db)
# verb VERB ARGUMENT...; says CODE VERB ARGUMENT...: it exits with that.
verb() { "$KIN" "$1" --lab "$LAB" "${@:2}"; }
says() {
    local code
    verb "${@:2}"
    code=$?
    [ $code = "$1" ]
}
check "before a policy all is allowed" says 0 check -n "$NS" frontend db --expect allow
check "not forbidden" says 1 check -n "$NS" frontend db --expect deny
applied=$(policy_of_db 2>&1)
expect "kin warns that it takes DNS" \
    '^Warning: .*takes DNS from db: no egress rule lets UDP port 53 to the pods of kube-dns' echo "$applied"
expect "and does what was asked" 'networkpolicy.networking.k8s.io/db created' echo "$applied"
readonly NEAREST="isolated by $NS/db, and nothing allows this; nearest: $NS/db ingress rule 1 wants"
reach "one may" <<END
yes backend db:5432
no frontend db:5432
no plain db:5432
END
events() { k get events --field-selector "reason=NetworkPolicyDropped,involvedObject.name=$1"; }
soon "the pod has an Event" \
    "Warning +NetworkPolicyDropped +pod/db +TCP port 5432 from pod $NS/frontend was dropped: $NEAREST app=backend" \
    events db
soon "describe shows another" \
    "Warning +NetworkPolicyDropped .* kin-policy +TCP port 5432 from pod $NS/plain was dropped: $NEAREST app=backend" \
    k describe pod db
expect "who asked has none" 'No resources found' events frontend

reach "one port, one way" <<END
yes backend $db:5432
no backend $db:80 udp/$db:8081
no frontend $db:5432 $db:80
no other/backend $db:5432
no db $(ip_of backend) $(ip_of frontend) udp/$(ip_of backend):8081 203.0.113.20 10.96.0.1:443
nameless db kubernetes.default
END

node=$(field pod/db '{.spec.nodeName}')
expect "the node's rules count who came by which rule" \
    "$(ip_of backend) \. tcp \. 5432 counter packets [1-9][0-9]* .*\"$NS/db ingress rule 1\"" \
    on "$node" nft list set ip kin-policy "ingress-$NS/db-pods"
expect "and what was dropped" 'counter packets [1-9][0-9]* .*drop comment "no policy allows it"' \
    on "$node" nft list chain ip kin-policy "ingress-$NS/db"

# verdict CODE WHAT PATTERN CHECK'S ARGUMENT...: what kin check says, and its exit code.
verdict() {
    local code=$1 what=$2 pattern=$3 said
    shift 3
    said=$(verb check -n "$NS" "$@" 2>&1)
    same "$what: exit code" "$code" "$?"
    expect "$what: words" "$pattern" tr '\n' ' ' <<<"$said"
}
verdict 0 "one may" "policies: allow +tried: +connected .*allowed by $NS/db ingress rule 1" \
    backend db:5432 --expect allow
verdict 1 "who did not want that" 'expected deny, but the policies say allow' backend db --expect deny
verdict 0 "one may not" \
    "policies: deny +tried: +dropped .*$NEAREST app=backend, pod $NS/frontend has app=frontend" \
    frontend db --expect deny
verdict 1 "who did not want that" 'expected allow, but the policies say deny' \
    frontend svc/db:5432 --expect allow
verdict 0 "no label" "$NEAREST app=backend, pod $NS/plain has no label app" plain svc/db --expect deny
verdict 0 "another port" "$NEAREST TCP port 5432, this is TCP port 80" backend db:80 --expect deny
verdict 0 "another protocol" "tried: +dropped .*$NEAREST TCP port 5432, this is UDP port 8081" \
    backend db:8081 --protocol udp --expect deny
verdict 0 "another namespace" \
    "$NEAREST a pod of namespace $NS, pod $NS-other/backend is in $NS-other" \
    "$NS-other/backend" db --expect deny
verdict 0 "outward" "egress of pod $NS/db: isolated by $NS/db, and nothing allows this" \
    db 203.0.113.20:80 --expect deny
verdict 0 "DNS" 'policies: deny' db svc/kube-system/kube-dns:53 --protocol udp --expect deny
verdict 0 "itself" 'a pod always reaches itself' db db:80 --expect allow
verdict 0 "nobody listens" 'policies: allow +tried: +refused' frontend plain:81 --expect allow
verdict 1 "no such pod" "there is no pod $NS/nobody" nobody db
verdict 2 "no such word" 'maybe not in' frontend db --expect maybe

check "kin matrix: the kernel does what policies say" says 0 matrix -n "$NS"
same "kin matrix: the grid" "from              1   2   3   4
$NS/backend    .   .   .   .
$NS/db         x   .   x   x
$NS/frontend   .   x   .   .
$NS/plain      .   x   .   .

  1  $NS/backend:80
  2  $NS/db:5432
  3  $NS/frontend:80
  4  $NS/plain:80" "$(verb matrix -n "$NS" | head -10)"
expect "kin matrix: what the marks mean" "^\\. allowed +x denied +! the kernel .* \\? not tried" verb matrix -n "$NS"
expect "without a namespace the others are there, too" "^$NS-other/backend( +\.)+ +x( +\.)+$" verb matrix
refused "of nobody" 'there are no pods' verb matrix -n kube-public
refused "of nowhere" 'there is no namespace nowhere' verb matrix -n nowhere

drops=$(verb flows --dropped)
check "what kin check and kin matrix tried is not among them" \
    test -z "$(grep "pod $NS/db -> pod $NS/plain TCP 80" <<<"$drops")"
expect "kin flows: one that was not let in" \
    "^20[^ ]+Z $node ingress pod $NS/frontend -> pod $NS/db TCP 5432: $NEAREST app=backend" echo "$drops"
expect "one that was not let out" \
    "^20[^ ]+Z $node egress pod $NS/db -> 203.0.113.20 TCP 80: isolated by $NS/db" echo "$drops"
expect "names that were not looked up" \
    "egress pod $NS/db -> pod kube-system/coredns-[a-z0-9-]+ UDP 53: isolated" echo "$drops"
check "none that were let in" test -z "$(grep "pod $NS/backend -> pod $NS/db TCP 5432" <<<"$drops")"
verb flows --dropped --follow >"/tmp/$LAB.flows" 2>&1 &
following=$!
reach "one more" <<<"no frontend $db:4444"
soon "is followed" "pod $NS/frontend -> pod $NS/db TCP 4444: " cat "/tmp/$LAB.flows"
kill "$following"
wait "$following" 2>/dev/null

# A Service by its address: policies see the pod behind it.
address=$(field svc/db '{.spec.clusterIP}')
check "the frontend reaches the database only" policy frontend \
    '{podSelector: {matchLabels: {app: frontend}}, policyTypes: [Egress],
      egress: [{to: [{podSelector: {matchLabels: {role: database}}}]}]}'
check "and may" policy db '{podSelector: {matchLabels: {role: database}}, policyTypes: [Ingress],
    ingress: [{from: [{podSelector: {matchLabels: {app: frontend}}}]}]}'
verdict 0 "an address of a Service" "allowed by $NS/frontend egress rule 1" \
    frontend "$address:5432" --expect allow
check "a pod of its node's network" k run hosted --image=debian --labels=app=hosted \
    --overrides='{"spec":{"hostNetwork":true,"terminationGracePeriodSeconds":0}}' -- sleep infinity
check "is ready" ready pod/hosted
warned=$(policy hosted '{podSelector: {matchLabels: {app: hosted}}, policyTypes: [Egress]}' 2>&1)
expect "is told that no policy isolates it, not that it lost its DNS" \
    '^Warning: .*(selects no pod|network of its node|node.s network)' echo "$warned"
k delete networkpolicy frontend hosted >/dev/null
check "the policy is deleted" k delete networkpolicy db
reach "and all is open" <<END
yes frontend db:5432 $db:80 udp/$db:8081
yes db $(ip_of backend) 10.96.0.1:443
END

end_scenario
gone() { ! k get namespaces -o name | grep -q pol-; }
check "all namespaces go" until_true 40 gone
no_tables() { ! for node in node-1 node-2 node-3; do on $node nft list tables; done | grep -q kin-policy; }
check "and nothing of policies is left on the nodes" until_true 2 no_tables
finish
