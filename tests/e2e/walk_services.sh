#!/bin/bash
# Walkthroughs of Services inside the cluster, as tutorials type them.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/walk.sh"

start_lab

# A web server that is called after the tutorials' one.
nginx_deployment() {
    k apply -f - <<YAML
apiVersion: apps/v1
kind: Deployment
metadata: {name: my-nginx}
spec:
  replicas: 2
  selector: {matchLabels: {run: my-nginx}}
  template:
    metadata: {labels: {run: my-nginx}}
    spec:
      containers:
      - {name: web, image: nginx, ports: [{containerPort: 80}]}
YAML
}
addresses_of() { lines "pods -l $1" '{.status.podIP}' | sort; }

scenario SVC-01 "Two web servers behind one ClusterIP"
check "a deployment of two" nginx_deployment
client_pod client >/dev/null
check "is rolled out" rolled_out my-nginx
ready pod/client >/dev/null
same "on two nodes" 2 "$(distinct lines "pods -l run=my-nginx" '{.spec.nodeName}')"
same "with two addresses" 2 "$(distinct addresses_of run=my-nginx)"
same "that are in podIPs too" "$(addresses_of run=my-nginx)" \
    "$(lines "pods -l run=my-nginx" '{.status.podIPs[*].ip}' | sort)"
for node in node-1 node-2 node-3; do
    for address in $(addresses_of run=my-nginx); do
        expect "$node reaches $address" 'Welcome to nginx!' at $node "http://$address"
    done
    expect "nothing listens on port 80 of $node itself" "$REFUSED" at $node http://127.0.0.1
done
expect "expose takes the container's port" 'service/my-nginx exposed' k expose deployment/my-nginx
expect "a ClusterIP of the range" 'ClusterIP +10\.96\.[0-9.]+ +<none> +80/TCP' k get svc my-nginx
cluster_ip=$(field svc/my-nginx '{.spec.clusterIP}')
wanted=$(addresses_of run=my-nginx | sed 's/$/:80/')
check "its endpoints come" until_true 5 test -n "$(endpoints_of my-nginx)"
same "they are the two pods" "$wanted" "$(endpoints_of my-nginx)"
described=$(k describe svc my-nginx)
expect "describe has the selector" 'Selector: +run=my-nginx' echo "$described"
expect "and the target port" 'TargetPort: +80/TCP' echo "$described"
expect "and the endpoints" "Endpoints: +(${wanted//$'\n'/,}|$(tac <<<"$wanted" | paste -sd,))" \
    echo "$described"
expect "and no affinity" 'Session Affinity: +None' echo "$described"
expect "there is one slice, of IPv4, with port 80" \
    '^my-nginx-\w+ +IPv4 +80 +[0-9.]+,[0-9.]+ ' \
    k get endpointslices -l kubernetes.io/service-name=my-nginx
same "one only" 1 "$(k get endpointslices -l kubernetes.io/service-name=my-nginx -o name | wc -l)"
for host in node-1 node-2 node-3; do
    same "ten requests of $host are answered" 10 \
        "$(on $host sh -c "$(repeat 10 "http://$cluster_ip:80")" | grep -c 'Welcome to nginx!</h1>')"
done
same "and ten of a pod" 10 \
    "$(in_pod client sh -c "$(repeat 10 "http://$cluster_ip:80")" | grep -c 'Welcome to nginx!</h1>')"
looked_up=$(k run curl --image=radial/busyboxplus:curl -i --rm --restart=Never -- nslookup my-nginx 2>&1)
expect "the cluster's DNS answers" '10\.96\.0\.10' echo "$looked_up"
expect "with the ClusterIP" "$cluster_ip" echo "$looked_up"
exposed=$(field svc/my-nginx '{.spec.ports}{.spec.selector}{.spec.type}')
check "the same from a manifest" k delete svc my-nginx
check "applied" k apply -f - <<YAML
apiVersion: v1
kind: Service
metadata: {name: my-nginx, labels: {run: my-nginx}}
spec:
  selector: {run: my-nginx}
  ports: [{port: 80, protocol: TCP}]
YAML
same "is the same Service" "$exposed" "$(field svc/my-nginx '{.spec.ports}{.spec.selector}{.spec.type}')"

scenario SVC-02 "Service environment variables depend on creation order"
check "pods first" nginx_deployment
check "they run" rolled_out my-nginx
check "then the Service" k expose deployment/my-nginx
services_in() { in_pod "$1" printenv | grep SERVICE | sort; }
first_pod() { lines "pods -l run=my-nginx --field-selector=status.phase=Running" '{.metadata.name}' | head -1; }
pod=$(first_pod)
same "an older pod knows the API only" \
    "KUBERNETES_SERVICE_HOST=10.96.0.1
