#!/bin/bash
# Names of Services, answered in the coredns pods.
source "$(dirname "$0")/lib.sh"

start_lab
check "a Service in prod, and an asker in prod and default" k apply -f examples/08-names.yaml
check "coredns is ready" k -n kube-system rollout status deployment/coredns --timeout=30s
for ns in default prod; do
    check "the client in $ns is ready" \
        k -n $ns wait --for=condition=Ready pod/asker --timeout=30s
done
address=$(k -n prod get service database -o jsonpath='{.spec.clusterIP}')
resolve() { k -n "$1" exec asker -- getent ahostsv4 "$2"; }
unknown_now() { ! resolve "$@"; }

expect "a name in its own namespace" "^$address " resolve prod database
expect "with the namespace, from elsewhere" "^$address " resolve default database.prod
expect "with svc" "^$address " resolve default database.prod.svc
expect "in full" "^$address " resolve default database.prod.svc.cluster.local
refused "the bare name is unknown elsewhere" 'exit code 2' resolve default database
refused "a name without Service is unknown" 'exit code 2' resolve prod nothing
expect "the resolver's file has search path, server and ndots" \
    'search prod\.svc\.cluster\.local svc\.cluster\.local cluster\.local' \
    k -n prod exec asker -- cat /etc/resolv.conf
expect "names are answered by the kube-dns Service" 'nameserver 10\.96\.0\.10' \
    k -n prod exec asker -- cat /etc/resolv.conf
expect "coredns pods have logs" 'cluster\.local' \
    k -n kube-system logs -l k8s-app=kube-dns --tail=5
busybox_says() {
    k run "ask-$RANDOM" -i --rm --restart=Never --image=busybox -- "$@"
}
expect "busybox's nslookup" "Address: $address" busybox_says nslookup database.prod.svc.cluster.local
expect "wget -T ends in time" 'download timed out' busybox_says wget -qO- -T 1 http://203.0.113.77

check "coredns is scaled to 0" k -n kube-system scale deployment coredns --replicas=0
check "its pods go" k -n kube-system wait --for=delete pod -l k8s-app=kube-dns --timeout=30s
refused "names do not resolve any more" 'exit code 2' resolve prod database
check "coredns is scaled to 2" k -n kube-system scale deployment coredns --replicas=2
check "it is back" k -n kube-system rollout status deployment/coredns --timeout=30s
eventually "names resolve again" 10 "^$address " resolve prod database
check "the Service is deleted" k -n prod delete service database
check "its name goes with it" until_true 10 unknown_now prod database
finish
