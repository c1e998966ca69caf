#!/bin/bash
# Walkthroughs of NetworkPolicies, recipe by recipe. What a policy says is in force when kubectl
# has answered, so everything behind one is asked once.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/walk.sh"
source "$(dirname "$0")/reach.sh"

start_lab
# Silence, and not a name that nobody knows.
readonly SILENCE='download timed out' PAGE='Welcome to nginx'

scenario POL-01 "Only labelled clients may reach nginx"
check "nginx" k create deployment nginx --image=nginx
check "exposed" k expose deployment nginx --port=80
also other
pods "a client with the label, elsewhere" other/friend,access=true
check "is rolled out" rolled_out nginx
both=$(k get svc,pod 2>&1)
expect "one answer lists the Service" '^service/nginx +ClusterIP ' echo "$both"
expect "and the pod" '^pod/nginx-' echo "$both"
check "it has an endpoint" until_true 5 answers other/friend "nginx.$NS" yes
check "it is open" once busybox "" wget -q --spider --timeout=1 nginx
expect "the policy" 'networkpolicy.networking.k8s.io/access-nginx created' policy access-nginx \
    '{podSelector: {matchLabels: {app: nginx}},
      ingress: [{from: [{podSelector: {matchLabels: {access: "true"}}}]}]}'
refused "without the label: silence" "$SILENCE" once busybox "" wget -q --spider --timeout=1 nginx
check "with it: open" once busybox access=true wget -q --spider --timeout=1 nginx
reach "a label counts in its own namespace only" <<<"no other/friend nginx.$NS"

scenario POL-02 "Recipe 01: nobody may reach the app"
check "web" k run web --image=nginx --labels=app=web --expose --port=80
pods "a neighbour and a client" neighbour client
check "is ready" ready pod/web
check "it is open" until_true 5 answers client web yes
node=$(field pod/web '{.spec.nodeName}')
other=$(k get nodes -o name | sed 's|node/||' | grep -vx "$node" | head -1)
expect "the policy" 'web-deny-all created' \
    policy web-deny-all '{podSelector: {matchLabels: {app: web}}, ingress: []}'
refused "silence" "$SILENCE" once test-1 "" wget -qO- --timeout=1 http://web
reach "it still sends, and its own node reaches it" <<END
no client web $(ip_of web)
no @$other $(ip_of web)
yes @$node $(ip_of web)
yes web $(ip_of neighbour) udp/$(ip_of neighbour):8081
END
check "deleted" k delete networkpolicy web-deny-all
expect "the page again" "$PAGE" once test-2 "" wget -qO- --timeout=1 http://web

scenario POL-03 "Recipe 02: only pods of the same application"
check "an API" \
    k run apiserver --image=nginx --labels=app=bookstore,role=api --expose --port=80
check "is ready" ready pod/apiserver
pods "a client" client
check "it is open" until_true 5 answers client apiserver yes
check "the policy" policy api-allow '{podSelector: {matchLabels: {app: bookstore, role: api}},
    ingress: [{from: [{podSelector: {matchLabels: {app: bookstore}}}]}]}'
refused "others: silence" "$SILENCE" once test-1 "" wget -qO- --timeout=1 http://apiserver
expect "the same application: a page" "$PAGE" \
    once test-2 app=bookstore,role=frontend wget -qO- --timeout=1 http://apiserver

scenario POL-05 "Recipe 03: default deny for a namespace"
also other
pods "two apps, and two elsewhere" one@node-1 two@node-2 other/three@node-1 other/four@node-2
expect "the policy" 'default-deny-all created' \
    policy default-deny-all '{podSelector: {}, ingress: []}'
