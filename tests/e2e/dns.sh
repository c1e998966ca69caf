#!/bin/bash
# Names in the cluster: every form of record, search lists, the world outside.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/soon.sh"

kk="$KIN kubectl --lab $LAB"
asked() { k exec dnsutils -- "$@"; }
dig() { asked dig "$@"; }

start_lab
k create namespace prod >/dev/null

# ---- DNS-01: is cluster DNS healthy?
check "DNS-01 dnsutils" k apply -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata: {name: dnsutils}
spec: {containers: [{name: dnsutils, image: 'registry.k8s.io/e2e-test-images/agnhost:2.39'}]}
EOF
check "DNS-01 runs" k wait --for=condition=Ready pod/dnsutils --timeout=30s
expect "DNS-01 kubernetes.default" '10.96.0.1$' asked nslookup kubernetes.default
expect "DNS-01 asks the cluster's DNS" 'Server:[[:space:]]*10.96.0.10' asked nslookup kubernetes.default
expect "DNS-01 search list" '^search default.svc.cluster.local svc.cluster.local cluster.local' asked cat /etc/resolv.conf
expect "DNS-01 ndots" '^options ndots:5' asked cat /etc/resolv.conf
expect "DNS-01 coredns runs" Running k -n kube-system get pods -l k8s-app=kube-dns
check "DNS-01 it has a log" k -n kube-system logs -l k8s-app=kube-dns
expect "DNS-01 endpoints" ':53' k -n kube-system get endpoints kube-dns
expect "DNS-01 unknown names" 'NXDOMAIN' asked nslookup no-such-name

# ---- names from other namespaces, and of ExternalName (DNS-06)
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
expect "DNS-06 columns" 'ExternalName +<none> +my-database.example.com +<none>' k get svc my-service -n prod
expect "DNS-06 CNAME" '^my-database.example.com.$' dig +short my-service.prod.svc.cluster.local CNAME
expect "DNS-06 followed outside" '203.0.113.20' dig +short my-service.prod.svc.cluster.local A
expect "DNS-06 it answers" 'NOW' asked curl -s --max-time 5 http://my-service.prod/
expect "outside names" '203.0.113.20' dig +short example.com
expect "outside names that do not exist" 'status: NXDOMAIN' dig nowhere.example.com
check "DNS-06 to a name inside" k patch svc my-service -n prod -p \
    '{"spec":{"externalName":"database.prod.svc.cluster.local"}}'
soon "DNS-06 reaches it" 'Welcome to nginx' asked curl -s --max-time 5 http://my-service.prod/

# ---- forms of records
expect "SRV of a named port" "^0 100 80 database.prod.svc.cluster.local.\$" \
    dig +short SRV _http._tcp.database.prod.svc.cluster.local
expect "PTR of a ClusterIP" '^database.prod.svc.cluster.local.$' dig +short -x "$address"
expect "TXT of the version" '1.1.0' dig +short TXT dns-version.cluster.local
expect "AAAA is no data" 'status: NOERROR.*ANSWER: 0' bash -c \
    "$kk exec dnsutils -- dig AAAA database.prod.svc.cluster.local | tr '\n' ' '"
expect "TCP" "^$address\$" dig +tcp +short database.prod.svc.cluster.local
expect "EDNS0" 'udp: ' dig +edns database.prod.svc.cluster.local
ip=$(field pod/dnsutils '{.status.podIP}')
expect "DNS-03 a pod's address as name" "^$ip\$" dig +short "${ip//./-}.default.pod.cluster.local"

# ---- DNS-03: hostname and subdomain
check "DNS-03 pods" k apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata: {name: busybox-subdomain}
spec: {selector: {name: busybox}, clusterIP: None, ports: [{name: foo, port: 1234}]}
---
apiVersion: v1
kind: Pod
metadata: {name: busybox1, labels: {name: busybox}}
spec:
  hostname: busybox-1
  subdomain: busybox-subdomain
  hostAliases: [{ip: 127.0.0.1, hostnames: [foo.local, bar.local]}]
  containers: [{image: 'busybox:1.28', command: [sleep, '3600'], name: busybox}]
---
apiVersion: v1
kind: Pod
metadata: {name: busybox2, labels: {name: busybox}}
spec:
  hostname: busybox-2
  subdomain: busybox-subdomain
  setHostnameAsFQDN: true
  containers: [{image: 'busybox:1.28', command: [sleep, '3600'], name: busybox}]
