#!/bin/bash
# Walkthroughs of node ports, load balancers and source addresses: asked from outside of the cluster.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/walk.sh"

start_lab
readonly NODES="172.30.0.2 172.30.0.3 172.30.0.4" CLIENT=203.0.113.10

scenario EXT-01 "Hello world on a node port"
check "a deployment of two" k apply -f - <<YAML
apiVersion: apps/v1
kind: Deployment
metadata: {name: hello-world}
spec:
  replicas: 2
  selector: {matchLabels: {run: load-balancer-example}}
  template:
    metadata: {labels: {run: load-balancer-example}}
    spec:
      containers:
      - name: hello-world
        image: us-docker.pkg.dev/google-samples/containers/gke/hello-app:2.0
        ports: [{containerPort: 8080, protocol: TCP}]
YAML
check "is rolled out" rolled_out hello-world
soon "kubectl shows 2/2" '^hello-world +2/2 +2 +2 ' k get deployments hello-world
described=$(k describe deployments hello-world)
for part in 'Replicas: +2 desired' 'StrategyType: +RollingUpdate' 'Pod Template:' 'Conditions:' \
    'ScalingReplicaSet'; do
    expect "describe says $part" "$part" echo "$described"
done
expect "its ReplicaSet" '^hello-world-[a-z0-9]+ +2 +2 +2 ' k get replicasets
expect "describes itself" 'Pods Status: +2 Running' k describe replicasets
check "exposed" k expose deployment hello-world --type=NodePort --name=example-service
soon "describe has two endpoints" 'Endpoints: +[0-9.]+:8080,[0-9.]+:8080' \
    k describe services example-service
described=$(k describe services example-service)
expect "the port" 'Port: +<unset> +8080/TCP' echo "$described"
expect "the node port" 'NodePort: +<unset> +3[0-9]{4}/TCP' echo "$described"
expect "the deployment's selector" 'Selector: +run=load-balancer-example' echo "$described"
same "two pods with their nodes" 2 \
    "$(k get pods --selector=run=load-balancer-example --output=wide | grep -c ' node-[123] ')"
port=$(field svc/example-service '{.spec.ports[0].nodePort}')
for node in $NODES; do
    soon "$node greets" 'Hello, world!' at client "http://$node:$port"
    answer=$(at client "http://$node:$port")
    expect "with its version" '^Version: 2\.0\.0$' echo "$answer"
    expect "and the pod's name" '^Hostname: hello-world-' echo "$answer"
done
check "the Service is deleted" k delete services example-service
check "and the deployment" k delete deployment hello-world
soon "the port is refused" "$REFUSED" at client "http://172.30.0.2:$port"
check "the pods go" k wait --for=delete pod --selector=run=load-balancer-example --timeout=40s

# An echo server, on node-2 only, and who asks it from node-1 and node-2.
echo_server() {
    k apply -f - <<YAML
apiVersion: apps/v1
kind: Deployment
metadata: {name: source-ip-app, labels: {app: source-ip-app}}
spec:
  selector: {matchLabels: {app: source-ip-app}}
  template:
    metadata: {labels: {app: source-ip-app}}
    spec:
      nodeSelector: {kubernetes.io/hostname: node-2}
      terminationGracePeriodSeconds: 1
      containers: [{name: echoserver, image: "registry.k8s.io/echoserver:1.10"}]
YAML
}
seen_by() { "$@" | sed -n 's/^\s*client_address=//p'; }
# seen_at ADDRESS...: whom the server sees when the outside client asks there; nobody is "-".
seen_at() {
    local where seen
    for where in "$@"; do
        seen=$(seen_by at client --connect-timeout 1 "http://$where" 2>/dev/null)
        echo "${seen:--}"
    done
}
is_seen() { # WANTED ADDRESS...
    local wanted=$1
    shift
    [ "$(seen_at "$@" | xargs)" = "$wanted" ]
}

scenario EXT-02 "Source address through a ClusterIP"
check "the tutorial's way to make it" \
    k create deployment source-ip-app --image=registry.k8s.io/echoserver:1.10
check "on a node that is known" k patch deployment source-ip-app -p \
    '{"spec":{"template":{"spec":{"nodeSelector":{"kubernetes.io/hostname":"node-2"}}}}}'