here="$(ip_of one) $(ip_of two)" there="$(ip_of other/three) $(ip_of other/four)"
reach "in: nobody; out: all, with the replies" <<END
no one $(ip_of two)
no two $(ip_of one)
no other/three $here
no other/four $here
yes one $there
yes two $there
yes other/three $(ip_of other/four)
yes other/four $(ip_of other/three)
END
# Sends to the addresses that a node gives next, without pause, until somebody answers.
hammer() {
    NS=$NS-other in_pod three timeout "$(stretched 20)" python3 -c '
import ipaddress, select, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
first = ipaddress.ip_address(sys.argv[1])
print("begins", flush=True)
while True:
    for i in range(1, 9):
        try:
            s.sendto(b"hostname", (str(first + i), 8081))
        except OSError:
            pass
    while select.select([s], [], [], 0.002)[0]:
        try:
            print(s.recv(100).decode(), flush=True)
        except OSError:
            pass' "$1" >"/tmp/$LAB.hammer" 2>&1 &
    hammering=$!
    soon "somebody sends to the next pod's address" begins cat "/tmp/$LAB.hammer"
}
hammer "$(ip_of other/four)"
pods "a pod that comes later" late@node-2
reach "is ready, and isolated" <<<"no other/four $(ip_of late)"
same "from its first packet on" begins "$(cat "/tmp/$LAB.hammer")"
check "without the policy" k delete networkpolicy default-deny-all
soon "it would have answered" '^late$' cat "/tmp/$LAB.hammer"
pods "and so does the next" later@node-2
soon "without delay" '^later$' cat "/tmp/$LAB.hammer"
kill "$hammering"
wait "$hammering" 2>/dev/null
check "again" policy default-deny-all '{podSelector: {}, ingress: []}'
described=$(k describe networkpolicy default-deny-all)
expect "describe: it is about all pods" 'PodSelector: +<none> .*all pods in this namespace' \
    echo "$described"
expect "and lets nothing in" 'Allowing ingress traffic:' echo "$described"
expect "at all" '<none> \(Selected pods are isolated for ingress connectivity\)' echo "$described"

scenario POL-07 "Recipe 05: all namespaces"
also secondary
check "web" k run web --image=nginx --labels=app=web --port=80
check "exposed" k expose pod web --type=NodePort --port=80
pods "clients" client secondary/client
check "is ready" ready pod/web
check "it is open" until_true 5 answers client web yes
port=$(field svc/web '{.spec.ports[0].nodePort}')
ports=$(for node in 2 3 4; do echo "172.30.0.$node:$port"; done | xargs)
reach "outside, too" <<<"yes @client $ports"
check "a deny-all" policy default-deny-all '{podSelector: {}, ingress: []}'
reach "closes it" <<END
no client web
no secondary/client web.$NS
no @client $ports
END
check "all pods of all namespaces" policy web-allow-all-namespaces \
    '{podSelector: {matchLabels: {app: web}}, ingress: [{from: [{namespaceSelector: {}}]}]}'
reach "are let in, and who is no pod is not" <<END
yes client web
yes secondary/client web.$NS
no @client $ports
END

scenario POL-08 "Recipe 06: one labelled namespace"
also dev purpose=testing
also prod purpose=production
check "web" k run web --image=nginx --labels=app=web --expose --port=80
pods "clients" client dev/client prod/client
check "is ready" ready pod/web
check "it is open" until_true 5 answers client web yes
check "the policy" policy web-allow-prod '{podSelector: {matchLabels: {app: web}},
    ingress: [{from: [{namespaceSelector: {matchLabels: {purpose: production}}}]}]}'
from_three() { # ANSWER of dev
    printf '%s\n' "$1 dev/client web.$NS" "yes prod/client web.$NS" "no client web"
}
reach "production only" < <(from_three no)
check "dev is relabelled" k label "namespace/$NS-dev" purpose=production --overwrite
reach "and gets in" < <(from_three yes)
check "the label is taken away" k label "namespace/$NS-dev" purpose-
reach "and it does not" < <(from_three no)

scenario POL-10 "Recipe 08: open to external clients"
check "web, with a second server in it" k apply -f - <<YAML
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  containers:
  - {name: web, image: nginx, ports: [{containerPort: 80}]}
  - {name: more, image: $AGNHOST, args: [netexec, --http-port=8080]}
YAML
check "exposed" k expose pod/web --type=LoadBalancer --port=80
pods "a client" client
check "is ready" ready pod/web
soon "an address" '^172\.30\.200\.' field svc/web '{.status.loadBalancer.ingress[0].ip}'
external=$(field svc/web '{.status.loadBalancer.ingress[0].ip}')
check "it answers" until_true 5 answers @client "$external" yes
check "default deny" policy default-deny '{podSelector: {}, policyTypes: [Ingress]}'
reach "closes it" <<END
no @client $external
no client web $(ip_of web):8080
END
check "open to everybody" \
    policy web-allow-external '{podSelector: {matchLabels: {app: web}}, ingress: [{}]}'