EOF
check "DNS-03 ready" k wait --for=condition=Ready pod/busybox1 pod/busybox2 --timeout=30s
expect "DNS-03 hostname" '^busybox-1$' k exec busybox1 -- hostname
expect "DNS-03 hostname -f" '^busybox-1.busybox-subdomain.default.svc.cluster.local$' k exec busybox1 -- hostname -f
expect "DNS-03 setHostnameAsFQDN" '^busybox-2.busybox-subdomain.default.svc.cluster.local$' k exec busybox2 -- hostname
expect "DNS-03 hostAliases" '127.0.0.1[[:space:]]+foo.local' k exec busybox1 -- cat /etc/hosts
two=$(field pod/busybox2 '{.status.podIP}')
soon "DNS-03 the other pod by name" "$two" asked nslookup busybox-2.busybox-subdomain
soon "DNS-09 both addresses" '^2$' bash -c "$kk exec dnsutils -- dig +short busybox-subdomain.default.svc.cluster.local | wc -l"
expect "DNS-09 SRV per pod" '0 50 1234 busybox-1.busybox-subdomain' \
    dig +short SRV _foo._tcp.busybox-subdomain.default.svc.cluster.local
expect "DNS-09 PTR of an endpoint" '^busybox-2.busybox-subdomain.default.svc.cluster.local.$' dig +short -x "$two"

# ---- DNS-09: a headless name follows its pods; many of them need TCP
k create deployment many --image=registry.k8s.io/pause --replicas=3 >/dev/null
k rollout status deployment/many --timeout=40s >/dev/null
check "DNS-09 expose" k expose deployment many --port=80 --name=hl --cluster-ip=None
soon "DNS-09 three addresses" '^3$' bash -c "$kk exec dnsutils -- dig +short hl.default.svc.cluster.local | wc -l"
k scale deployment many --replicas=60 >/dev/null
soon "DNS-09 sixty addresses" '^60$' bash -c "$kk exec dnsutils -- dig +short hl.default.svc.cluster.local | wc -l"
expect "by UDP alone the answer is cut" 'flags:.* tc' dig +notcp +ignore +noedns hl.default.svc.cluster.local
k scale deployment many --replicas=0 >/dev/null
soon "DNS-09 none: no such name" 'status: NXDOMAIN' dig hl.default.svc.cluster.local

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

# ---- DNS-04, DNS-10: other policies
check "DNS-04 pods" k apply -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata: {name: dns-example}
spec:
  containers: [{name: test, image: nginx}]
  dnsPolicy: None
  dnsConfig:
    nameservers: [192.0.2.1]
    searches: [ns1.svc.cluster-domain.example, my.dns.search.suffix]
    options: [{name: ndots, value: '2'}, {name: edns0}]
---
apiVersion: v1
kind: Pod
metadata: {name: as-node}
spec: {dnsPolicy: Default, containers: [{name: c, image: 'registry.k8s.io/e2e-test-images/agnhost:2.39'}]}
EOF
check "DNS-04 ready" k wait --for=condition=Ready pod/dns-example pod/as-node --timeout=30s
expect "DNS-04 its own resolver" \
    '^search ns1.svc.cluster-domain.example my.dns.search.suffix nameserver 192.0.2.1 options ndots:2 edns0 $' \
    bash -c "$kk exec dns-example -- cat /etc/resolv.conf | tr '\n' ' '"
expect "DNS-04 None needs a dnsConfig" 'must provide .dnsConfig.' k run bad --image=nginx --overrides='{"spec":{"dnsPolicy":"None"}}'
expect "DNS-04 as the node: outside names" '203.0.113.20' k exec as-node -- dig +short example.com
expect "DNS-04 as the node: no cluster names" 'NXDOMAIN' k exec as-node -- dig kubernetes.default.svc.cluster.local

# ---- without coredns there are no names
check "scale coredns to 0" k -n kube-system scale deployment coredns --replicas=0
check "its pods go" until_true 40 bash -c "[ -z \"\$($kk -n kube-system get pods -l k8s-app=kube-dns -o name)\" ]"
expect "names are gone" 'timed out|no servers|refused|SERVFAIL|communications error' \
    asked dig +time=1 +tries=1 kubernetes.default.svc.cluster.local
check "and back" k -n kube-system scale deployment coredns --replicas=1
soon "names are back" '^10.96.0.1$' asked dig +time=1 +tries=1 +short kubernetes.default.svc.cluster.local
finish
