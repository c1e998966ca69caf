#!/bin/bash
# Walkthroughs of group C: names of Services and pods, as lessons about DNS ask for them.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/soon.sh"

AGNHOST=registry.k8s.io/e2e-test-images/agnhost:2.39
asked() { k exec dnsutils -- "$@"; }
dig() { asked dig "$@"; }
count() { "$@" | grep -c .; }
none() { [ -z "$("$@" -o name 2>/dev/null)" ]; } # none k get KIND
# asker: the pod that asks, in this scenario's namespace; no command, so that the image's own pauses.
asker() {
    k run dnsutils --image=$AGNHOST >/dev/null
    check "dnsutils runs" k wait --for=condition=Ready pod/dnsutils --timeout=30s
}

start_lab

scenario DNS-01 "Is cluster DNS healthy?"
asker
expect "nslookup kubernetes.default" '10\.96\.0\.1$' asked nslookup kubernetes.default
expect "it asks the cluster's DNS" 'Server:[[:space:]]*10\.96\.0\.10' asked nslookup kubernetes.default
same "resolv.conf" "nameserver 10.96.0.10 options ndots:5 search dns-01.svc.cluster.local svc.cluster.local cluster.local" \
    "$(asked sort /etc/resolv.conf | xargs)"
expect "coredns runs" 'coredns.* 1/1 +Running' k -n kube-system get pods -l k8s-app=kube-dns
expect "and has a log" 'CoreDNS' k -n kube-system logs -l k8s-app=kube-dns
expect "its Service" 'kube-dns +ClusterIP +10\.96\.0\.10 +<none> +53/UDP,53/TCP' k -n kube-system get svc
expect "has endpoints" 'kube-dns +10\.244\.[0-9.]+:53' k -n kube-system get endpoints kube-dns
refused "a name that nobody has" NXDOMAIN asked nslookup no-such-name
same "answers at once, for each suffix" 0 "$(asked timeout 2 bash -c 'nslookup no-such-name >/dev/null; [ $? != 124 ]' >/dev/null 2>&1; echo $?)"
refused "a Service of another namespace, without it" NXDOMAIN asked nslookup kube-dns
expect "and with it" 'Address: 10\.96\.0\.10$' asked nslookup kube-dns.kube-system

