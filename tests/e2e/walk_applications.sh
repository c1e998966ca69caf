#!/bin/bash
# Walkthroughs of group K: whole applications, as their projects' files put them together.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/soon.sh"

AGNHOST=registry.k8s.io/e2e-test-images/agnhost:2.40
T=$(mktemp -d /tmp/kin-apps.XXXXXX)
source "$(dirname "$0")/forward.sh"
none() { [ -z "$("$@" -o name 2>/dev/null)" ]; } # none k get KIND
local_page() { curl -s --noproxy '*' --max-time 5 "http://127.0.0.1:${PORTS[0]}$1"; }
# app NAME TIER REPLICAS IMAGE PORT [MORE...]: a Deployment; MORE are further fields of its container.
app() {
    local more=
    [ -z "${5:-}" ] || more=", ports: [{containerPort: $5}]"
    [ -z "${6:-}" ] || more+=", $6"
    cat <<EOF
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: $1, labels: {app: $1, tier: $2}}
spec:
  replicas: $3
  selector: {matchLabels: {app: $1, tier: $2}}
  template:
    metadata: {labels: {app: $1, tier: $2}}
    spec:
      containers:
      - {name: $1, image: '$4'$more}
EOF
}
# service NAME PORT TARGET [MORE...]: the Service of an app; MORE are further fields of its spec.
service() {
    local node_port=${5:+", nodePort: $5"}
    cat <<EOF
---
apiVersion: v1
kind: Service
metadata: {name: $1, labels: {app: $1}}
spec: {selector: {app: $1}, ports: [{port: $2, targetPort: $3$node_port}]${4:+, $4}}
EOF
}
in_a_line() { "$@" | xargs -d '\n'; } # in_a_line COMMAND: its lines, joined
rolled() { for one in "$@"; do k rollout status "deployment/$one" --timeout=30s || return 1; done; }

start_lab

scenario APP-01 "Guestbook with PHP and Redis"
check "the leader" k apply -f - < <(app redis-leader backend 1 docker.io/redis:6.0.5 6379; service redis-leader 6379 6379)
check "is there" rolled redis-leader
expect "its log begins" 'Ready to accept connections' k logs deployment/redis-leader
check "followers" k apply -f - < <(app redis-follower backend 2 us-docker.pkg.dev/google-samples/containers/gke/gb-redis-follower:v2 6379
    service redis-follower 6379 6379)
check "the frontend" k apply -f - < <(app frontend frontend 3 us-docker.pkg.dev/google-samples/containers/gke/gb-frontend:v5 80 \
    'env: [{name: GET_HOSTS_FROM, value: dns}]'; service frontend 80 80)
check "are there" rolled redis-follower frontend
same "six pods" 6 "$(k get pods --field-selector=status.phase=Running -o name | wc -l)"
expect "the Services" 'frontend .* 80/TCP' k get service
expect "their ports" 'redis-follower .* 6379/TCP' k get service
forward svc/frontend :80
soon "a write goes to the leader" '"message": "Updated"' local_page '/guestbook.php?cmd=set&value=hello'
soon "and is read from a follower" '"data": "hello"' local_page '/guestbook.php?cmd=get'
expect "a page of HTML" '<html>' local_page /
check "more frontends" k scale deployment frontend --replicas=5
check "are there" rolled frontend
same "five" 5 "$(k get pods -l app=frontend -l tier=frontend -o name | wc -l)"
check "fewer" k scale deployment frontend --replicas=2
soon "two" '^2$' eval 'k get pods -l app=frontend -o name | wc -l'
unforward
forward svc/frontend :80
soon "the data is still there" '"data": "hello"' local_page '/guestbook.php?cmd=get'
unforward
leader=$(field "pods -l app=redis-leader" '{.items[0].metadata.name}')
address=$(field svc/redis-leader '{.spec.clusterIP}')
check "delete the leader's pod" k delete pod "$leader" --timeout=40s
check "another one comes" rolled redis-leader
same "the Service keeps its address" "$address" "$(field svc/redis-leader '{.spec.clusterIP}')"
k delete deployment,service --all --timeout=30s >/dev/null
soon "all goes" "No resources found in $NS namespace" k get pods