KUBERNETES_SERVICE_PORT=443
KUBERNETES_SERVICE_PORT_HTTPS=443" "$(services_in "$pod")"
check "scaled to 0" k scale deployment my-nginx --replicas=0
check "the pods go" k wait --for=delete pod -l run=my-nginx --timeout=30s
check "scaled to 2" k scale deployment my-nginx --replicas=2
check "they run" rolled_out my-nginx
pod=$(first_pod)
ip=$(field svc/my-nginx '{.spec.clusterIP}')
environment=$(in_pod "$pod" printenv)
for variable in "SERVICE_HOST=$ip" SERVICE_PORT=80 "PORT=tcp://$ip:80" "PORT_80_TCP=tcp://$ip:80" \
    PORT_80_TCP_PROTO=tcp PORT_80_TCP_PORT=80 "PORT_80_TCP_ADDR=$ip"; do
    expect "a new pod has MY_NGINX_$variable" "^MY_NGINX_$variable\$" echo "$environment"
done
check "a pod without service links" k run quiet --image=busybox --overrides \
    '{"spec":{"enableServiceLinks":false,"terminationGracePeriodSeconds":0}}' --command -- sleep 600
check "runs" ready pod/quiet
expect "knows the API" '^KUBERNETES_SERVICE_HOST=' services_in quiet
same "and no other Service" 0 "$(services_in quiet | grep -c MY_NGINX)"

scenario SVC-03 "HTTPS web server from a Secret and a ConfigMap"
check "a key and its certificate" openssl req -x509 -nodes -days 2 -newkey rsa:2048 \
    -keyout "/tmp/$LAB.key" -out "/tmp/$LAB.crt" -subj /CN=my-nginx/O=my-nginx
check "a Secret of both" \
    k create secret tls nginxsecret --key "/tmp/$LAB.key" --cert "/tmp/$LAB.crt"
expect "of their type" '^nginxsecret +kubernetes.io/tls +2 ' k get secrets
cat >"/tmp/$LAB.conf" <<'CONF'
server {
    listen 80 default_server;
    listen 443 ssl;
    root /usr/share/nginx/html;
    index index.html;
    server_name localhost;
    ssl_certificate /etc/nginx/ssl/tls.crt;
    ssl_certificate_key /etc/nginx/ssl/tls.key;
    location / {
        try_files $uri $uri/ =404;
    }
}
CONF
check "a ConfigMap of the server's file" \
    k create configmap nginxconfigmap --from-file=default.conf="/tmp/$LAB.conf"
expect "describe shows it" 'ssl_certificate_key' k describe configmap nginxconfigmap
check "server, Service, and a client that knows the certificate" k create -f - <<YAML
apiVersion: v1
kind: Service
metadata: {name: my-nginx}
spec:
  type: NodePort
  ports:
  - {port: 8080, targetPort: 80, name: http}
  - {port: 443, name: https}
  selector: {run: my-nginx}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: my-nginx}
spec:
  selector: {matchLabels: {run: my-nginx}}
  template:
    metadata: {labels: {run: my-nginx}}
    spec:
      volumes:
      - {name: secret, secret: {secretName: nginxsecret}}
      - {name: config, configMap: {name: nginxconfigmap}}
      containers:
      - name: web
        image: bprashanth/nginxhttps:1.0
        ports: [{containerPort: 443}, {containerPort: 80}]
        volumeMounts:
        - {mountPath: /etc/nginx/ssl, name: secret}
        - {mountPath: /etc/nginx/conf.d, name: config}
---
apiVersion: v1
kind: Pod
metadata: {name: curlpod}
spec:
  terminationGracePeriodSeconds: 0
  volumes: [{name: secret, secret: {secretName: nginxsecret}}]
  containers:
  - name: curlpod
    image: radial/busyboxplus:curl
    command: [sh, -c, "while true; do sleep 1; done"]
    volumeMounts: [{mountPath: /etc/nginx/ssl, name: secret}]
YAML
check "is rolled out" rolled_out my-nginx
check "the client runs" ready pod/curlpod
address=$(addresses_of run=my-nginx)
expect "a node gets the page by TLS" 'Welcome to nginx!' at node-1 -k "https://$address"
expect "with our certificate" 'subject: CN ?= ?my-nginx' at node-1 -kv "https://$address"
soon "the name is the certificate's" 'Welcome to nginx!' \
    from curlpod https://my-nginx --cacert /etc/nginx/ssl/tls.crt