check "exposed" k expose deployment source-ip-app --name=clusterip --port=80 --target-port=8080
expect "as 80/TCP" '^clusterip +ClusterIP +[0-9.]+ +<none> +80/TCP' k get svc clusterip
check "is rolled out" rolled_out source-ip-app
ip=$(field svc/clusterip '{.spec.clusterIP}')
asked=$(k run busybox -i --image=busybox:1.28 --restart=Never --rm -- \
    sh -c "ip addr show eth0; wget -qO - $ip" 2>&1)
own=$(sed -n 's/^ *inet \([0-9.]*\).*/\1/p' <<<"$asked")
expect "a pod has one address on eth0" '^10\.244\.[0-9.]+$' echo "$own"
same "and is seen by it" "$own" "$(sed -n 's/^\s*client_address=//p' <<<"$asked")"
for node in 2 3; do client_pod client-$node node-$node >/dev/null; done
check "clients" ready pod/client-2 pod/client-3
same "on the server's node" "$(field pod/client-2 '{.status.podIP}')" \
    "$(seen_by from client-2 http://clusterip)"
same "on another one" "$(field pod/client-3 '{.status.podIP}')" \
    "$(seen_by from client-3 http://clusterip)"

expect "a node says its proxy's mode in one word" '^nftables$' \
    at node-2 http://localhost:10249/proxyMode

scenario EXT-03 "Source address through a node port: Cluster versus Local"
check "a server on node-2" echo_server
check "exposed" k expose deployment source-ip-app --name=nodeport --port=80 --target-port=8080 \
    --type=NodePort
client_pod client node-1 >/dev/null
check "is rolled out" rolled_out source-ip-app
port=$(k get -o 'jsonpath={.spec.ports[0].nodePort}' services nodeport)
same "the nodes' addresses" "$NODES" "$(k get nodes \
    -o 'jsonpath={ $.items[*].status.addresses[?(@.type=="InternalIP")].address }')"
places=$(for node in $NODES; do echo "$node:$port"; done)
# shellcheck disable=SC2086
check "each node answers and is seen itself" until_true 5 is_seen "$NODES" $places
check "Local" k patch svc nodeport -p '{"spec":{"externalTrafficPolicy":"Local"}}'
# shellcheck disable=SC2086
check "the pod's node answers, and the client itself is seen" \
    until_true 10 is_seen "- $CLIENT -" $places
expect "others are silent" "$TIMEOUT" at client --connect-timeout 1 "http://172.30.0.2:$port"
check "a client in the cluster" ready pod/client
expect "reaches its own node's port" 'client_address=' from client "http://172.30.0.2:$port"
expect "this machine reaches it, whatever node it is on" 'client_address=' \
    curl -sS --max-time 3 "http://$("$KIN" status --lab "$LAB" |
        awk -v s="$NS/nodeport" '$1 == s {print $4}')"

scenario EXT-04 "Source address and health port of a load balancer"
check "a server on node-2" echo_server
check "exposed" k expose deployment source-ip-app --name=loadbalancer --port=80 \
    --target-port=8080 --type=LoadBalancer
check "is rolled out" rolled_out source-ip-app
soon "an address is given" '^172\.30\.200\.' \
    field svc/loadbalancer '{.status.loadBalancer.ingress[0].ip}'
external=$(field svc/loadbalancer '{.status.loadBalancer.ingress[0].ip}')
soon "the client is seen as a node" '^172\.30\.0\.[234]$' seen_at "$external"
check "Local" k patch svc loadbalancer -p '{"spec":{"externalTrafficPolicy":"Local"}}'
expect "a health check port is given" 'healthCheckNodePort: 3[0-9]{4}' \
    sh -c "'$KIN' kubectl --lab $LAB -n $NS get svc loadbalancer -o yaml | grep -i healthCheckNodePort"
health=$(field svc/loadbalancer '{.spec.healthCheckNodePort}')
for number in 1 2 3; do
    wanted='503 .*"localEndpoints": ?0'
    [ $number = 2 ] && wanted='200 .*"localEndpoints": ?1'
    soon "node-$number says $wanted" "$wanted" sh -c \
        "'$KIN' exec --lab $LAB node-$number -- curl -si --max-time 3 http://172.30.0.$((number + 1)):$health/healthz | tr -d '\r\n\t'"
