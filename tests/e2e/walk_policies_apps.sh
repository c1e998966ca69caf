#!/bin/bash
# Walkthroughs of NetworkPolicies in applications, and of policies that change.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/walk.sh"
source "$(dirname "$0")/reach.sh"

start_lab

scenario POL-24 "Coffee shop may pay, grocery may not"
also tools
nginx_pod() { # NAME ROLE
    cat <<YAML
---
apiVersion: v1
kind: Pod
metadata: {name: $1, labels: {app: $1, role: $2}}
spec: {containers: [{name: nginx, image: "nginx:1.25.3-alpine", ports: [{containerPort: 80}]}]}
YAML
}
check "three pods" k apply -f <(
    nginx_pod payment-processor api
    nginx_pod coffee-shop backend
    nginx_pod grocery-store backend
)
pods "and two tools" tools/one tools/two
check "are ready" ready pod --all
address=$(k get pod payment-processor --template '{{.status.podIP}}')
check "grocery reaches it" from grocery-store "$address" --max-time 1
check "the policy" policy api-allow '{podSelector: {matchLabels: {app: payment-processor, role: api}},
    ingress: [{from: [{podSelector: {matchLabels: {app: coffee-shop}}}]}]}'
refused "grocery does not" "$TIMEOUT" from grocery-store "$address" --max-time 1
check "coffee does" from coffee-shop "$address" --max-time 1
expect "get shows whom it is about" '^api-allow +app=payment-processor,role=api ' \
    k get networkpolicy api-allow
expect "and describe" 'PodSelector: +app=payment-processor,role=api' k describe networkpolicy api-allow
check "deny all of the tools" \
    policy tools/default-deny-all '{podSelector: {}, policyTypes: [Ingress, Egress]}'
reach "which neither send nor receive; all else is as before" <<END
no tools/one $(ip_of tools/two) $(ip_of grocery-store)
no tools/two $(ip_of tools/one)
no grocery-store $(ip_of tools/one) $address
yes coffee-shop $address
yes payment-processor $(ip_of grocery-store)
END

scenario POL-25 "Egress into one namespace only"
also user access=outside
also internal access=inside
pods "front and back" user/frontend,app=frontend user/other,app=backend \
    internal/backend,app=backend internal/other
address=$(NS=$NS-internal k get pod backend --template '{{.status.podIP}}')
reach "all is open" <<<"yes user/frontend $address udp/$address:8081 $(ip_of user/other)"
check "the policy" policy user/app-stack '{podSelector: {matchLabels: {app: frontend}},
    policyTypes: [Egress], egress: [{ports: [{protocol: TCP, port: 80}],
      to: [{podSelector: {matchLabels: {app: backend}},
            namespaceSelector: {matchLabels: {access: inside}}}]}]}'
reach "one pod, one port" <<END
yes user/frontend $address
no user/frontend udp/$address:8081 $(ip_of internal/other) $(ip_of user/other)
yes user/other $(ip_of internal/other)
END
check "the namespace is outside" k label namespace "$NS-internal" access=outside --overwrite
reach "it is closed" <<<"no user/frontend $address"

scenario POL-28 "Direct pod address, two policies"
check "a web server" k create deployment testweb --image=nginx
pods "a client" client
check "is rolled out" rolled_out testweb
address=$(lines "pods -l app=testweb" '{.status.podIP}')
expect "a page" 'Welcome to nginx' from client "$address" --max-time 1
check "deny all" policy deny-all-for-testweb '{podSelector: {matchLabels: {app: testweb}}, ingress: []}'
refused "silence" "$TIMEOUT" from client "$address" --max-time 1
check "one is let in" policy allow-testcurl-for-testweb '{podSelector: {matchLabels: {app: testweb}},
    ingress: [{from: [{podSelector: {matchLabels: {run: testcurl}}}]}]}'
expect "by its name" 'Welcome to nginx' \
    k run testcurl --rm -i --restart=Never --image=centos -- curl -sSm1 "$address"
refused "another by its own not" "$TIMEOUT" \
    k run testkurl --rm -i --restart=Never --image=centos -- curl -sSm1 "$address"
check "all are deleted" k delete networkpolicies --all
expect "a page" 'Welcome to nginx' from client "$address" --max-time 1

scenario POL-29 "Isolating DockerCoins"
also other
coin() { # NAME IMAGE
    cat <<YAML
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: $1, labels: {app: $1}}
spec:
  replicas: 1
  selector: {matchLabels: {app: $1}}
  template:
    metadata: {labels: {app: $1}}
    spec: {containers: [{name: $1, image: "$2"}]}