ports=$(field svc/my-nginx '{.spec.ports[*].nodePort}')
expect "two node ports" '^3[0-9]{4} 3[0-9]{4}$' echo "$ports"
expect "TLS from outside" 'Welcome to nginx!' at client -k "https://172.30.0.3:${ports#* }"
expect "and without it" 'Welcome to nginx!' at client "http://172.30.0.3:${ports% *}"
check "a LoadBalancer, by an editor" env KUBE_EDITOR="sed -i 's/type: NodePort/type: LoadBalancer/'" \
    "$KIN" kubectl --lab "$LAB" -n "$NS" edit svc my-nginx
soon "an address" '^172\.30\.200\.' field svc/my-nginx '{.status.loadBalancer.ingress[0].ip}'
soon "answers by TLS" 'Welcome to nginx!' \
    at client -k "https://$(field svc/my-nginx '{.status.loadBalancer.ingress[0].ip}')"

scenario SVC-06 "Pod plus Service in one command, then ClusterIP to NodePort"
created=$(k run nginx --image=nginx --restart=Never --port=80 --expose 2>&1)
expect "the Service is created" 'service/nginx created' echo "$created"
expect "and the pod" 'pod/nginx created' echo "$created"
check "it is ready" ready pod/nginx
same "the Service selects it" '{"run":"nginx"}' "$(field svc/nginx '{.spec.selector}')"
address=$(field pod/nginx '{.status.podIP}')
soon "one endpoint" "^nginx +$address:80 " k get endpoints nginx
ip=$(k get svc nginx '--template={{.spec.clusterIP}}')
expect "a pod that is removed afterwards gets the page" 'Welcome to nginx!' \
    k run busybox --rm --image=busybox -i --restart=Never --env="IP=$ip" -- \
    wget -O- "$ip:80" --timeout 2
refused "it is gone" NotFound k get pod busybox
check "it becomes a NodePort" k patch svc nginx -p '{"spec":{"type":"NodePort"}}'
port=$(field svc/nginx '{.spec.ports[0].nodePort}')
expect "with a number, and the address it had" "NodePort +$ip +<none> +80:3[0-9]{4}/TCP" \
    k get svc nginx
for node in 172.30.0.2 172.30.0.3 172.30.0.4; do
    soon "$node answers" 'Welcome to nginx!' at client "http://$node:$port"
done
check "a client, for later" client_pod client
check "is ready" ready pod/client
check "it knows the name" in_pod client getent hosts nginx
check "the Service is deleted" k delete svc nginx
check "and the pod" k delete pod nginx
soon "the node port is refused" "$REFUSED" at client "http://172.30.0.2:$port"
soon "the name is unknown" '\(6\) ' from client http://nginx

scenario SVC-07 "Load spreading over three replicas, service port is not the pod's"
check "three replicas" \
    k create deploy foo --image=dgkanatsios/simpleapp --port=8080 --replicas=3
client_pod client >/dev/null
check "are rolled out" rolled_out foo
check "a client" ready pod/client
answers=$(for address in $(addresses_of app=foo); do at node-1 "http://$address:8080"; echo; done)
same "each says its own name" 3 "$(grep -o 'foo-[a-z0-9-]*' <<<"$answers" | sort -u | wc -l)"
check "exposed on another port" k expose deploy foo --port=6262 --target-port=8080
wanted=$(addresses_of app=foo | sed 's/$/:8080/')
check "three endpoints" until_true 5 test "$wanted" = "$(endpoints_of foo)"
answers=$(in_pod client sh -c "$(repeat 30 foo:6262)") && ok "thirty requests, no failure" ||
    bad "thirty requests, no failure"