done
expect "and on localhost, as the tutorial asks" '"localEndpoints": ?1' \
    at node-2 "http://localhost:$health/healthz"
check "soon the client itself is seen" until_true 10 is_seen "$CLIENT" "$external"
answers=$(on client sh -c "$(repeat 20 "http://$external")") && ok "no request fails" ||
    bad "no request fails"
same "of twenty" 20 "$(grep -c "client_address=$CLIENT\$" <<<"$answers")"
check "Cluster" k patch svc loadbalancer -p '{"spec":{"externalTrafficPolicy":"Cluster"}}'
same "the health check port is gone" "" "$(field svc/loadbalancer '{.spec.healthCheckNodePort}')"
soon "and closed" "$REFUSED" at node-2 "http://172.30.0.3:$health/healthz"
for type in ClusterIP NodePort; do
    k expose deployment source-ip-app --name="${type,,}" --port=80 --type=$type >/dev/null
done
deleted=$(k delete svc -l app=source-ip-app 2>&1)
for name in clusterip nodeport loadbalancer; do
    expect "$name is deleted by its label" "\"$name\" deleted" echo "$deleted"
done
check "and the deployment" k delete deployment source-ip-app

scenario EXT-05 "Five pods behind one external address"
check "a deployment of five" k apply -f - <<YAML
apiVersion: apps/v1
kind: Deployment
metadata: {name: hello-world, labels: {app: hello}}
spec:
  replicas: 5
  selector: {matchLabels: {app: hello}}
  template:
    metadata: {labels: {app: hello}}
    spec:
      containers:
      - {name: hello, image: "gcr.io/google-samples/hello-app:2.0", ports: [{containerPort: 8080}]}
YAML
check "exposed" k expose deployment hello-world --type=LoadBalancer --name=my-service
check "is rolled out" rolled_out hello-world
soon "it is 5/5" '^hello-world +5/5 +5 +5 ' k get deployments hello-world
expect "describe says so" 'Replicas: +5 desired' k describe deployments hello-world
expect "and its ReplicaSet" '^hello-world-[a-z0-9]+ +5 +5 +5 ' k get replicasets
soon "an address and both ports" \
    '^my-service +LoadBalancer +10\.96\.[0-9.]+ +172\.30\.200\.[0-9]+ +8080:3[0-9]{4}/TCP' \
    k get services my-service
external=$(field svc/my-service '{.status.loadBalancer.ingress[0].ip}')
described=$(k describe services my-service)
expect "describe has the address" "LoadBalancer Ingress: +$external" echo "$described"
expect "and three endpoints, with two more" \
    'Endpoints: +([0-9.]+:8080,){2}[0-9.]+:8080 \+ 2 more\.\.\.' echo "$described"
same "five addresses" 5 "$(distinct lines "pods -l app=hello" '{.status.podIP}')"
same "on all nodes" 3 "$(distinct lines "pods -l app=hello" '{.spec.nodeName}')"
check "it answers" until_true 5 at client "http://$external:8080"
answers=$(on client sh -c "$(repeat 40 "http://$external:8080")")
same "forty greetings" 40 "$(grep -c 'Hello, world!' <<<"$answers")"
same "of this version" 40 "$(grep -c 'Version: 2\.0\.0' <<<"$answers")"
check "of four pods at least" test "$(grep Hostname <<<"$answers" | sort -u | wc -l)" -ge 4
check "the Service is deleted" k delete services my-service
check "and the deployment" k delete deployment hello-world
soon "nobody answers" '\((7|28)\) ' at client "http://$external:8080"

scenario EXT-06 "Two differently named pods behind one load balancer"
check "two pods and a Service" k apply -f - <<YAML
$(for name in foo-app bar-app; do
    printf -- '---\nkind: Pod\napiVersion: v1\nmetadata: {name: %s, labels: {app: http-echo}}\n' $name
    printf 'spec: {containers: [{name: c, image: %s,\n' $AGNHOST
    printf '  command: [/agnhost, serve-hostname, --http=true, --port=8080]}]}\n'
done)
---
kind: Service
apiVersion: v1
metadata: {name: foo-service}
spec: {type: LoadBalancer, selector: {app: http-echo}, ports: [{port: 5678, targetPort: 8080}]}
YAML
check "are ready" ready pod --all
soon "an address" '^172\.30\.200\.' field svc/foo-service '{.status.loadBalancer.ingress[0].ip}'
external=$(field svc/foo-service '{.status.loadBalancer.ingress[0].ip}')
check "it answers" until_true 5 at client "http://$external:5678"
same "both answer" "bar-app foo-app" \
    "$(on client sh -c "$(repeat 20 "http://$external:5678")" | sort -u | xargs)"

scenario EXT-10 "Fixed node port and low-numbered load-balancer ports"
check "a manifest of another system, with its line ends" k apply -f <(sed 's/$/\r/' <<YAML
apiVersion: apps/v1
kind: Deployment
metadata:
  name: fixed
spec:
  selector:
    matchLabels:
      app: fixed
  replicas: 2
  template:
    metadata:
      labels:
        app: fixed
    spec:
      containers:
        - name: web
          image: ranchertest/mytestcontainer
          ports:
            - containerPort: 80
---
apiVersion: v1
kind: Service
metadata:
  name: fixed
spec:
  type: NodePort
  ports:
    - port: 80
      nodePort: 30096
      name: http
  selector:
    app: fixed
YAML
)
check "is rolled out" rolled_out fixed
same "the port is the one asked for" 30096 "$(field svc/fixed '{.spec.ports[0].nodePort}')"
for node in $NODES; do
    soon "$node answers" 'Welcome to nginx' at client "http://$node:30096/"
done
nginx_config() {
    cat <<'YAML'
---
apiVersion: v1
kind: ConfigMap
metadata: {name: nginx-config}
data:
  default.conf: |
    server {
        listen 80;
        location /ip {
            return 200 "$remote_addr\n";
        }
        location / {
            root /usr/share/nginx/html;
        }
    }
YAML
}
check "a shell that writes pages and serves them" k apply -f - <<YAML
$(nginx_config)
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: pages}
spec:
  selector: {matchLabels: {app: pages}}
  replicas: 2
  template:
    metadata: {labels: {app: pages}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: nginx
        image: rancher/mirrored-library-busybox:1.37.0
        args: [sh, -c, "echo 'Welcome to nginx!' > index.html; hostname > name.html; httpd -vvf"]
        ports: [{containerPort: 80}]
---
apiVersion: v1
kind: Service
metadata: {name: pages}
spec: {type: LoadBalancer, ports: [{port: 81, targetPort: 80, name: http}], selector: {app: pages}}
YAML
check "is rolled out" rolled_out pages
soon "an address" '^172\.30\.200\.' field svc/pages '{.status.loadBalancer.ingress[0].ip}'
external=$(field svc/pages '{.status.loadBalancer.ingress[0].ip}')
soon "the page has the pod's name" '^pages-' at client "http://$external:81/name.html"
expect "and / greets" 'Welcome to nginx!' at client "http://$external:81/"
expect "the ConfigMap comes again" 'configmap/nginx-config unchanged' k apply -f <(nginx_config)
check "a server that says who asks" k apply -f - <<YAML
apiVersion: apps/v1
kind: Deployment
metadata: {name: ext}
spec:
  selector: {matchLabels: {app: ext}}
  template:
    metadata: {labels: {app: ext}}
    spec:
      containers:
      - name: nginx
        image: ranchertest/mytestcontainer
        ports: [{containerPort: 80}]
        volumeMounts: [{name: config, mountPath: /etc/nginx/conf.d}]
      volumes: [{name: config, configMap: {name: nginx-config}}]
---
apiVersion: v1
kind: Service
metadata: {name: ext}
spec:
  type: LoadBalancer
  externalTrafficPolicy: Local
  ports: [{port: 82, targetPort: 80, name: http}]
  selector: {app: ext}
YAML
check "is rolled out" rolled_out ext
soon "an address" '^172\.30\.200\.' field svc/ext '{.status.loadBalancer.ingress[0].ip}'
external=$(field svc/ext '{.status.loadBalancer.ingress[0].ip}')
soon "it is the outside client" "^$CLIENT\$" at client "http://$external:82/ip"

scenario EXT-12 "Asking for a node port"
node_port() { # NAME PORT
    k create -f - <<YAML
apiVersion: v1
kind: Service
metadata: {name: $1}
spec:
  type: NodePort
  selector: {app.kubernetes.io/name: MyApp}
  ports: [{port: 80, targetPort: 80, nodePort: $2}]
YAML
}
check "30007" node_port my-service 30007
expect "is given" '80:30007/TCP' k get svc my-service
soon "without pods it is refused at once" "$REFUSED" at client http://172.30.0.2:30007
refused "nobody else gets it" 'Invalid value: 30007: provided port is already allocated' \
    node_port second 30007
for port in 80 40000; do
    refused "nor $port" 'not in the valid range.*30000-32767' node_port second $port
done
check "but UDP of that number, of the same Service" k patch svc my-service -p \
    '{"spec":{"ports":[{"name":"tcp","port":80,"nodePort":30007},
                       {"name":"udp","port":80,"nodePort":30007,"protocol":"UDP"}]}}'