scenario DNS-02 "Same Service name in two namespaces"
thesvc() { # thesvc NAMESPACE
    k -n "$1" apply -f - <<'EOF'
apiVersion: v1
kind: ReplicationController
metadata: {name: rcsise}
spec:
  replicas: 2
  selector: {app: sise}
  template:
    metadata: {labels: {app: sise}}
    spec: {containers: [{name: sise, image: 'quay.io/openshiftlabs/simpleservice:0.5.0', ports: [{containerPort: 9876}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: thesvc}
spec: {ports: [{port: 80, targetPort: 9876}], selector: {app: sise}}
EOF
}
check "rcsise and thesvc" thesvc dns-02
check "a pod to jump into" k apply -f - <<'EOF'
apiVersion: v1
kind: Pod
metadata: {name: jumpod}
spec: {containers: [{name: shell, image: 'centos:7', command: [bin/bash, -c, sleep 10000]}]}
EOF
check "it runs" k wait --for=condition=Ready pod/jumpod --timeout=30s
soon "two pods are ready" 'rcsise +2 +2 +2' k get rc rcsise
inside() { k exec jumpod -c shell -- "$@"; }
address=$(field svc/thesvc '{.spec.clusterIP}')
expect "the name in full" "^PING thesvc.dns-02.svc.cluster.local \($address\)" \
    inside ping -c1 -W1 thesvc.dns-02.svc.cluster.local
jumpod=$(field pod/jumpod '{.status.podIP}')
soon "curl by the bare name" '"host": ?"thesvc"' inside curl -s --max-time 5 http://thesvc/info
expect "version and client are told" "\"from\": ?\"$jumpod\".*\"version\": ?\"0.5.0\"|\"version\": ?\"0.5.0\".*\"from\": ?\"$jumpod\"" \
    inside curl -s --max-time 5 http://thesvc/info
check "the other namespace" k create namespace other
check "the same names there" thesvc other
soon "two pods are ready there" 'rcsise +2 +2 +2' k -n other get rc rcsise
soon "curl with the namespace" '"host": ?"thesvc.other"' inside curl -s --max-time 5 http://thesvc.other/info
here=$(count k logs -l app=sise --tail=-1)
for _ in 1 2 3 4 5 6; do inside curl -s --max-time 5 http://thesvc.other/info >/dev/null; done
same "only pods there are asked" "$here" "$(count k logs -l app=sise --tail=-1)"
check "delete pod, Service and controller" k delete pod/jumpod svc/thesvc rc/rcsise --now --timeout=20s
check "delete the namespace" k delete namespace other --timeout=40s
expect "with all it held" 'No resources found' k -n other get rc,svc,pods
check "nothing stays here" until_true 20 none k get pods,rc,svc

scenario DNS-03 "hostname and subdomain of a pod"
check "a headless Service and three pods" k apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata: {name: busybox-subdomain}
spec: {selector: {name: busybox}, clusterIP: None, ports: [{name: foo, port: 1234, targetPort: 1234}]}
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
  containers: [{image: 'busybox:1.28', command: [sleep, '3600'], name: busybox}]
---
apiVersion: v1
kind: Pod
metadata: {name: long}
spec:
  hostname: long
  subdomain: busybox-subdomain
  setHostnameAsFQDN: true
  containers: [{image: 'busybox:1.28', command: [sleep, '3600'], name: busybox}]
EOF
asker
check "they run" k wait --for=condition=Ready pod/busybox1 pod/busybox2 pod/long --timeout=30s
full=busybox-1.busybox-subdomain.dns-03.svc.cluster.local
expect "hostname" '^busybox-1$' k exec busybox1 -- hostname
expect "hostname -f" "^$full\$" k exec busybox1 -- hostname -f
expect "/etc/hosts has both forms" "$full[[:space:]]+busybox-1\$" k exec busybox1 -- cat /etc/hosts
expect "and the pod's aliases" '127.0.0.1[[:space:]]+foo.local[[:space:]]+bar.local' k exec busybox1 -- cat /etc/hosts
one=$(field pod/busybox1 '{.status.podIP}')
two=$(field pod/busybox2 '{.status.podIP}')
soon "the other pod by name" "Address.*$two" k exec busybox1 -- nslookup busybox-2.busybox-subdomain
same "the Service's name gives both pods, no ClusterIP" "$(printf '%s\n' "$one" "$two" | sort)" \
    "$(dig +short busybox-subdomain.dns-03.svc.cluster.local | sort)"
expect "nslookup of it" "$two" k exec busybox1 -- nslookup busybox-subdomain
expect "setHostnameAsFQDN" '^long.busybox-subdomain.dns-03.svc.cluster.local$' k exec long -- hostname
expect "a pod's address as name" "Address: $one\$" asked nslookup "${one//./-}.dns-03.pod.cluster.local"

scenario DNS-04 "dnsPolicy None with its own resolver settings"
check "pods with four policies" k apply -f - <<EOF
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
spec: {dnsPolicy: Default, containers: [{name: c, image: '$AGNHOST'}]}
---
apiVersion: v1
kind: Pod
metadata: {name: more}
spec:
  dnsConfig: {nameservers: [192.0.2.2], searches: [more.example], options: [{name: timeout, value: '1'}]}
  containers: [{name: c, image: '$AGNHOST'}]
EOF
check "they run" k wait --for=condition=Ready pod/dns-example pod/as-node pod/more --timeout=30s
same "None: only its own resolver" \
    "nameserver 192.0.2.1 options edns0 ndots:2 search ns1.svc.cluster-domain.example my.dns.search.suffix" \
    "$(k exec dns-example -- cat /etc/resolv.conf | sed 's/ndots:2 edns0/edns0 ndots:2/' | sort | xargs)"
refused "which does not exist" 'timed out|no servers|unreachable' \
    k exec dns-example -- nslookup -timeout=1 -retry=1 kubernetes.default
refused "None without nameservers" 'spec.dnsConfig: Required value: must provide .dnsConfig' \
    k run bad --image=nginx --overrides='{"spec":{"dnsPolicy":"None"}}'
expect "Default: outside names" '203.0.113.20' k exec as-node -- dig +short example.com
expect "Default: no cluster names" 'NXDOMAIN' k exec as-node -- dig kubernetes.default.svc.cluster.local
refused "Default: nobody searches in the cluster" . k exec as-node -- grep -q cluster.local /etc/resolv.conf
same "ClusterFirst: the pod's entries come last" \
    "nameserver 10.96.0.10 nameserver 192.0.2.2 options ndots:5 timeout:1 search dns-04.svc.cluster.local svc.cluster.local cluster.local more.example" \
    "$(k exec more -- sort /etc/resolv.conf | xargs)"

scenario DNS-06 "ExternalName is a CNAME"
check "my-service" k apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata: {name: my-service}
spec: {type: ExternalName, externalName: my.database.example.com}
EOF
asker
expect "its columns" '^my-service +ExternalName +<none> +my.database.example.com +<none>' k get svc my-service
expect "a CNAME" '^my.database.example.com.$' dig +short my-service.dns-06.svc.cluster.local CNAME
expect "followed outside" '^203.0.113.20$' dig +short my-service.dns-06.svc.cluster.local A
k run web --image=registry.k8s.io/echoserver:1.10 --port=8080 >/dev/null
k expose pod web --port=80 --target-port=8080 >/dev/null
check "web runs" k wait --for=condition=Ready pod/web --timeout=30s
check "point it at a name inside" k patch svc my-service -p '{"spec":{"externalName":"web.dns-06.svc.cluster.local"}}'
soon "curl reaches web, which sees the name asked for" 'host=my-service.dns-06' \
    asked curl -s --max-time 5 http://my-service.dns-06
expect "from the command line" 'service/k8s created' k create service externalname k8s --external-name kubernetes.io
expect "the same kind of object" '^ExternalName kubernetes.io$' field svc/k8s '{.spec.type} {.spec.externalName}'

scenario DNS-09 "Headless and SRV records"
k create deployment many --image=registry.k8s.io/pause --replicas=3 --port=80 >/dev/null
check "an application with two names, and a pod that never is ready" k apply -f - <<'EOF'
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: many}, ports: [{name: http, port: 8080, targetPort: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: each}
spec: {selector: {app: many}, clusterIP: None, ports: [{name: http, port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: unready, labels: {app: many}}
spec:
  containers: [{name: c, image: nginx, readinessProbe: {exec: {command: ['false']}}}]
EOF
asker
check "it rolls out" k rollout status deployment/many --timeout=40s
check "expose it" k expose deployment many --port=80 --name=hl --cluster-ip=None
expect "CLUSTER-IP None" 'hl +ClusterIP +None ' k get svc hl
zone=dns-09.svc.cluster.local
pods() { k get pods -l pod-template-hash -o 'jsonpath={range .items[*]}{.status.podIP}{"\n"}{end}' | sort; }
soon "a pod that never is ready runs" '0/1 +Running' k get pod unready
soon "three addresses" '^3$' count dig +short "hl.$zone"
same "which are those of the ready pods" "$(pods)" "$(dig +short "hl.$zone" | sort)"
k scale deployment many --replicas=5 >/dev/null
soon "five" '^5$' count dig +short "hl.$zone"
expect "SRV of a named port" "^0 100 8080 web.$zone.\$" dig +short SRV "_http._tcp.web.$zone"
same "five of a headless one" 5 "$(dig +short SRV "_http._tcp.each.$zone" | grep -c "^0 [0-9]* 80 .*\.each\.$zone\.\$")"
target=$(dig +short SRV "_http._tcp.each.$zone" | sed -n '1s/.* //p')
expect "whose targets resolve" '^10\.244\.' dig +short "$target"
ip=$(pods | head -1)
expect "PTR of a headless one's pod" "\.$zone\.\$" dig +short -x "$ip"
expect "PTR of a ClusterIP" "^web.$zone.\$" dig +short -x "$(field svc/web '{.spec.clusterIP}')"
k scale deployment many --replicas=0 >/dev/null
soon "none: no such name" 'status: NXDOMAIN' dig "hl.$zone"

scenario DNS-10 "DNS for a pod on the host network"
check "pods with two policies" k apply -f - <<EOF
apiVersion: v1
kind: Pod
metadata: {name: busybox}
spec:
  hostNetwork: true
  dnsPolicy: ClusterFirstWithHostNet
  containers: [{name: busybox, image: 'busybox:1.28', command: [sleep, '3600']}]
---
apiVersion: v1
kind: Pod
metadata: {name: first}
spec:
  hostNetwork: true
  dnsPolicy: ClusterFirst
  containers: [{name: c, image: '$AGNHOST'}]
EOF
check "they run" k wait --for=condition=Ready pod/busybox pod/first --timeout=30s
same "the pod's address is its node's" "$(field pod/busybox '{.status.hostIP}')" "$(field pod/busybox '{.status.podIP}')"
expect "ClusterFirstWithHostNet finds names of the cluster" 'Address.*10\.96\.0\.1$' k exec busybox -- nslookup kubernetes.default
refused "ClusterFirst falls back to the node's resolver" 'NXDOMAIN' k exec first -- nslookup kubernetes.default.svc.cluster.local
finish