same "every replica answers" 3 "$(grep -o 'foo-[a-z0-9-]*' <<<"$answers" | sort -u | wc -l)"
# Drawn at random, 3,000 fall apart by 26 in one standard deviation.
answers=$(in_pod client python3 -c '
import collections, re, socket, sys
count = collections.Counter()
for _ in range(3000):
    with socket.create_connection((sys.argv[1], 6262), 3) as s:
        s.sendall(b"GET / HTTP/1.0\r\n\r\n")
        count[re.search("foo-[a-z0-9-]*", s.makefile().read()).group()] += 1
print(*sorted(count.values()))' "$(field svc/foo '{.spec.clusterIP}')")
check "3,000 connections, 1,000 +- 120 to each replica ($answers)" awk '
    {for (i = 1; i <= NF; ++i) if ($i < 880 || $i > 1120) exit 1; exit NF != 3}' <<<"$answers"
expect "and by ClusterIP" 'Hello world from foo-' \
    from client "http://$(field svc/foo '{.spec.clusterIP}'):6262"
logs=$(k logs -l app=foo --prefix --tail=-1)
check "more than one logged requests" \
    test "$(grep -o '^\[pod/[^/]*' <<<"$logs" | sort -u | wc -l)" -gt 1
pod=$(lines "pods -l app=foo" '{.metadata.name}' | head -1)
expect "the names of pods are no names" '\(6\) ' from client "http://$pod:8080"

scenario SVC-08 "targetPort by name"
named_pod() { # NAME PORT PORT'S NAME
    k apply -f - <<YAML
apiVersion: v1
kind: Pod
metadata: {name: $1, labels: {app: proxy}}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: web
    image: $AGNHOST
    args: [netexec, --http-port=$2]
    ports: [{containerPort: $2, name: $3}]
YAML
}
check "a pod whose port has a name" named_pod one 80 http-web
check "a Service that goes by it" k apply -f - <<YAML
apiVersion: v1
kind: Service
metadata: {name: by-name}
spec:
  selector: {app: proxy}
  ports: [{name: web, port: 80, targetPort: http-web}]
YAML
client_pod client >/dev/null
check "are ready" ready pod --all
one=$(field pod/one '{.status.podIP}')
soon "describe shows the endpoint" "Endpoints: +$one:80" k describe svc by-name
expect "and the name" 'TargetPort: +http-web/TCP' k describe svc by-name
soon "it answers" '^one$' from client http://by-name/hostname
check "a second pod means another number" named_pod two 8080 http-web
check "a third calls its port something else" named_pod three 8080 other
check "are ready" ready pod --all
two=$(field pod/two '{.status.podIP}')
check "each is asked on its own port" until_true 5 \
    sh -c "'$KIN' kubectl --lab $LAB -n $NS describe endpoints by-name | grep -q '$two'"
same "the third is not among them" "$(printf '%s\n' "$one:80" "$two:8080" | sort)" \
    "$(endpoints_of by-name)"
same "in two slices" 2 \
    "$(k get endpointslices -l kubernetes.io/service-name=by-name -o name | wc -l)"
same "both answer" "one two" \
    "$(in_pod client sh -c "$(repeat 20 http://by-name/hostname)" | sort -u | xargs)"

scenario SVC-09 "Choosing the cluster IP, and collisions"
with_address() { # NAME ADDRESS
    k create -f - <<YAML
apiVersion: v1
kind: Service
metadata: {name: $1}
spec: {clusterIP: $2, ports: [{port: 5005}]}
YAML
}
check "an address that was chosen" with_address chosen 10.96.254.0
same "is given" 10.96.254.0 "$(field svc/chosen '{.spec.clusterIP}')"
refused "nobody else gets it" 'Invalid value.*already allocated' with_address second 10.96.254.0
refused "nothing is created" NotFound k get svc second
refused "nor one out of the range" 'Invalid value.*not in the valid range' \
    with_address third 1.2.3.4
NS=kube-system expect "the cluster's DNS can be applied as what it is" 'service/kube-dns configured' \
    k apply -f - <<YAML
apiVersion: v1
kind: Service
metadata: {name: kube-dns, namespace: kube-system, labels: {k8s-app: kube-dns}}
spec:
  clusterIP: 10.96.0.10
  selector: {k8s-app: kube-dns}
  ports:
  - {name: dns, port: 53, protocol: UDP, targetPort: 53}
  - {name: dns-tcp, port: 53, protocol: TCP, targetPort: 53}
YAML
refused "no second one owns its address" 'already allocated' with_address dns 10.96.0.10
check "twenty Services without one" k apply -f <(for i in $(seq 20); do
    printf -- '---\napiVersion: v1\nkind: Service\nmetadata: {name: any-%s}\n' "$i"
    printf 'spec: {ports: [{port: 80}]}\n'
done)
given=$(lines svc '{.metadata.name} {.spec.clusterIP}' | grep '^any-')
same "get twenty addresses" 20 "$(cut -d' ' -f2 <<<"$given" | sort -u | wc -l)"
same "none of the low band" 0 "$(grep -c ' 10\.96\.0\.' <<<"$given")"
refused "an address cannot be changed" 'may not change once set' \
    k patch svc any-1 -p '{"spec":{"clusterIP":"10.96.254.1"}}'

scenario SVC-10 "Service without a selector plus a hand-written EndpointSlice"
check "a Service without selector" k apply -f - <<YAML
apiVersion: v1
kind: Service
metadata: {name: my-service}
spec: {ports: [{name: http, port: 80, targetPort: 9376}]}
YAML
for number in 1 2; do # Servers on the nodes' own addresses.
    k apply -f - >/dev/null <<YAML
apiVersion: v1
kind: Pod
metadata: {name: host-$number}
spec:
  nodeName: node-$number
  hostNetwork: true
  terminationGracePeriodSeconds: 0
  containers:
  - {name: c, image: $AGNHOST, args: [netexec, --http-port=9376, --udp-port=9376]}
YAML
done
client_pod client node-3 >/dev/null
check "two listeners outside of the pod network" ready pod --all
expect "its address is given" '10\.96\.' k get svc my-service
same "no slice is made" "" \
    "$(k get endpointslices -l kubernetes.io/service-name=my-service -o name)"
expect "a request is refused" "$REFUSED" from client http://my-service
by_hand() { # ADDRESS...
    k apply -f - <<YAML
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: my-service-1, labels: {kubernetes.io/service-name: my-service}}
addressType: IPv4
ports: [{name: http, appProtocol: http, protocol: TCP, port: 9376}]
endpoints: [$(printf '{addresses: [%s]},' "$@")]
YAML
}
check "a slice by hand" by_hand 172.30.0.2 172.30.0.3
soon "leads there" '^node-' from client http://my-service/hostname
same "to both" "node-1 node-2" \
    "$(in_pod client sh -c "$(repeat 20 http://my-service/hostname)" | sort -u | xargs)"
refused "port-forward needs a selector" 'without a selector' \
    k port-forward service/my-service 18080:80
check "without the slice" k delete endpointslice my-service-1
soon "it is refused again" "$REFUSED" from client http://my-service
refused "an address of this very host is none" 'Invalid value.*127\.0\.0\.1' by_hand 127.0.0.1
refused "nor one of the link" 'Invalid value.*169\.254\.1\.1' by_hand 169.254.1.1

scenario SVC-12 "A wrong selector and a wrong target port"
check "a deployment" k create deployment web-app --image=bmuschko/nodejs-hello-world:1.0.0 --replicas=2
check "a Service that means others" k apply -f - <<YAML
apiVersion: v1
kind: Service
metadata: {name: web-app}
spec:
  selector: {run: myapp}
  ports: [{port: 80, targetPort: 3001}]
YAML
check "the deployment runs" rolled_out web-app
ask() { k run "tmp-$RANDOM" --image=busybox --restart=Never -i --rm --quiet -- wget -qO- -T 3 "$@"; }
refused "it is refused at once" 'refused' ask web-app:80
expect "describe: no endpoints" 'Endpoints: *(<none>)?$' k describe service web-app
expect "get endpoints: none" '^web-app +<none>' k get endpoints
check "the right selector, by an editor" env KUBE_EDITOR="sed -i 's/run: myapp/app: web-app/'" \
    "$KIN" kubectl --lab "$LAB" -n "$NS" edit service web-app
wanted=$(addresses_of app=web-app | sed 's/$/:3001/')
soon "two endpoints" "^web-app +[0-9.]+:3001,[0-9.]+:3001 " k get endpoints web-app
same "on the wrong port" "$wanted" "$(endpoints_of web-app)"
refused "where nobody listens" 'refused' ask web-app:80
check "the right port" k patch service web-app --type=json \
    -p '[{"op":"replace","path":"/spec/ports/0/targetPort","value":3000}]'
soon "says hello" 'Hello World' ask web-app:80
NS=default check "the namespace goes as a whole" k delete namespace svc-12 --timeout=40s
NS=

scenario SVC-13 "Client-IP session affinity on and off"
check "three replicas" k create deployment names --image=$AGNHOST --replicas=3 --port=9376 -- \
    /agnhost serve-hostname
for node in 1 2; do client_pod client-$node node-$node >/dev/null; done
check "are rolled out" rolled_out names
check "two clients" ready pod/client-1 pod/client-2
check "exposed with affinity" k expose deployment names --port=80 --target-port=9376 \
    --session-affinity=ClientIP
same "three hours of it" 'ClientIP 10800' \
    "$(field svc/names '{.spec.sessionAffinity} {.spec.sessionAffinityConfig.clientIP.timeoutSeconds}')"
ip=$(field svc/names '{.spec.clusterIP}')
met() { in_pod "$1" sh -c "$(repeat "$2" "$3")" 2>/dev/null | sort -u | xargs; } # POD NUMBER URL
check "it answers" until_true 5 from client-1 "http://$ip"
first=$(met client-1 20 "http://$ip")
expect "twenty requests meet one pod" '^names-[a-z0-9-]+$' echo "$first"
same "the same by name" "$first" "$(met client-1 20 http://names)"
expect "another client meets one, too" '^names-[a-z0-9-]+$' met client-2 20 http://names
check "without affinity" k patch svc names -p '{"spec":{"sessionAffinity":"None"}}'
soon "it meets several" ' names-' met client-1 40 http://names
check "with affinity again" k patch svc names -p '{"spec":{"sessionAffinity":"ClientIP"}}'
soon "it meets one again" '^names-[a-z0-9-]+$' met client-1 20 http://names
first=$(met client-1 1 http://names)
check "that one is deleted" k delete pod "$first" --now
until_true 10 sh -c "! '$KIN' kubectl --lab $LAB -n $NS get endpoints names -o yaml | grep -q '$first'"
soon "the next one is living" '^names-' from client-1 http://names
second=$(met client-1 20 http://names)
expect "and is stuck to" '^names-[a-z0-9-]+$' echo "$second"
check "and is another" test "$second" != "$first"
check "affinity of a second" k patch svc names -p \
    '{"spec":{"type":"NodePort","sessionAffinityConfig":{"clientIP":{"timeoutSeconds":1}}}}'
# Asks again after the affinity has run out.
another_after() {
    local before=$1
    shift
    read -rt 1.3 <> <(:)
    [ "$("$@")" != "$before" ]
}
second=$(from client-1 http://names)
check "after it the choice may change" until_true 30 another_after "$second" from client-1 http://names
port=$(field svc/names '{.spec.ports[0].nodePort}')
outside() { on client sh -c "$(repeat "$1" "http://172.30.0.2:$port")" | sort -u | xargs; }
expect "by the node port, too: one pod" '^names-[a-z0-9-]+$' outside 10
second=$(outside 1)
check "and afterwards perhaps another" until_true 30 another_after "$second" outside 1
check "off" k patch svc names -p '{"spec":{"sessionAffinity":"None"}}'
soon "several" ' names-' outside 40

scenario SVC-15 "One port number, two protocols; UDP Services"
both_pod() { # NAME
    k apply -f - <<YAML
apiVersion: v1
kind: Pod
metadata: {name: $1, labels: {app: both}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - {name: c, image: $AGNHOST, args: [netexec, --http-port=80, --udp-port=80]}
YAML
}
check "a server of both" both_pod first
check "a Service of both" k apply -f - <<YAML
apiVersion: v1
kind: Service
metadata: {name: both}
spec:
  selector: {app: both}
  ports: [{name: tcp-80, port: 80}, {name: udp-80, port: 80, protocol: UDP}]
YAML
client_pod client >/dev/null
check "are ready" ready pod --all
soon "by TCP" '^first$' from client http://both/hostname
expect "by UDP" '^first$' datagram client both 80 hostname
ports() { k patch svc both --type=json -p "[{\"op\":\"replace\",\"path\":\"/spec/ports\",\"value\":[$1]}]"; }
check "TCP only" ports '{"name":"tcp-80","port":80}'
soon "no answer by UDP" 'timed out|refused' datagram client both 80 hostname
expect "TCP works on" '^first$' from client http://both/hostname
check "UDP only" ports '{"name":"udp-80","port":80,"protocol":"UDP"}'
soon "TCP is refused" "$REFUSED" from client http://both/hostname
soon "UDP works" '^first$' datagram client both 80 hostname
# A client that keeps its port and asks ten times a second until another pod answers.
in_pod client python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 5555))
s.settimeout(0.1)
end = time.monotonic() + 20
first = ""
while time.monotonic() < end:
    try:
        s.sendto(b"hostname", (sys.argv[1], 80))
        answer = s.recv(1000).decode()
    except OSError:
        continue
    if answer != first: print(answer, flush=True)
    if first and answer != first: break
    first = answer
' "$(field svc/both '{.spec.clusterIP}')" >"/tmp/$LAB.udp" 2>&1 &
sender=$!
soon "a client that stays on one port" first cat "/tmp/$LAB.udp"
check "the pod is replaced" k delete pod first --now
check "by another" both_pod second
check "that is ready" ready pod/second
wait "$sender"
same "soon gets its answers from there" "first second" "$(xargs <"/tmp/$LAB.udp")"

scenario SVC-17 "Changing the type of a living Service"
check "two pods" k create deployment web --image=$AGNHOST --replicas=2 --port=8080 -- \
    /agnhost netexec --http-port=8080
client_pod client >/dev/null
check "are rolled out" rolled_out web
check "a Service" k expose deployment web --port=80 --target-port=8080
check "a client" ready pod/client
service_is() { k patch svc web --type=merge -p "{\"spec\":$1}"; }
check "to ExternalName" service_is '{"type":"ExternalName","externalName":"www.example.com","clusterIP":"","clusterIPs":null}'
expect "kubectl shows the name" 'ExternalName +<none> +www\.example\.com' k get svc web
soon "it is a CNAME" 'www\.example\.com\.' in_pod client dig +short "web.$NS.svc.cluster.local" CNAME
check "to ClusterIP" service_is '{"type":"ClusterIP","externalName":null,"ports":[{"port":80,"targetPort":8080}]}'
expect "it has an address again" 'ClusterIP +10\.96\.' k get svc web
soon "it answers by name" '^web-' from client http://web/hostname
expect "and by address" '^web-' from client "http://$(field svc/web '{.spec.clusterIP}')/hostname"
check "to NodePort" service_is '{"type":"NodePort"}'
port=$(field svc/web '{.spec.ports[0].nodePort}')
for node in 172.30.0.2 172.30.0.3 172.30.0.4; do
    soon "$node:$port answers" '^web-' at client "http://$node:$port/hostname"
done
check "to ExternalName" service_is '{"type":"ExternalName","externalName":"www.example.com","clusterIP":"","clusterIPs":null}'
check "the number is free for others" \
    k create service nodeport other --tcp=80:8080 --node-port="$port"
check "back to NodePort" service_is '{"type":"NodePort","externalName":null,"ports":[{"port":80,"targetPort":8080}]}'
port=$(field svc/web '{.spec.ports[0].nodePort}')
check "to LoadBalancer" service_is '{"type":"LoadBalancer"}'
soon "an address is given" '^172\.30\.200\.' field svc/web '{.status.loadBalancer.ingress[0].ip}'
same "the number stays" "$port" "$(field svc/web '{.spec.ports[0].nodePort}')"
external=$(field svc/web '{.status.loadBalancer.ingress[0].ip}')
soon "it answers" '^web-' at client "http://$external/hostname"
check "to ClusterIP" service_is '{"type":"ClusterIP"}'
soon "the address is taken back" "ClusterIP +10\.96\.[0-9.]+ +<none> +80/TCP" k get svc web
same "and the number" "" "$(field svc/web '{.spec.ports[0].nodePort}')"
soon "nobody answers there" '\((7|28)\) ' at client "http://$external/hostname"

scenario SVC-18 "Endpoints follow the pods"
check "a Service before any pod" k apply -f - <<YAML
apiVersion: v1
kind: Service
metadata: {name: multi}
spec:
  selector: {name: x}
  ports:
  - {name: p1, port: 80, targetPort: first}
  - {name: p2, port: 81, targetPort: second}
YAML
soon "has no endpoints" '^multi +<none>' k get endpoints multi
"$KIN" kubectl --lab "$LAB" -n "$NS" get endpoints multi -w >"/tmp/$LAB.endpoints" 2>&1 &
watcher=$!
"$KIN" kubectl --lab "$LAB" -n "$NS" get endpointslice -w >"/tmp/$LAB.slices" 2>&1 &
slice_watcher=$!
one_port_pod() { # NAME PORT'S NAME PORT
    k apply -f - <<YAML
apiVersion: v1
kind: Pod
metadata: {name: $1, labels: {name: x}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: c
    image: $AGNHOST
    args: [netexec, --http-port=$3]
    ports: [{name: $2, containerPort: $3}]
YAML
}
address_of() { field "pod/$1" '{.status.podIP}'; }
is_endpoints() { [ "$(endpoints_of multi)" = "$1" ]; }
check "a pod with the first port" one_port_pod pod1 first 100
check "is ready" ready pod/pod1
one=$(address_of pod1):100
check "it is the endpoint" until_true 2 is_endpoints "$one"
check "a pod with the second" one_port_pod pod2 second 101
check "is ready" ready pod/pod2
two=$(address_of pod2):101
check "both are" until_true 2 is_endpoints "$(printf '%s\n' "$one" "$two" | sort)"
check "the first is deleted" k delete pod pod1 --wait=false
check "the second is left" until_true 3 is_endpoints "$two"
check "it is taken out by its label" k label pod pod2 name=y --overwrite
check "and out of the endpoints" until_true 2 is_endpoints ""
same "while it runs on" Running "$(field pod/pod2 '{.status.phase}')"
check "taken back" k label pod pod2 name=x --overwrite
check "it is there again" until_true 2 is_endpoints "$two"
check "it is deleted" k delete pod pod2 --wait=false
check "none is left" until_true 3 is_endpoints ""
soon "the watch saw the first alone" "^multi +$one " cat "/tmp/$LAB.endpoints"
expect "and both" "^multi +($one,$two|$two,$one) " cat "/tmp/$LAB.endpoints"
expect "and none" '^multi +<none>' tail -n 1 "/tmp/$LAB.endpoints"
expect "the slices' watch saw them" " ${two%:*} " cat "/tmp/$LAB.slices"
kill "$watcher" "$slice_watcher"
wait "$watcher" "$slice_watcher" 2>/dev/null
check "a Service that lists those not ready" k apply -f - <<YAML
apiVersion: v1
kind: Service
metadata: {name: early}
spec: {publishNotReadyAddresses: true, selector: {name: z}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: unready, labels: {name: z}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: c
    image: $AGNHOST
    args: [netexec, --http-port=80]
    readinessProbe: {exec: {command: ["false"]}, periodSeconds: 60}
YAML
check "its pod runs" k wait pod/unready --for=jsonpath='{.status.phase}'=Running --timeout=20s
soon "and is listed as ready" '^true$' \
    field "endpointslices -l kubernetes.io/service-name=early" '{.items[0].endpoints[0].conditions.ready}'
same "although it is not" False \
    "$(field pod/unready '{.status.conditions[?(@.type=="Ready")].status}')"

scenario SVC-22 "The built-in kubernetes Service"
NS=default expect "the first address of the range" '^kubernetes +ClusterIP +10\.96\.0\.1 +<none> +443/TCP' \
    k get svc kubernetes
all=$(k get services --all-namespaces)
expect "it is there with all others" '^default +kubernetes ' echo "$all"
expect "and the DNS" '^kube-system +kube-dns ' echo "$all"
NS=default expect "its endpoint is the API server" '^kubernetes +172\.30\.0\.2:6443 ' \
    k get endpoints kubernetes
NS=default expect "in a slice, too" '^kubernetes +IPv4 +6443 +172\.30\.0\.2 ' k get endpointslices
client_pod client >/dev/null
check "a client" ready pod/client
expect "it reaches the API by name" '"gitVersion"' from client https://kubernetes.default/version -k
expect "and by the environment" '"gitVersion"' in_pod client sh -c \
    'curl -sSk --max-time 3 https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT/version'
expect "the certificate is valid for the name" '"gitVersion"' from client \
    https://kubernetes.default.svc/version \
    --cacert /var/run/secrets/kubernetes.io/serviceaccount/ca.crt
NS=default check "it is deleted" k delete service kubernetes
NS=default soon "it comes back" '^kubernetes +ClusterIP +10\.96\.0\.1 ' k get service kubernetes

scenario SVC-21 "Asking for IPv6 on an IPv4-only cluster"
with_families() { # NAME FIELDS
    k create -f - <<YAML
apiVersion: v1
kind: Service
metadata: {name: $1}
spec: {$2, ports: [{port: 80}]}
YAML
}
refused "IPv6 is not there" 'Invalid value.*not configured on this cluster' \
    with_families six 'ipFamilies: [IPv6]'
check "what is preferred need not be" with_families prefer 'ipFamilyPolicy: PreferDualStack'
expect "it has one address" '^PreferDualStack \["IPv4"\] \["10\.96\.[0-9.]+"\]$' \
    field svc/prefer '{.spec.ipFamilyPolicy} {.spec.ipFamilies} {.spec.clusterIPs}'
check "nothing said" with_families plain 'type: ClusterIP'
expect "all is filled in" '^SingleStack \["IPv4"\] \["10\.96\.[0-9.]+"\]$' \
    field svc/plain '{.spec.ipFamilyPolicy} {.spec.ipFamilies} {.spec.clusterIPs}'

end_scenario
gone() { [ -z "$(k get namespaces -o name | grep svc-)" ]; }
check "all namespaces go" until_true 40 gone
same "no other Service is left" "default/kubernetes ingress-nginx/ingress-nginx-controller kube-system/kube-dns" \
    "$(k get services -A -o 'jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name} {end}' | xargs)"
same "nor any in the kernel" 0 "$(on node-2 nft list table ip kube-proxy | grep -c svc-)"
finish