expect "outside: a page" "$PAGE" at client --max-time 1 "http://$external"
reach "and for pods, on any port" <<<"yes client web $(ip_of web):8080"
expect "on one port" configured policy web-allow-external \
    '{podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 80}]}]}'
expect "outside: a page" "$PAGE" at client --max-time 1 "http://$external"
reach "and no other port" <<END
yes client web
no client $(ip_of web):8080
END

scenario POL-11 "Recipe 09: one port for one role"
check "a server of two ports" \
    k run apiserver --image=ahmet/app-on-two-ports --labels=app=apiserver
check "a Service of both" \
    k create service clusterip apiserver --tcp 8001:8000 --tcp 5001:5000
same "that selects it" '{"app":"apiserver"}' "$(field svc/apiserver '{.spec.selector}')"
pods "clients" plain monitor,role=monitoring
check "is ready" ready pod/apiserver
check "it is open" until_true 5 answers plain apiserver:8001 yes
check "the policy names the pod's port" policy api-allow-5000 \
    '{podSelector: {matchLabels: {app: apiserver}}, ingress: [{ports: [{port: 5000}],
      from: [{podSelector: {matchLabels: {role: monitoring}}}]}]}'
roles() {
    printf '%s\n' "no plain apiserver:8001 apiserver:5001" "no monitor apiserver:8001" \
        "yes monitor apiserver:5001"
}
reach "one port, one role" < <(roles)
metrics=$(once test-1 role=monitoring wget -qO- --timeout=1 http://apiserver:5001/metrics 2>/dev/null)
for line in http.requests go.goroutines go.cpus; do
    expect "the metrics have $line" "^$line=" echo "$metrics"
done
check "a server whose port has a name" k replace --force -f - <<YAML
apiVersion: v1
kind: Pod
metadata: {name: apiserver, labels: {app: apiserver}}
spec:
  containers:
  - name: c
    image: ahmet/app-on-two-ports
    ports: [{name: metrics, containerPort: 5000}]
YAML
check "the policy goes by it" policy api-allow-5000 \
    '{podSelector: {matchLabels: {app: apiserver}}, ingress: [{ports: [{port: metrics}],
      from: [{podSelector: {matchLabels: {role: monitoring}}}]}]}'
check "is ready" ready pod/apiserver
check "and an endpoint" until_true 5 answers monitor apiserver:5001 yes
reach "the same" < <(roles)

scenario POL-13 "Recipe 11: no outgoing traffic, then DNS only"
check "web" k run web --image=nginx --labels=app=web --expose --port=80
pods "foo and a client" foo,app=foo client
check "is ready" ready pod/web
check "it is open" until_true 5 answers foo web yes
cluster_ip=$(field svc/web '{.spec.clusterIP}')
check "the policy" policy foo-deny-egress \
    '{podSelector: {matchLabels: {app: foo}}, policyTypes: [Egress], egress: []}'
refused "no page" 'bad address|timed out' once test app=foo wget -qO- --timeout 1 http://web:80/
reach "no name, no address, but from others" <<END
nameless foo web
no foo $cluster_ip $(ip_of web) 203.0.113.20 172.30.0.2:6443
yes client $(ip_of foo) udp/$(ip_of foo):8081
END
check "the DNS pods are those of the policy's labels" test -n \
    "$(k get pods -n kube-system -l k8s-app=kube-dns -o name)"
same "and so is their namespace" kube-system "$(field namespace/kube-system \
    '{.metadata.labels.kubernetes\.io/metadata\.name}')"
expect "DNS is let through" 'foo-deny-egress configured' policy foo-deny-egress \
    '{podSelector: {matchLabels: {app: foo}}, policyTypes: [Egress], egress: [{
      to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}},
            podSelector: {matchLabels: {k8s-app: kube-dns}}}],
      ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]}]}'
refused "the name is known, and then silence" "$SILENCE" \
    once test app=foo wget -qO- --timeout 1 http://web