YAML
}
check "five deployments" k apply -f <(
    for name in rng hasher webui worker; do coin $name dockercoins/$name:v0.1; done
    coin redis redis
)
for name in rng hasher webui; do k expose deployment $name --port=80 >/dev/null; done
k expose deployment redis --port=6379 >/dev/null
check "webui is for everybody" k patch svc webui -p '{"spec":{"type":"NodePort"}}'
pods "somebody else" other/client
check "they work" k wait deployment --all --for=condition=Available --timeout=30s
soon "units of work are done" '[1-9][0-9]* units of work done' k logs deploy/worker
port=$(field svc/webui '{.spec.ports[0].nodePort}')
counted() { at client --max-time 1 "http://172.30.0.3:$port/json" | sed -n 's/.*"hashes": *\([0-9]*\).*/\1/p'; }
counts_on() { [ "$(counted)" -gt "$1" ]; }
check "and counted" until_true 10 counts_on 0
check "its own namespace only" policy deny-from-other-namespaces \
    '{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}'
reach "is so" <<END
no other/client rng.$NS hasher.$NS redis.$NS:6379 webui.$NS
no @client 172.30.0.2:$port 172.30.0.3:$port 172.30.0.4:$port
END
check "webui is open" policy allow-webui \
    '{podSelector: {matchLabels: {app: webui}}, ingress: [{from: []}]}'
reach "for everybody" <<END
no other/client rng.$NS hasher.$NS redis.$NS:6379
yes other/client webui.$NS
yes @client 172.30.0.2:$port 172.30.0.3:$port 172.30.0.4:$port
END
check "the coins are counted on" until_true 10 counts_on "$(counted)"
"$KIN" kubectl --lab "$LAB" -n "$NS" port-forward deploy/rng :80 >"/tmp/$LAB.forward" 2>&1 &
forwarder=$!
soon "a port is forwarded" 'Forwarding from 127.0.0.1:[0-9]+ -> 80' cat "/tmp/$LAB.forward"
local_port=$(sed -n 's/.*127.0.0.1:\([0-9]*\) .*/\1/p' "/tmp/$LAB.forward")
expect "which no policy concerns" 'RNG running' \
    curl -sS --noproxy '*' --max-time 2 "http://127.0.0.1:$local_port"
kill "$forwarder"
wait "$forwarder" 2>/dev/null

scenario POL-30 "A policy across nodes"
pods "servers and clients on two nodes" server-1,k8s-app=nginx-app-clusterip@node-1 \
    server-2,k8s-app=nginx-app-clusterip@node-2 client-1,app=client@node-1 client-2,app=client@node-2
check "a Service" k create service clusterip nginx-clusterip-svc --tcp=80
check "of the servers" k set selector service nginx-clusterip-svc k8s-app=nginx-app-clusterip
all="nginx-clusterip-svc $(ip_of server-1) $(ip_of server-2)"
check "it is open" until_true 5 answers client-1 nginx-clusterip-svc yes
let_in() { # LABEL
    policy test-network-policy "{podSelector: {matchLabels: {k8s-app: nginx-app-clusterip}},
        policyTypes: [Ingress], ingress: [{from: [{podSelector: {matchLabels: {app: $1}}}],
          ports: [{protocol: TCP, port: 80}]}]}"
}
for label in whatever client; do
    check "for app=$label" let_in $label
    answer=no
    [ $label = client ] && answer=yes
    reach "is $answer, on one node and across" < <(
        for number in 1 2; do echo "$answer client-$number $all"; done
    )
done
for number in 1 2; do
    for server in 1 2; do
        expect "server-$server sees client-$number itself" "^$(ip_of client-$number):" \
            from client-$number "http://$(ip_of server-$server)/clientip" --max-time 1
    done
done

