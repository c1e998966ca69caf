#!/bin/bash
# Names in the cluster: every form of record, search lists, the world outside.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/soon.sh"

kk="$KIN kubectl --lab $LAB"
asked() { k exec dnsutils -- "$@"; }
dig() { asked dig "$@"; }

start_lab
k create namespace prod >/dev/null
k run dnsutils --image=registry.k8s.io/e2e-test-images/agnhost:2.39 >/dev/null
check "dnsutils runs" k wait --for=condition=Ready pod/dnsutils --timeout=30s

# ---- names from other namespaces, and of ExternalName
check "database of prod" k apply -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata: {name: database, namespace: prod, labels: {app: database}}
spec: {containers: [{name: c, image: nginx, ports: [{name: http, containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: database, namespace: prod}
spec: {selector: {app: database}, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: my-service, namespace: prod}
spec: {type: ExternalName, externalName: my-database.example.com}
EOF
address=$(k get -n prod svc database -o 'jsonpath={.spec.clusterIP}')
soon "database.prod" "$address" asked nslookup database.prod
expect "database.prod.svc.cluster.local" "$address" asked nslookup database.prod.svc.cluster.local
expect "in any case" "$address" asked nslookup DataBase.PROD.svc.Cluster.Local
expect "database alone does not exist here" 'NXDOMAIN' asked nslookup database
expect "an ExternalName outside answers" 'NOW' asked curl -s --max-time 5 http://my-service.prod/
expect "outside names" '203.0.113.20' dig +short example.com
expect "outside names that do not exist" 'status: NXDOMAIN' dig nowhere.example.com

# ---- forms of records
expect "TXT of the version" '1.1.0' dig +short TXT dns-version.cluster.local
expect "AAAA is no data" 'status: NOERROR.*ANSWER: 0' bash -c \
    "$kk exec dnsutils -- dig AAAA database.prod.svc.cluster.local | tr '\n' ' '"
expect "TCP" "^$address\$" dig +tcp +short database.prod.svc.cluster.local
expect "EDNS0" 'udp: ' dig +edns database.prod.svc.cluster.local

# ---- many pods behind a headless name need TCP
k create deployment many --image=registry.k8s.io/pause --replicas=60 >/dev/null
k rollout status deployment/many --timeout=40s >/dev/null
check "expose" k expose deployment many --port=80 --name=hl --cluster-ip=None
soon "sixty addresses" '^60$' bash -c "$kk exec dnsutils -- dig +short hl.default.svc.cluster.local | wc -l"
expect "by UDP alone the answer is cut" 'flags:.* tc' dig +notcp +ignore +noedns hl.default.svc.cluster.local

# ---- Services without selector: Endpoints by hand are mirrored
check "Endpoints by hand" k apply -f - <<EOF
apiVersion: v1
kind: Service
metadata: {name: by-hand}
spec: {ports: [{port: 80}]}
---
apiVersion: v1
kind: Endpoints
metadata: {name: by-hand}
subsets: [{addresses: [{ip: 203.0.113.20}], ports: [{port: 80}]}]
EOF
soon "a slice repeats them" 'by-hand-.*203.0.113.20' k get endpointslices -l kubernetes.io/service-name=by-hand
soon "and the Service leads there" 'NOW' asked curl -s --max-time 5 http://by-hand/
check "Endpoints go" k delete endpoints by-hand
soon "the slice goes with them" 'No resources' k get endpointslices -l kubernetes.io/service-name=by-hand

# ---- what the pods counted, at the Service's port for metrics
metrics() { asked curl -s --max-time 5 http://kube-dns.kube-system:9153/metrics; }
expect "metrics tell of questions" 'coredns_dns_requests_total\{.*proto="udp".*type="A".*\} [1-9]' metrics
expect "and of answers" 'coredns_dns_responses_total\{.*rcode="NXDOMAIN".*\} [1-9]' metrics

# ---- without coredns there are no names
check "scale coredns to 0" k -n kube-system scale deployment coredns --replicas=0
check "its pods go" until_true 40 bash -c "[ -z \"\$($kk -n kube-system get pods -l k8s-app=kube-dns -o name)\" ]"
expect "names are gone" 'timed out|no servers|refused|SERVFAIL|communications error' \
    asked dig +time=1 +tries=1 kubernetes.default.svc.cluster.local
check "and back" k -n kube-system scale deployment coredns --replicas=1
soon "names are back" '^10.96.0.1$' asked dig +time=1 +tries=1 +short kubernetes.default.svc.cluster.local
finish