check "the first is deleted" k delete svc my-service
check "so the second is accepted" node_port second 30007
check "ten without a number" k apply -f <(for i in $(seq 10); do
    printf -- '---\napiVersion: v1\nkind: Service\nmetadata: {name: any-%s}\n' "$i"
    printf 'spec: {type: NodePort, ports: [{port: 80}]}\n'
done)
given=$(lines svc '{.metadata.name} {.spec.ports[0].nodePort}' | sed -n 's/^any-[0-9]* //p')
same "get ten" 10 "$(sort -u <<<"$given" | wc -l)"
same "of the upper band" 0 "$(awk '$1 < 30086' <<<"$given" | wc -l)"

scenario EXT-14 "External IPs on a Service"
check "a server" server_pod server app=little
check "is ready" ready pod/server
check "with the address of a node" k expose pod server --port=80 --target-port=8080 \
    --external-ip=172.30.0.3
expect "kubectl shows it" '^server +ClusterIP +[0-9.]+ +172\.30\.0\.3 +80/TCP' k get svc server
soon "it answers outside" '^server$' at client http://172.30.0.3/hostname
check "taken away" k patch svc server --type=json -p '[{"op":"remove","path":"/spec/externalIPs"}]'
soon "it is refused" "$REFUSED" at client http://172.30.0.3/hostname