scenario POL-32 "Online Boutique policies"
also other
part() { # NAME PORT [IMAGE]
    local image=us-central1-docker.pkg.dev/online-boutique-ci/microservices-demo/$1:v0.10.6
    cat <<YAML
---
apiVersion: v1
kind: Pod
metadata: {name: $1, labels: {app: $1}}
spec:
  terminationGracePeriodSeconds: 0
  containers: [{name: server, image: "${3:-$image}", ports: [{containerPort: $2}]}]
YAML
}
check "parts of the shop" k apply -f <(
    part frontend 8080
    part cartservice 7070
    part checkoutservice 5050
    part paymentservice 50051
    part redis-cart 6379 redis:alpine
)
pods "somebody else" other/client
check "are ready" ready pod --all
opened() { # NAME INGRESS
    policy "$1" "{podSelector: {matchLabels: {app: $1}}, policyTypes: [Ingress, Egress],
        ingress: [$2], egress: [{}]}"
}
check "deny all" policy deny-all '{podSelector: {}, policyTypes: [Ingress, Egress]}'
check "but the frontend" opened frontend '{}'
check "the cart" opened cartservice '{ports: [{port: 7070, protocol: TCP}],
    from: [{podSelector: {matchLabels: {app: frontend}}}, {podSelector: {matchLabels: {app: checkoutservice}}}]}'
check "and its store" opened redis-cart '{ports: [{port: 6379, protocol: TCP}],
    from: [{podSelector: {matchLabels: {app: cartservice}}}]}'
same "the list says whom they select" "NAME POD-SELECTOR
cartservice app=cartservice
deny-all <none>
frontend app=frontend
redis-cart app=redis-cart" "$(k get networkpolicy | awk '{print $1, $2}')"
cart=$(ip_of cartservice):7070 redis=$(ip_of redis-cart):6379 payment=$(ip_of paymentservice):50051
checkout=$(ip_of checkoutservice):5050 front=$(ip_of frontend):8080
reach "who may, does" <<END
yes other/client $front
yes frontend $cart
no frontend $redis $payment $checkout
yes cartservice $redis $front
no cartservice $payment
no redis-cart $cart
no checkoutservice $cart $redis $front
no paymentservice $cart $redis $front
no other/client $cart $redis $payment $checkout
END
check "the checkout gets a policy of its own" opened checkoutservice \
    '{ports: [{port: 5050, protocol: TCP}], from: [{podSelector: {matchLabels: {app: frontend}}}]}'
reach "and works" <<END
yes frontend $checkout
yes checkoutservice $cart
no checkoutservice $redis $payment
END

scenario POL-33 "Star Wars, layers 3 and 4"
check "the app" k create -f - <<YAML
apiVersion: v1
kind: Service
metadata: {name: deathstar}
spec: {ports: [{port: 80}], selector: {org: empire, class: deathstar}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: deathstar}
spec:
  replicas: 2
  selector: {matchLabels: {org: empire, class: deathstar}}
  template:
    metadata: {labels: {org: empire, class: deathstar}}
    spec: {containers: [{name: deathstar, image: "quay.io/cilium/starwars:v2.1"}]}
$(for ship in "tiefighter empire" "xwing alliance"; do
    printf -- '---\napiVersion: v1\nkind: Pod\nmetadata: {name: %s, labels: {class: %s, org: %s}}\n' \
        "${ship% *}" "${ship% *}" "${ship#* }"
    printf 'spec: {containers: [{name: spaceship, image: "quay.io/cilium/json-mock:v1.3.8"}]}\n'
done)
YAML
check "is rolled out" rolled_out deathstar
check "with its ships" ready pod/tiefighter pod/xwing
readonly DEATHSTAR=deathstar.pol-33.svc.cluster.local/v1
lands() { from "$1" -XPOST "$DEATHSTAR/request-landing" --max-time 1; }
soon "tiefighter lands" '^Ship landed$' lands tiefighter
expect "xwing lands" '^Ship landed$' lands xwing
refused "policies of Cilium are not here" 'no matches for kind "CiliumNetworkPolicy"' k create -f - <<YAML
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: rule1}
spec: {endpointSelector: {matchLabels: {org: empire, class: deathstar}}}
YAML
check "the same in Kubernetes' words" policy rule1 \
    '{podSelector: {matchLabels: {org: empire, class: deathstar}},
      ingress: [{from: [{podSelector: {matchLabels: {org: empire}}}], ports: [{port: 80, protocol: TCP}]}]}'
expect "tiefighter lands" '^Ship landed$' lands tiefighter
refused "xwing does not" "$TIMEOUT" lands xwing
expect "the port explodes: layer 7 is not looked at" 'deathstar exploded' \
    from tiefighter -XPUT "$DEATHSTAR/exhaust-port" --max-time 1