scenario APP-03 "Guestbook made of agnhost"
check "all" k apply -f - < <(
    app agnhost-primary backend 1 $AGNHOST 6379 'args: [guestbook, --http-port, "6379"]'
    app agnhost-replica backend 2 $AGNHOST 6379 'args: [guestbook, --replicaof, agnhost-primary, --http-port, "6379"]'
    app frontend frontend 3 $AGNHOST 80 'args: [guestbook, --backend-port, "6379"]'
    service agnhost-primary 6379 6379
    service agnhost-replica 6379 6379
    service frontend 80 80
)
check "are there" rolled agnhost-primary agnhost-replica frontend
k run probe --image=$AGNHOST >/dev/null
check "a pod that asks" k wait --for=condition=Ready pod/probe --timeout=30s
same "both replicas found their primary" 2 "$(k logs -l app=agnhost-replica | grep -c 'Registered to node: agnhost-primary')"
ask() { k exec probe -- curl -s --max-time 5 "http://frontend/guestbook?$1"; }
soon "nothing is there" '^\{"data":("")?(\{\})?\}' ask cmd=get
soon "an entry" '^\{"message":"Updated"\}' ask 'cmd=set&key=messages&value=TestEntry'
for _ in $(seq 10); do ask 'cmd=get&key=messages'; echo; done | sort | uniq -c | xargs >"$T/ten"
expect "ten times there" '^10 \{"?data"?:"?TestEntry"?\}$' tr -d '"' <"$T/ten"
check "a frontend that asks a port where nobody listens" k set env deployment/frontend X=1
k patch deployment frontend --type=json -p \
    '[{"op":"replace","path":"/spec/template/spec/containers/0/args","value":["guestbook","--backend-port","8080"]}]' >/dev/null
check "rolls out" rolled frontend
expect "417, and says so" 'encountered error.*417' in_a_line k exec probe -- curl -s --max-time 5 -w '%{http_code}' \
    'http://frontend/guestbook?cmd=get&key=messages'

scenario APP-06 "Voting app"
mkdir "$T/specifications"
(
    cd "$T/specifications" || exit
    app db back 1 postgres:15-alpine 5432 \
        'env: [{name: POSTGRES_USER, value: postgres}, {name: POSTGRES_PASSWORD, value: postgres}]' >db-deployment.yaml
    service db 5432 5432 >db-service.yaml
    app redis back 1 redis:alpine 6379 >redis-deployment.yaml
    service redis 6379 6379 >redis-service.yaml
    app vote front 1 dockersamples/examplevotingapp_vote 80 >vote-deployment.yaml
    service vote 8080 80 'type: NodePort' 31000 >vote-service.yaml
    app result front 1 dockersamples/examplevotingapp_result 80 >result-deployment.yaml
    service result 8081 80 'type: NodePort' 31001 >result-service.yaml
    app worker back 1 dockersamples/examplevotingapp_worker "" >worker-deployment.yaml
)
same "a directory of nine objects" 9 "$(k create -f "$T/specifications/" | grep -c created)"
check "five applications" rolled db redis vote result worker
for node in 1 2 3; do
    address=$(field "node/node-$node" '{.status.addresses[0].address}')
    for port in 31000 31001; do
        soon "node-$node:$port from outside" '^200$' on client curl -s -o /dev/null -w '%{http_code}' --max-time 5 "http://$address:$port"
    done
done
outside() { on client curl -s --max-time 5 "$@"; }
expect "the ballot" 'Cats.*Dogs|name="vote"' outside "http://$address:31000"
for vote in a a b; do outside -o /dev/null --data "vote=$vote" "http://$address:31000"; done
soon "the worker counts, the result shows" 'Cats: 2.*Dogs: 1' in_a_line outside "http://$address:31001"
k run probe --image=$AGNHOST >/dev/null
check "a pod that asks" k wait --for=condition=Ready pod/probe --timeout=30s
check "db:5432 accepts" k exec probe -- nc -z -w 3 db 5432
expect "redis:6379 answers PING" 'PONG' k run ping -i --rm -q --restart=Never --image=redis:alpine -- redis-cli -h redis ping
k delete pod probe --now --wait=false >/dev/null
same "nine are deleted" 9 "$(k delete -f "$T/specifications/" --timeout=40s | grep -c deleted)"
soon "the ports refuse" 'refused|Failed to connect' on client curl -sS --max-time 3 "http://$address:31000"