expect "DNS by UDP" "^$cluster_ip\$" in_pod foo dig +short +tries=1 +time=1 "web.$NS.svc.cluster.local"
expect "and TCP" "^$cluster_ip\$" in_pod foo dig +tcp +short +tries=1 +time=1 "web.$NS.svc.cluster.local"
refused "no echo from outside" ' 0 received' in_pod foo ping -c1 -W1 203.0.113.20
reach "nor anything else" <<END
no foo web $(ip_of web) 203.0.113.20
yes client $(ip_of foo)
END

scenario POL-14 "Recipe 12: default deny egress for a namespace"
also other
pods "pods here and elsewhere" one two other/three,app=three
NS=$NS-other check "a Service" k expose pod three --port=80
outward="$(ip_of other/three) 203.0.113.20 172.30.0.2:6443 10.96.0.1:443"
reach "all is open" <<END
yes one $(ip_of two) $outward
yes two $(ip_of one) $outward
END
check "the policy" policy default-deny-all-egress \
    '{policyTypes: [Egress], podSelector: {}, egress: []}'
reach "nothing goes out, all comes in" <<END
no one $(ip_of two) $outward
no two $(ip_of one) $outward
nameless one three.$NS-other
yes other/three $(ip_of one) $(ip_of two) udp/$(ip_of one):8081
END
check "deleted" k delete networkpolicy default-deny-all-egress
reach "all is well again" <<END
yes one $(ip_of two) $outward three.$NS-other
yes two $(ip_of one) $outward
END

scenario POL-16 "Exam-style: access=granted"
check "nginx" k create deployment nginx --image=nginx --replicas=2
check "exposed" k expose deployment nginx --port=80
pods "a client" client
check "is rolled out" rolled_out nginx
check "it is open" until_true 5 answers client nginx yes
check "the policy" policy access-nginx '{podSelector: {matchLabels: {app: nginx}},
    ingress: [{from: [{podSelector: {matchLabels: {access: granted}}}]}]}'
asks() { once busybox "$1" wget -O- http://nginx:80 --timeout 1; }
refused "no label: silence, and kubectl fails" "$SILENCE" asks ""
check "with it kubectl does not" asks access=granted
expect "and has the page" "$PAGE" asks access=granted

scenario POL-17 "Isolate a namespace, then allow one pod name"
check "nginx" k create deployment nginx --image=nginx
check "exposed" k expose deployment nginx --port=80
also other
pods "somebody else" other/client
check "is rolled out" rolled_out nginx
check "it is open" until_true 5 answers other/client "nginx.$NS" yes
expect "a page" "$PAGE" once access "" wget -q nginx -O -
check "a policy that says nearly nothing" policy default-deny '{podSelector: {matchLabels: {}}}'
same "is about what comes in" '["Ingress"]' "$(field networkpolicy/default-deny '{.spec.policyTypes}')"
refused "silence" "$SILENCE" once access "" wget -q --timeout=1 nginx -O -
check "one name is let in" policy access-nginx '{podSelector: {matchLabels: {app: nginx}},
    ingress: [{from: [{podSelector: {matchLabels: {run: access}}}]}]}'
expect "that pod has the page" "$PAGE" once access "" wget -q --timeout=1 nginx -O -
refused "no other" "$SILENCE" once cant-access "" wget -q --timeout=1 nginx -O -
check "the namespace is deleted" k delete namespace "$NS" --timeout=30s
same "the policies went with it" "" "$(k get networkpolicies -o name 2>/dev/null)"
rules_of() { for node in node-1 node-2 node-3; do on $node nft list table ip kin-policy 2>&1; done; }
no_rules_of() { ! rules_of | grep -q "$1"; }
check "and so did their rules" until_true 2 no_rules_of "$NS"

scenario POL-19 "The big example: three kinds of peer"
also mine project=myproject
pods "peers" frontend,role=frontend@node-2 plain@node-2 near@node-1 excepted@node-1 \
    mine/anybody@node-2 target@node-3 >/dev/null
check "the database, with a second server in it" k apply -f - <<YAML
apiVersion: v1
kind: Pod
metadata:
  name: db
  labels: {role: db}
  annotations: {kubectl.kubernetes.io/default-container: redis}