scenario POL-34 "Generated policies"
created=$(k apply -f - 2>&1 <<YAML
apiVersion: v1
kind: List
items:
- apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: {name: pol1}
  spec: {podSelector: {}, policyTypes: [Ingress, Egress], egress: [{}], ingress: [{from: [{podSelector: {}}]}]}
- apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: {name: pol2}
  spec:
    podSelector: {}
    policyTypes: [Ingress]
    ingress: [{from: [{namespaceSelector: {}}], ports: [{port: 8080, protocol: TCP}]}]
- apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata: {name: pol3}
  spec:
    podSelector: {matchLabels: {app: qrs}}
    policyTypes: [Ingress]
    ingress: [{from: [{namespaceSelector: {}}]}]
YAML
)
same "three are created" 3 "$(grep -c 'networkpolicy.networking.k8s.io/pol[123] created' <<<"$created")"
same "and there" 3 "$(k get netpol -o name | wc -l)"
also other
pods "pods" plain qrs,app=qrs other/client other/c,pod=c
reach "as they say" <<END
yes plain $(ip_of qrs) udp/$(ip_of qrs):8081
yes other/client $(ip_of qrs)
no other/client $(ip_of plain) udp/$(ip_of plain):8081
refused other/client $(ip_of plain):8080
END
check "a block of nobody" policy other/allow-by-ip '{policyTypes: [Ingress],
    podSelector: {matchLabels: {pod: c}}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/24}}]}]}'
reach "lets nobody in" <<END
no other/client $(ip_of other/c)
no plain $(ip_of other/c)
END

scenario POL-35 "Policies react to labels and deletions at once"
pods "a client and a server" client@node-1 web,app=nginx@node-2
web=$(ip_of web)
check "the policy" policy access-nginx '{podSelector: {matchLabels: {app: nginx}},
    ingress: [{from: [{podSelector: {matchLabels: {access: "true"}}}]}]}'
reach "no label, no way" <<<"no client $web"
check "a label" k label pod client access=true
reach "opens it" <<<"yes client $web"
# One connection that is used ten times a second; says so once, and how it ends.
in_pod client python3 -c '
import http.client, sys, time
c = http.client.HTTPConnection(sys.argv[1], timeout=1)
c.connect()
before = c.sock
end = time.monotonic() + 20
print("begins", flush=True)
try:
    while time.monotonic() < end:
        c.request("GET", "/hostname")
        c.getresponse().read()
        assert c.sock is before
        time.sleep(0.1)
    print("lasts")
except TimeoutError:
    print("silence")' "$web" >"/tmp/$LAB.open" 2>&1 &
opened=$!
soon "a connection stays open" begins cat "/tmp/$LAB.open"
check "without the label" k label pod client access-
reach "it is closed" <<<"no client $web"
wait "$opened"
same "open connections are cut, too" "begins silence" "$(xargs <"/tmp/$LAB.open")"
check "without the policy" k delete networkpolicy access-nginx
reach "it is open" <<<"yes client $web"
check "the policy" policy access-nginx '{podSelector: {matchLabels: {app: nginx}},
    ingress: [{from: [{podSelector: {matchLabels: {access: "true"}}}]}]}'
pods "one with the label" first,access=true@node-1
reach "gets in" <<<"yes first $web"
# The same address for another pod: its status asks for it before it has a node.
address=$(ip_of first)
check "it goes" k delete pod first
check "another waits" k apply -f <(pod_yaml second | sed 's/^spec:/&\n  schedulingGates: [{name: wait}]\n  nodeSelector: {kubernetes.io\/hostname: node-1}/')
check "for that address" k patch pod second --subresource=status -p "{\"status\":{\"podIP\":\"$address\"}}"
check "and begins" k patch pod second --type=json -p '[{"op":"remove","path":"/spec/schedulingGates"}]'
check "it is ready" ready pod/second
same "with the address" "$address" "$(ip_of second)"
reach "and is judged by its own labels" <<<"no second $web"
check "a probed pod" k apply -f - <<YAML
apiVersion: v1
kind: Pod
metadata: {name: probed}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: web
    image: nginx
    readinessProbe: {httpGet: {port: 80}, periodSeconds: 1, failureThreshold: 1}
    livenessProbe: {tcpSocket: {port: 80}, periodSeconds: 1, failureThreshold: 1}
YAML
check "is ready" ready pod/probed
check "is isolated" policy deny-all '{podSelector: {}, policyTypes: [Ingress, Egress]}'
probes() { k logs probed | grep -c kube-probe; }
probed_since() { [ "$(probes)" -ge $(($1 + 3)) ]; }
check "and is probed on" until_true 10 probed_since "$(probes)"
same "it stays ready" "True 0" "$(field pod/probed \
    '{.status.conditions[?(@.type=="Ready")].status} {.status.containerStatuses[0].restartCount}')"