scenario APP-10 "httpbin, a curl pod and a TCP echo"
check "all" k apply -f - < <(
    app httpbin a 1 docker.io/mccutchen/go-httpbin:v2.15.0 8080
    service httpbin 8000 8080
    app tcp-echo a 1 registry.istio.io/release/tcp-echo-server:1.3 9000 'args: ["9000,9001,9002", hello]'
    cat <<'EOF'
---
apiVersion: v1
kind: Service
metadata: {name: tcp-echo}
spec: {selector: {app: tcp-echo}, ports: [{name: tcp, port: 9000}, {name: tcp-other, port: 9001}]}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: curl}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: curl}
spec:
  selector: {matchLabels: {app: curl}}
  template:
    metadata: {labels: {app: curl}}
    spec:
      terminationGracePeriodSeconds: 0
      serviceAccountName: curl
      containers:
      - name: curl
        image: docker.io/curlimages/curl:8.16.0
        command: [/bin/sleep, infinity]
        volumeMounts: [{name: secret-volume, mountPath: /etc/curl/tls}]
      volumes: [{name: secret-volume, secret: {secretName: curl-secret, optional: true}}]
EOF
)
check "they run, the curl pod without its Secret" rolled httpbin tcp-echo curl
httpbin() { k exec deploy/curl -c curl -- curl -sS --max-time 10 "http://httpbin:8000$1" "${@:2}"; }
soon "/headers" '"Host": *\[?"?[[:space:]]*"httpbin:8000"' in_a_line httpbin /headers
expect "/status/418" '^418$' httpbin /status/418 -o /dev/null -w '%{http_code}\n'
expect "/ip" "$(field "pods -l app=curl" '{.items[0].status.podIP}')" httpbin /ip
expect "/delay/2 takes 2 s" '^2$' eval "httpbin /delay/2 -o /dev/null -w '%{time_total}\n' | cut -d. -f1"
expect "/get" '"x":' httpbin '/get?x=1'
expect "/post" '"data": *"some words"|some words' httpbin /post -d 'some words'
expect "/anything" '"method": *"PUT"' httpbin /anything -X PUT
echoed() { k run "dummy-$RANDOM" -i --rm -q --restart=Never --image=busybox -- sh -c "echo world | nc -w 3 $1"; }
expect "a line comes back" '^hello world$' echoed 'tcp-echo 9000'
expect "from the other port as well" '^hello world$' echoed 'tcp-echo 9001'
refused "9002 is no port of the Service" . k exec deploy/curl -- curl -sS --max-time 3 telnet://tcp-echo:9002
expect "but one of the pod" '^hello world$' echoed "$(field "pods -l app=tcp-echo" '{.items[0].status.podIP}') 9002"

scenario APP-04 "Bookinfo without the mesh"
# reviews of three versions behind one Service, so its label is not the deployment's name.
bookinfo=registry.istio.io/release/examples-bookinfo
check "all" k apply -f - < <(
    app details a 1 $bookinfo-details-v1:1.20.3 9080
    app ratings a 1 $bookinfo-ratings-v1:1.20.3 9080
    app productpage a 1 $bookinfo-productpage-v1:1.20.3 9080
    for version in v1 v2 v3; do
        app reviews $version 1 $bookinfo-reviews-$version:1.20.3 9080 | sed "s/metadata: {name: reviews,/metadata: {name: reviews-$version,/"
    done
    for name in details ratings productpage reviews; do service $name 9080 9080; done
)
check "six pods" rolled details ratings productpage reviews-v1 reviews-v2 reviews-v3
from_ratings() { k exec deploy/ratings -c ratings -- curl -sS --max-time 5 "$@"; }
soon "the product page's title" '<title>Simple Bookstore App</title>' from_ratings productpage:9080/productpage
expect "details" '"author"' from_ratings http://details:9080/details/0
expect "ratings" '"Reviewer1": ?5' from_ratings http://ratings:9080/ratings/0
kinds() { for _ in $(seq 20); do echo 'next
url = "http://reviews:9080/reviews/0"
header = "Connection: close"
write-out = "\n"'; done | sed 1d | k exec -i deploy/ratings -- curl -sS --max-time 5 -K - | grep -o '"color": *"[a-z]*"\|"rating"' | sort -u | xargs; }
soon "three variants of reviews" 'color:black color:red' kinds
service reviews-v1 9080 9080 | sed 's/selector: {app: reviews-v1}/selector: {app: reviews, tier: v1}/' | k apply -f - >/dev/null
soon "version 1 alone" '"reviewer"' from_ratings http://reviews-v1:9080/reviews/0
same "has no ratings" 0 "$(from_ratings http://reviews-v1:9080/reviews/0 | grep -c rating)"
rm -rf "$T"
finish