spec:
  containers:
  - {name: redis, image: redis, ports: [{containerPort: 6379}]}
  - {name: more, image: $AGNHOST, args: [netexec, --http-port=80]}
---
apiVersion: v1
kind: Pod
metadata: {name: ports}
spec:
  nodeName: node-3
  containers:
  - name: c
    image: $AGNHOST
    args: [porter]
    env: [{name: SERVE_PORT_5978, value: "yes"}, {name: SERVE_PORT_5979, value: "yes"}]
---
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {type: NodePort, externalTrafficPolicy: Local, selector: {role: db}, ports: [{port: 6379}]}
YAML
check "are ready" ready pod/db pod/ports
db=$(ip_of db)
outside=$(field pod/db '{.status.hostIP}'):$(field svc/db '{.spec.ports[0].nodePort}')
check "it is open" until_true 5 answers @client "$outside" yes
check "the policy" policy test-network-policy "
  podSelector: {matchLabels: {role: db}}
  policyTypes: [Ingress, Egress]
  ingress:
  - from:
    - ipBlock: {cidr: 203.0.113.0/24, except: [203.0.113.16/28]}
    - ipBlock: {cidr: 10.244.1.0/24, except: [$(ip_of excepted)/32]}
    - namespaceSelector: {matchLabels: {project: myproject}}
    - podSelector: {matchLabels: {role: frontend}}
    ports: [{protocol: TCP, port: 6379}]
  egress:
  - to: [{ipBlock: {cidr: 10.244.3.0/24}}]
    ports: [{protocol: TCP, port: 5978}]"
reach "who is named gets in, on one port; one way leads out" <<END
yes frontend $db:6379 db:6379
yes mine/anybody $db:6379
yes near $db:6379
yes @client $outside
no excepted $db:6379
no plain $db:6379 db:6379
no @internet $outside
no frontend $db:80
no mine/anybody $db:80
no near $db:80
yes db $(ip_of ports):5978
no db $(ip_of ports):5979 $(ip_of target) $(ip_of plain) 203.0.113.20
nameless db kubernetes.default
END
described=$(k describe networkpolicy test-network-policy)
for part in 'CIDR: 203.0.113.0/24' 'Except: 203.0.113.16/28' 'NamespaceSelector: project=myproject' \
    'PodSelector: role=frontend' 'To Port: 6379/TCP' 'CIDR: 10.244.3.0/24' 'To Port: 5978/TCP'; do
    expect "describe has $part" "$part" echo "$described"
done

scenario POL-20 "A range of ports"
# porter [SPACE/]NAME PORT...: a pod on node-3 that listens on all of them.
porter() {
    local where=$1 port
    shift
    pod_yaml "$where,pod=a@node-3" | sed "s/args: .*/args: [porter]/; s/ports: .*/env: [$(for port in "$@"; do
        printf '{name: SERVE_PORT_%s, value: "yes"}, ' "$port"
    done)]/" | NS='' k apply -f -
}
also x ns=x
also y ns=y
check "a server of five ports" porter many 31999 32000 32500 32768 32769
check "and one of three" porter y/a 80 103 104
pods "clients" db,role=db x/a,pod=a y/b@node-3
check "are ready" ready pod/many
NS=$NS-y check "both of them" ready pod/a
many=$(ip_of many) y=$(ip_of y/a)
check "a range" policy multi-port-egress '{podSelector: {matchLabels: {role: db}},
    policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 10.244.3.0/24}}],
      ports: [{protocol: TCP, port: 32000, endPort: 32768}]}]}'
check "another, and DNS" policy x/pr-1 '{podSelector: {matchLabels: {pod: a}}, policyTypes: [Egress],
    egress: [{to: [{namespaceSelector: {matchLabels: {ns: "y"}}, podSelector: {matchLabels: {pod: a}}}],
              ports: [{port: 80, protocol: TCP, endPort: 103}]},
             {ports: [{port: 53, protocol: UDP}]}]}'