check "a pod that asks before it begins" k apply -f - <<YAML
apiVersion: v1
kind: Pod
metadata: {name: early}
spec:
  initContainers:
  - {name: ask, image: busybox, command: [sh, -c, "wget -qO- -T 1 http://$web/hostname 2>&1; true"]}
  containers: [{name: c, image: pause}]
YAML
check "is ready" ready pod/early
expect "its init container heard nothing" 'download timed out' k logs early -c ask

scenario POL-NET "Nodes, host ports, a pod itself, DNS, and a restart"
pods "pods" web,app=web@node-1 near@node-1 far,app=far@node-2
check "pods in the network of two nodes" k apply -f <(for node in 1 2; do
    pod_yaml "host-$node@node-$node" | sed 's/^spec:/&\n  hostNetwork: true/; s/80\([,}]\)/8090\1/'
done)
check "one with a port of its node" k apply -f <(
    pod_yaml hosted,app=hosted@node-1 | sed 's/containerPort: 80/&, hostPort: 8088/'
)
check "a Service" k expose pod web --port=80
check "are ready" ready pod --all
check "it has an endpoint" until_true 5 answers near web yes
web=$(ip_of web)
check "web is isolated" policy web '{podSelector: {matchLabels: {app: web}}}'
check "and who has a port of its node" policy hosted \
    '{podSelector: {matchLabels: {app: hosted}}, ingress: [{from: [{podSelector: {}}]}]}'
reach "a node reaches its own pods, a pod itself" <<END
yes host-1 $web
no host-2 $web
no near $web
yes web web $web
yes near 172.30.0.2:8088
yes far 172.30.0.2:8088
no @client 172.30.0.2:8088
END
# One client of UDP that asks twenty times a second.
in_pod far python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(1)
end = time.monotonic() + 20
print("begins", flush=True)
try:
    while time.monotonic() < end:
        s.sendto(b"hostname", (sys.argv[1], 8081))
        s.recv(100)
        time.sleep(0.05)
    print("lasts")
except TimeoutError:
    print("silence")' "$(ip_of near)" >"/tmp/$LAB.udp" 2>&1 &
asking=$!
soon "somebody asks by UDP" begins cat "/tmp/$LAB.udp"
check "a rule without ports" policy web '{podSelector: {matchLabels: {app: web}},
    ingress: [{from: [{podSelector: {matchLabels: {app: far}}}]}]}'
check "lets echo requests through" in_pod far ping -c1 -W1 "$web"
reach "and what nobody listens to is refused" <<<"refused far $web:81 udp/$web:82"
check "nothing leaves" policy silence '{podSelector: {}, policyTypes: [Egress]}'
wait "$asking"
same "nor what goes on already" "begins silence" "$(xargs <"/tmp/$LAB.udp")"
reach "not even to a node, but the nodes' own" <<END
no far $web 172.30.0.2:6443 172.30.0.3:10256
no near 172.30.0.2:6443
yes host-2 $(ip_of far) 172.30.0.2:6443
END
check "it is deleted" k delete networkpolicy silence
NS=kube-system check "the DNS is isolated" policy dns '{podSelector: {matchLabels: {k8s-app: kube-dns}}}'
reach "names are not found" <<<"nameless far web"
NS=kube-system check "no longer" k delete networkpolicy dns
reach "and found again" <<<"yes far web"
check "the lab ends" "$KIN" down --lab "$LAB"
check "and begins" "$KIN" up --lab "$LAB" --detach --api-port 0
check "are ready" ready pod --all
reach "with its policies" <<END
yes far $(ip_of web)
no near $(ip_of web)
END
check "a node joins" "$KIN" node add --lab "$LAB"
pods "with pods" new,app=web@node-4 newer@node-4
reach "that are judged there" <<END
yes far $(ip_of new)
no newer $(ip_of new) $(ip_of web)
END

end_scenario
gone() { ! k get namespaces -o name | grep -q pol-; }
check "all namespaces go" until_true 40 gone
no_tables() { ! for node in node-1 node-2 node-3 node-4; do on $node nft list tables; done | grep -q kin-policy; }
check "and nothing of policies is left on the nodes" until_true 2 no_tables
finish