scenario SVC-20 "Keeping cluster traffic on the node"
check "a server on node-2" server_pod server app=int node-2
for node in 2 3; do client_pod client-$node node-$node >/dev/null; done
check "and clients" ready pod --all
check "a Service that stays on the node" k apply -f - <<YAML
apiVersion: v1
kind: Service
metadata: {name: int}
spec:
  type: LoadBalancer
  internalTrafficPolicy: Local
  ports: [{port: 83, targetPort: 8080, name: http}]
  selector: {app: int}
YAML
soon "the client on the node is served" '^server$' from client-2 http://int:83/hostname
expect "the other one is not heard" "$TIMEOUT" from client-3 http://int:83/hostname --max-time 1
soon "an address" '^172\.30\.200\.' field svc/int '{.status.loadBalancer.ingress[0].ip}'
external=$(field svc/int '{.status.loadBalancer.ingress[0].ip}')
soon "outside it works" '^server$' at client "http://$external:83/hostname"
check "Cluster" k patch svc int -p '{"spec":{"internalTrafficPolicy":"Cluster"}}'
soon "both work" '^server$' from client-3 http://int:83/hostname
expect "outside, too" '^server$' at client "http://$external:83/hostname"

end_scenario
gone() { [ -z "$(k get namespaces -o name | grep -E 'ext-|svc-')" ]; }
check "all namespaces go" until_true 40 gone
# The ingress controller's Service, which every lab has, stays.
routes() { on router ip route | grep -o '^172\.30\.200\.[0-9]*' | tr '\n' ' '; }
kept=$(k get svc -n ingress-nginx ingress-nginx-controller -o 'jsonpath={.status.loadBalancer.ingress[0].ip} ')
only_kept() { [ "$(routes)" = "$kept" ]; }
check "no other load balancer is left on the router" until_true 5 only_kept
same "nothing else is published" "" \
    "$("$KIN" status --lab "$LAB" --json | sed -n 's/.*"service": "\(.*\)".*/\1/p' | grep -v '^ingress-nginx/')"
finish