NS=$NS-y check "a Service" k expose pod a --port=80
reach "from its first to its last port" <<END
no db $many:31999
yes db $many:32000 $many:32500 $many:32768
no db $many:32769
yes x/a $y:80 $y:103
no x/a $y:104 $(ip_of y/b):80
END
service=a.$NS-y.svc.cluster.local
NS=$NS-x expect "DNS is let through" '^10\.96\.' in_pod a dig +short "$service"
backwards() {
    policy wrong "{podSelector: {}, ingress: [{ports: [$1]}]}"
}
refused "a range that ends before it begins" 'is invalid: .*endPort: Invalid value: 70' \
    backwards '{port: 80, endPort: 70}'
refused "a range of a name" 'is invalid: .*endPort' backwards '{port: web, endPort: 90}'

scenario POL-21 "The five default policies"
also y
also z
all=()
for name in a b c; do all+=("$name@node-1" "y/$name@node-2" "z/$name@node-3"); done
pods "three namespaces with three pods each" "${all[@]}"
everybody=(a b c y/a y/b y/c z/a z/b z/c)
declare -A address
for pod in "${everybody[@]}"; do address[$pod]=$(ip_of "$pod"); done
# nine WHAT INTO OUT: all pairs; what is denied goes into the first namespace, out of it (yes, no).
nine() {
    local from to answer
    reach "$1" < <(for from in "${everybody[@]}"; do
        for to in "${everybody[@]}"; do
            answer=yes
            [[ $2 = no && $to != */* && $from != "$to" ]] && answer=no
            [[ $3 = no && $from != */* && $from != "$to" ]] && answer=no
            echo "$answer $from ${address[$to]}"
        done
    done)
}
nine "without policies: all" yes yes
default() { # NAME SPEC INTO OUT WHAT
    check "$1" policy "$1" "{podSelector: {}, $2}"
    nine "$5" "$3" "$4"
}
alone() {
    default "$@"
    k delete networkpolicy "$1" >/dev/null || bad "$1 is deleted"
}
alone allow-all-ingress 'ingress: [{}], policyTypes: [Ingress]' yes yes "as before"
alone allow-all-egress 'egress: [{}], policyTypes: [Egress]' yes yes "as before"
alone default-deny-egress 'policyTypes: [Egress]' yes no "nothing out of it"
default default-deny-ingress 'policyTypes: [Ingress]' no yes "nothing into it"
alone allow-all-ingress 'ingress: [{}], policyTypes: [Ingress]' yes yes "both: as before"
k delete networkpolicy default-deny-ingress >/dev/null
default default-deny-all 'policyTypes: [Ingress, Egress]' no no "neither way, not even inside"
default allow-all-ingress 'ingress: [{}], policyTypes: [Ingress]' yes no \
    "with the other: in, from those that may send"

scenario POL-22 "Egress to namespaces chosen by expression"
also frontend
also backend
also third
check "a label" k label namespace "$NS-frontend" namespace=frontend
check "and another" k label namespace "$NS-backend" namespace=backend
pods "one each" mine,app=myapp frontend/pod backend/pod third/pod
# expression WHAT EXPRESSION ANSWER...: of frontend, backend and third.
expression() {
    check "$1" policy egress-namespaces "{podSelector: {matchLabels: {app: myapp}},
        policyTypes: [Egress], egress: [{to: [{namespaceSelector: {matchExpressions: [$2]}}]}]}"
    reach "is so" <<END
$3 mine $(ip_of frontend/pod)
$4 mine $(ip_of backend/pod)
$5 mine $(ip_of third/pod)
no mine 203.0.113.20
END
}
expression "In" '{key: namespace, operator: In, values: [frontend, backend]}' yes yes no
expression "NotIn, which is true without the label" \
    '{key: namespace, operator: NotIn, values: [frontend]}' no yes yes
expression "Exists" '{key: namespace, operator: Exists}' yes yes no
expression "DoesNotExist" '{key: namespace, operator: DoesNotExist}' no no yes

end_scenario
gone() { ! k get namespaces -o name | grep -q pol-; }
check "all namespaces go" until_true 40 gone
no_tables() { ! for node in node-1 node-2 node-3; do on $node nft list tables; done | grep -q kin-policy; }
check "and nothing of policies is left on the nodes" until_true 2 no_tables
finish
