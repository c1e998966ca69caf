#!/bin/bash
# Walkthroughs of Ingress, as tutorials type them.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/walk.sh"

start_lab
work=$(mktemp -d)
chmod 755 "$work" # What runs in the lab may read it.

# echo_app NAME...: Deployments whose pods say their host's name and the request; Services on 80.
echo_app() {
    local name
    for name in "$@"; do
        k create deployment "$name" --image=registry.k8s.io/echoserver:1.10 --port=8080
        k expose deployment "$name" --port=80 --target-port=8080
    done
}
# ingress NAME [ANNOTATION: VALUE...]: an Ingress of class nginx whose rules come on stdin.
ingress() {
    local name=$1
    shift
    {
        printf 'apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: %s\n' "$name"
        [ $# = 0 ] || echo '  annotations:'
        for annotation in "$@"; do echo "    nginx.ingress.kubernetes.io/$annotation"; done
        printf 'spec:\n  ingressClassName: nginx\n'
        cat
    } | k apply -f -
}
# path TYPE PATH SERVICE: a line of a rule.
path() {
    echo "      - {pathType: $1, path: '$2', backend: {service: {name: $3, port: {number: 80}}}}"
}
rules() { echo '  rules:'; }
# host NAME: a rule begins; "" for every host.
host() {
    if [ -n "$1" ]; then echo "  - host: '$1'"; else echo '  -'; fi
    printf '    http:\n      paths:\n'
}
# ask HOST PATH [CURL OPTION...]: what the client outside gets, and its status on a line of its own.
ask() {
    local name=$1 what=$2
    shift 2
    at client -w '\n%{http_code}\n' -H "Host: $name" "$@" "http://$address$what"
}
code() { ask "$@" -o /dev/null | tail -1; }
# who HOST PATH: which Deployment answers, and with what path it was asked.
who() { ask "$@" | sed -n 's/^Hostname: \(.*\)-[a-z0-9]*-[a-z0-9]*$/\1/p; s/^[[:space:]]*request_uri=http:..[^/]*/ /p' | tr -d '\n'; }
# seen HOST PATH WANTED: soon, as routes follow within a moment.
seen() { eventually "$1$2 is answered by $3" 10 "^$3\$" who "$1" "$2"; }
status() { eventually "$1$2 gets $3" 10 "^$3\$" code "$1" "$2"; }
# certificate FILE NAME...: a key and a self-signed certificate.
certificate() {
    local file=$1
    shift
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout "$work/$file.key" \
        -out "$work/$file.crt" -subj "/CN=$1" -addext "subjectAltName=DNS:$1" 2>/dev/null
    chmod 644 "$work/$file.key"
}
secret() { k create secret tls "$1" --key "$work/$2.key" --cert "$work/$2.crt" --dry-run=client -o yaml | k apply -f -; }
fingerprint() { openssl x509 -noout -fingerprint "$@"; }
# shown NAME: the fingerprint of the certificate that the address shows under a name.
shown() {
    on client sh -c "openssl s_client -connect $address:443 -servername $1 </dev/null 2>/dev/null" | fingerprint
}

echo "The controller"
expect "is where tutorials look for it" 'pod/ingress-nginx-controller.* condition met' \
    k wait -n ingress-nginx --for=condition=ready pod -l app.kubernetes.io/component=controller --timeout=30s
address=
has_address() {
    address=$(k get svc -n ingress-nginx ingress-nginx-controller -o 'jsonpath={.status.loadBalancer.ingress[0].ip}')
    [ -n "$address" ]
}
until_true 10 has_address
expect "its Service has an address" '^172\.30\.200\.' echo "$address"
expect "its class is the default" '^nginx +k8s.io/ingress-nginx' k get ingressclass
status any.example.com / 404

scenario ING-01 "Two versions of hello-world on one host"
check "version 1" k create deployment web --image=gcr.io/google-samples/hello-app:1.0
check "exposed" k expose deployment web --type=NodePort --port=8080
node_port=$(field service/web '{.spec.ports[0].nodePort}')
eventually "on every node" 20 'Version: 1.0.0' at client "http://172.30.0.2:$node_port/"
hello() {
    ingress example <<YAML
  rules:
  - host: hello-world.example
    http:
      paths:
      - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 8080}}}}
$1
YAML
}
expect "an Ingress, without a word of warning" '^ingress.networking.k8s.io/example created$' hello ""
check "it has an address within a second" \
    k wait "--for=jsonpath={.status.loadBalancer.ingress[0].ip}" ingress/example --timeout=1s
expect "kubectl shows it" "^example +nginx +hello-world.example +$address +80 " k get ingress
eventually "it answers" 20 'Version: 1.0.0' ask hello-world.example /
check "version 2" k create deployment web2 --image=gcr.io/google-samples/hello-app:2.0
check "exposed too" k expose deployment web2 --type=NodePort --port=8080
expect "a path more" configured \
    hello "      - {path: /v2, pathType: Prefix, backend: {service: {name: web2, port: {number: 8080}}}}"
eventually "leads to it" 20 'Version: 2.0.0' ask hello-world.example /v2
expect "the other stays" 'Version: 1.0.0' ask hello-world.example /
status other.example / 404
client_pod inside >/dev/null
ready pod/inside >/dev/null
expect "a pod reaches it by the address" 'Version: 1.0.0' \
    from inside -H 'Host: hello-world.example' "http://$address/"
expect "and by the Service's name" 'Version: 2.0.0' \
    from inside -H 'Host: hello-world.example' http://ingress-nginx-controller.ingress-nginx/v2
published=$(kin status --lab "$LAB" | awk '$1 == "ingress-nginx/ingress-nginx-controller" && $2 == "LoadBalancer" && /:80 /{print $4}')
expect "and this machine by the port it is published on" 'Version: 1.0.0' \
    curl -sS --max-time 3 -H 'Host: hello-world.example' "http://$published/"

scenario ING-02 "Fan-out by path, described before the Services exist"
check "an Ingress first" ingress fanout < <(rules; host foo.bar.com; path Prefix /foo service1; path Prefix /bar service2)
expect "describe says what is missing" 'services "service1" not found' k describe ingress fanout
eventually "an Event does" 10 'Warning +ServiceNotFound .*there is no Service ing-02/service1' k describe ingress fanout
status foo.bar.com /foo 503
echo_app service1 service2 >/dev/null
seen foo.bar.com /foo/x "service1 /foo/x"
seen foo.bar.com /bar "service2 /bar"
status foo.bar.com /baz 404
expect "describe shows the pods" '/foo +service1:80 \(10\.244\.[0-9.]+:8080\)' k describe ingress fanout
check "a class more for the same controller" k apply -f - <<YAML
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: nginx-example}
spec: {controller: k8s.io/ingress-nginx}
YAML
check "of which an Ingress is" k apply -f - <<YAML
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: minimal-ingress, annotations: {nginx.ingress.kubernetes.io/rewrite-target: /}}
spec:
  ingressClassName: nginx-example
  rules: [{http: {paths: [{path: /testpath, pathType: Prefix, backend: {service: {name: service1, port: {number: 80}}}}]}}]
YAML
seen "$address" /testpath "service1 /"
check "the class goes" k delete ingressclass nginx-example
status "$address" /testpath 404

scenario ING-03 "The path-type table"
echo_app exact prefix long root >/dev/null
check "one host" ingress types < <(rules
    host paths.com; path Exact /foo exact; path Prefix /foo prefix; path Exact /only/ exact
    path Prefix /aaa/bbb long; path Prefix /aaa prefix
    host root.com; path Prefix / root; path Prefix /aaa/bbb/ long)
seen paths.com /foo "exact /foo"
for one in "paths.com /foo/ prefix" "paths.com /foo/x prefix" "paths.com /only/ exact" "paths.com /aaa/ccc prefix" \
    "paths.com /aaa/bbb long" "paths.com /aaa/bbb/ long" "paths.com /aaa/bbb/ccc long" "paths.com /aaa/bbbxyz prefix" \
    "root.com /ccc root" "root.com /aaa/bbb long" "root.com / root"; do
    read -r name what app <<<"$one"
    same "$name$what" "$app $what" "$(who "$name" "$what")"
done
for what in /FOO /only /foobar /; do same "nobody has $what" 404 "$(code paths.com "$what")"; done
refused "a path needs a type" pathType ingress bad <<<'  rules: [{http: {paths: [{path: /, backend: {service: {name: a, port: {number: 80}}}}]}}]'
refused "a prefix begins with a slash" 'must be an absolute path' ingress bad < <(rules; host a.com; path Prefix foo exact)

scenario ING-04 "Virtual hosts, catch-all host, wildcard host"
echo_app service1 service2 service3 >/dev/null
check "two names and everything else" ingress names < <(rules
    host first.bar.com; path Prefix / service1; host second.bar.com; path Prefix / service2
    host '*.foo.com'; path Prefix / service2; host ""; path Prefix / service3)
seen first.bar.com / "service1 /"
seen second.bar.com / "service2 /"
seen third.bar.com / "service3 /"
seen "$address" / "service3 /"
seen bar.foo.com / "service2 /"
seen baz.bar.foo.com / "service3 /"
seen foo.com / "service3 /"
seen FIRST.Bar.com:8080 / "service1 /"

scenario ING-05 "TLS termination"
echo_app http-svc >/dev/null
tls() { printf '  tls: [{hosts: [%s], secretName: %s}]\n' "$1" "$2"; }
check "before its Secret" ingress nginx-test < <(tls foo.bar.com tls-secret; rules; host foo.bar.com; path Prefix / http-svc)
expect "ports" ' 80, 443 ' k get ingress nginx-test
expect "describe" 'tls-secret terminates foo.bar.com' k describe ingress nginx-test
eventually "an Event tells of the Secret" 10 'SecretNotFound .*there is no Secret ing-05/tls-secret' k describe ingress nginx-test
certificate one foo.bar.com
certificate two foo.bar.com
check "the Secret comes" secret tls-secret one
eventually "its certificate is shown" 10 "^$(fingerprint -in "$work/one.crt")\$" shown foo.bar.com
https() { on client curl -sSk --max-time 3 --resolve "foo.bar.com:443:$address" "$@"; }
answer=$(https https://foo.bar.com/x)
expect "the pod learns of https" 'x-forwarded-proto=https' echo "$answer"
expect "and of the client" 'x-forwarded-for=203\.0\.113\.10$' echo "$answer"
expect "the client learns that TLS is a must" '^Strict-Transport-Security: max-age=31536000; includeSubDomains\s*$' https -i https://foo.bar.com/x
no_must() { ! ask foo.bar.com / -i | grep -i strict-transport; }
check "but not without it" no_must
expect "whom nobody trusts" 'SSL certificate problem' on client curl -sS --resolve "foo.bar.com:443:$address" https://foo.bar.com/
expect "http leads to https" '^Location: https://foo.bar.com/x\?y=1' ask foo.bar.com '/x?y=1' -i
same "with 308" 308 "$(code foo.bar.com /)"
https_port=$(kin status --lab "$LAB" | awk '$1 == "ingress-nginx/ingress-nginx-controller" && $2 == "LoadBalancer" && /:443 /{print $4}')
expect "from this machine to its own port" "^Location: https://foo.bar.com:${https_port#*:}/\s*\$" \
    curl -sSi --max-time 3 -H "Host: foo.bar.com:${published#*:}" "http://$published/"
check "another certificate" secret tls-secret two
eventually "the next handshake has it" 10 "^$(fingerprint -in "$work/two.crt")\$" shown foo.bar.com
expect "an unknown name gets another" 'Fingerprint' shown other.bar.com
check "that is not ours" [ "$(shown other.bar.com)" != "$(shown foo.bar.com)" ]
check "a Secret that is none" k patch secret tls-secret -p '{"data":{"tls.crt":"aGVsbG8="}}'
eventually "an Event says so" 10 'InvalidCertificate .*its tls.crt is no certificate' k describe ingress nginx-test

scenario ING-06 "Two certificates on one address"
certificate foo foo.bar.com
certificate bar bar.baz.com
check "one Secret" secret foobar foo
check "another" secret barbaz bar
check "ReplicationControllers without a selector, their Services, one Ingress" k apply -f - <<YAML
apiVersion: v1
kind: ReplicationController
metadata: {name: nginx, labels: {app: nginx}}
spec:
  replicas: 1
  template:
    metadata: {labels: {app: nginx}}
    spec: {containers: [{name: nginx, image: gcr.io/google_containers/nginx, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: ReplicationController
metadata: {name: http-svc, labels: {app: http-svc}}
spec:
  replicas: 1
  template:
    metadata: {labels: {app: http-svc}}
    spec:
      containers:
      - name: http-svc
        image: registry.k8s.io/e2e-test-images/echoserver:2.3
        ports: [{containerPort: 8080}]
        env: [{name: NODE_NAME, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}, {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]
---
apiVersion: v1
kind: Service
metadata: {name: nginx}
spec: {selector: {app: nginx}, ports: [{name: http, port: 80, targetPort: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: http-svc}
spec: {selector: {app: http-svc}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: foo-tls}
spec:
  ingressClassName: nginx
  tls: [{hosts: [foo.bar.com], secretName: foobar}, {hosts: [bar.baz.com], secretName: barbaz}]
  rules:
  - {host: foo.bar.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: http-svc, port: {number: 80}}}}]}}
  - {host: bar.baz.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: nginx, port: {number: 80}}}}]}}
YAML
expect "a selector is made of the template's labels" '^nginx$' field rc/nginx '{.spec.selector.app}'
expect "both names" '^foo-tls +nginx +foo.bar.com,bar.baz.com +[0-9.]* *80, 443 ' k get ingress foo-tls
secure() { # WHO... HOST: the page of a name, by TLS, of which the certificate counts.
    "${@:1:$#-1}" curl -sS --max-time 3 --cacert "$work/${!#%%.*}.crt" --resolve "${!#}:443:$address" "https://${!#}/"
}
eventually "one name leads to the echo" 20 'Hostname: http-svc-' secure on client foo.bar.com
eventually "the other to nginx" 20 'Welcome to nginx!' secure on client bar.baz.com
same "the first has its certificate" "$(fingerprint -in "$work/foo.crt")" "$(shown foo.bar.com)"
same "the second its own" "$(fingerprint -in "$work/bar.crt")" "$(shown bar.baz.com)"
same "the address alone is nobody's" 404 "$(code "$address" /)"
expect "a node sees the same" 'Welcome to nginx!' secure on node-3 bar.baz.com
published_tls=$(kin status --lab "$LAB" | awk '$1 == "ingress-nginx/ingress-nginx-controller" && $2 == "LoadBalancer" && /:443 /{print $4}')
expect "and this machine" 'Welcome to nginx!' curl -sS --max-time 3 --cacert "$work/bar.crt" \
    --connect-to "bar.baz.com:443:$published_tls" https://bar.baz.com/
client_pod inside >/dev/null
ready pod/inside >/dev/null
expect "and a pod" 'Hostname: http-svc-' from inside -k --resolve "foo.bar.com:443:$address" https://foo.bar.com/

scenario ING-07 "Default backend"
echo_app test other >/dev/null
check "an Ingress of nothing else" ingress test <<<'  defaultBackend: {service: {name: test, port: {number: 80}}}'
expect "every host" '^test +nginx +\* +' k get ingress test
seen whatever.com /any/path "test /any/path"
check "a rule" ingress rule < <(rules; host rule.com; path Prefix /x other)
seen rule.com /x "other /x"
status rule.com /y 404
check "kuard" k create deployment kuard --image=gcr.io/kuar-demo/kuard-amd64:1 --replicas=3 --port=8080
check "its Service" k expose deployment kuard --port=80 --target-port=8080
check "takes its place" ingress test <<<'  defaultBackend: {service: {name: kuard, port: {number: 80}}}'
eventually "is healthy" 20 '^ok$' ask whatever.com /healthy
expect "and ready" '^ok$' ask whatever.com /ready
refused "neither rules nor a backend" "must be specified" ingress nothing <<<'  rules: []'

scenario ING-08 "Rewriting paths"
echo_app http-svc web-service api-service >/dev/null
check "with groups" ingress rewrite 'use-regex: "true"' 'rewrite-target: /$2' < <(rules
    host rewrite.bar.com; path ImplementationSpecific '/something(/|$)(.*)' http-svc)
seen rewrite.bar.com /something "http-svc /"
seen rewrite.bar.com /something/ "http-svc /"
seen rewrite.bar.com '/something/new?x=1' 'http-svc /new\?x=1'
status rewrite.bar.com /somethingelse 404
check "the root of an application" ingress approot 'app-root: /app1' < <(rules; host approot.bar.com; path Prefix / http-svc)
eventually "leads on" 10 '^Location: http://approot.bar.com/app1' ask approot.bar.com / -i
same "with 302" 302 "$(code approot.bar.com /)"
seen approot.bar.com /app1 "http-svc /app1"
certificate my myapp.example.com
check "a Secret" secret my my
check "prefixes too" ingress myapp 'rewrite-target: /' < <(tls myapp.example.com my; rules
    host myapp.example.com; path Prefix /api api-service; path Prefix / web-service)
over_tls() {
    on client curl -sSk --max-time 3 --resolve "myapp.example.com:443:$address" "https://myapp.example.com$1" |
        sed -n 's/^Hostname: \(.*\)-[a-z0-9]*-[a-z0-9]*$/\1/p; s/^[[:space:]]*request_uri=[a-z]*:..[^/]*/ /p' | tr -d '\n'
}
eventually "/api/x is / for it" 10 '^api-service /$' over_tls /api/x
eventually "/about as well" 10 '^web-service /$' over_tls /about
check "a redirect" ingress away 'permanent-redirect: https://www.example.com' < <(rules; host away.com; path Prefix / http-svc)
eventually "leads there" 10 '^Location: https://www.example.com' ask away.com / -i
same "with 301" 301 "$(code away.com /)"

scenario ING-12 "Ingress without a class name"
echo_app foo-app >/dev/null
check "no class" k apply -f - <<YAML
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: example-ingress}
spec: {rules: [{http: {paths: [{pathType: Prefix, path: /foo, backend: {service: {name: foo-app, port: {number: 80}}}}]}}]}
YAML
same "is of the default class" nginx "$(field ingress/example-ingress '{.spec.ingressClassName}')"
seen "$address" /foo "foo-app /foo"
status "$address" / 404

check "busybox that writes its pages" k apply -f - <<'YAML'
apiVersion: apps/v1
kind: Deployment
metadata: {name: pages}
spec:
  replicas: 2
  selector: {matchLabels: {app: pages}}
  template:
    metadata: {labels: {app: pages}}
    spec:
      containers:
      - name: c
        image: rancher/mirrored-library-busybox:1.37.0
        args: [sh, -c, 'echo Welcome to nginx! > index.html; hostname > name.html; httpd -vvf']
        ports: [{containerPort: 80}]
---
apiVersion: v1
kind: Service
metadata: {name: pages}
spec: {selector: {app: pages}, ports: [{name: http, port: 80, targetPort: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: pages}
spec: {rules: [{host: foo1.bar.com, http: {paths: [{path: /, pathType: ImplementationSpecific, backend: {service: {name: pages, port: {number: 80}}}}]}}]}
YAML
rolled_out pages >/dev/null
eventually "are served" 20 '^Welcome to nginx!$' ask foo1.bar.com /
both_pods() { [ "$(distinct on client sh -c "$(repeat 10 "-H Host:foo1.bar.com http://$address/name.html")")" = 2 ]; }
check "by both pods within ten requests" until_true 5 both_pods

scenario ING-18 "Fruit, and an Ingress of an API that is gone"
for fruit in apple banana; do
    check "a pod of $fruit" k apply -f - <<YAML
apiVersion: v1
kind: Pod
metadata: {name: $fruit-app, labels: {app: $fruit}}
spec: {containers: [{name: $fruit-app, image: hashicorp/http-echo, args: ["-text=$fruit"]}]}
---
apiVersion: v1
kind: Service
metadata: {name: $fruit-service}
spec: {selector: {app: $fruit}, ports: [{port: 5678}]}
YAML
done
client_pod inside >/dev/null
ready pod/inside >/dev/null
eventually "inside it answers by its Service's name" 20 '^apple$' from inside http://apple-service:5678
refused "extensions/v1beta1 is gone" 'no matches for kind "Ingress" in version "extensions/v1beta1"' k create -f - <<YAML
apiVersion: extensions/v1beta1
kind: Ingress
metadata: {name: example-ingress, annotations: {ingress.kubernetes.io/rewrite-target: /}}
spec: {rules: [{http: {paths: [{path: /apple, backend: {serviceName: apple-service, servicePort: 5678}}]}}]}
YAML
check "the same in networking.k8s.io/v1" k apply -f - <<YAML
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: example-ingress, annotations: {ingress.kubernetes.io/rewrite-target: /}}
spec:
  rules:
  - http:
      paths:
      - {path: /apple, pathType: Prefix, backend: {service: {name: apple-service, port: {number: 5678}}}}
      - {path: /banana, pathType: Prefix, backend: {service: {name: banana-service, port: {number: 5678}}}}
YAML
eventually "/apple" 20 '^apple$' ask "$address" /apple
eventually "/banana" 20 '^banana$' ask "$address" /banana
same "/notfound is nobody's" 404 "$(code "$address" /notfound)"
expect "a pod sees the same" '^banana$' from inside "http://$address/banana"
expect "and this machine" '^apple$' curl -sS --max-time 3 "http://$published/apple"
eventually "an Event tells of the annotation of another controller" 10 'ForeignAnnotation .*ingress.kubernetes.io/rewrite-target' k describe ingress example-ingress

scenario ING-19 "An Ingress that points to the wrong Service port"
check "nginx" k create deployment nginx --image=nginx
check "port 9999" k expose deployment nginx --port=9999 --target-port=80
wrong() {
    ingress nginx 'rewrite-target: /$1' < <(rules; host faulty.ingress.com
        path Prefix / nginx | sed "s/number: 80/number: $1/")
}
check "asked for 3333" wrong 3333
status faulty.ingress.com / 503
eventually "an Event says why" 10 'ServicePortNotFound .*Service ing-19/nginx has no port 3333' k describe ingress nginx
check "asked for 9999" wrong 9999
eventually "it answers" 20 'Welcome to nginx!' ask faulty.ingress.com /

scenario ING-22 "Ingress made on the command line"
check "httpd" k create deployment demo --image=httpd --port=80
check "exposed" k expose deployment demo
check "an Ingress" k create ingress demo-localhost --class=nginx '--rule=demo.localdev.me/*=demo:80'
eventually "it works" 20 'It works!' ask demo.localdev.me /
check "one with TLS" k create ingress x '--rule=h/foo=svc:80,tls=my-secret'
same "names its Secret and host" "my-secret h" "$(field ingress/x '{.spec.tls[0].secretName} {.spec.tls[0].hosts[0]}')"
same "and an exact path" "Exact /foo" "$(field ingress/x '{.spec.rules[0].http.paths[0].pathType} {.spec.rules[0].http.paths[0].path}')"

scenario ING-23 "Ingress classes"
echo_app mine >/dev/null
check "a foreign class" k apply -f - <<YAML
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: foreign}
spec: {controller: example.com/controller}
YAML
of_class() { ingress "$1" < <(rules; host "$1.com"; path Prefix / mine) && k patch ingress "$1" -p "{\"spec\":{\"ingressClassName\":\"$2\"}}"; }
check "an Ingress of it" of_class other foreign
check "one of a class that is not there" of_class lost does-not-exist
check "one by the annotation of old" k apply -f - <<YAML
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: old, annotations: {kubernetes.io/ingress.class: nginx}}
spec: {rules: [{host: old.com, http: {paths: [{pathType: Prefix, path: /, backend: {service: {name: mine, port: {number: 80}}}}]}}]}
YAML
seen old.com / "mine /"
status other.com / 404
status lost.com / 404
address_of() { echo "<$(field "ingress/$1" '{.status.loadBalancer.ingress[0].ip}')>"; }
eventually "the foreign one has no address" 5 '^<>$' address_of other
eventually "nor the lost one" 5 '^<>$' address_of lost
check "another controller's word" k patch ingress other --subresource=status --type=merge \
    -p '{"status":{"loadBalancer":{"ingress":[{"ip":"192.0.2.1"}]}}}'
check "and a change of it" k annotate ingress other some=thing
curl -sf --unix-socket "$SOCKET" -X POST 'http://kin/kin/v1/settle?timeout=20000' >/dev/null
same "is not touched" "<192.0.2.1>" "$(address_of other)"
default_class() { k annotate --overwrite ingressclass "$1" "ingressclass.kubernetes.io/is-default-class=$2"; }
plain() {
    k apply -f - <<YAML
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: $1}
spec: {rules: [{host: $1.com, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: mine, port: {number: 80}}}}]}}]}
YAML
}
check "a class that will be the default" k apply -f - <<YAML
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata:
  name: nginx-example
  labels: {app.kubernetes.io/component: controller}
  annotations: {ingressclass.kubernetes.io/is-default-class: "true"}
spec: {controller: k8s.io/ingress-nginx}
YAML
check "with two defaults" plain between
same "the newest is taken, as the API server does" nginx-example "$(field ingress/between '{.spec.ingressClassName}')"
seen between.com / "mine /"
check "nginx alone" default_class nginx-example false
check "again" plain alone
same "is taken" nginx "$(field ingress/alone '{.spec.ingressClassName}')"
check "the other goes" k delete ingressclass nginx-example
refused "an API that is gone" 'no matches for kind "Ingress" in version "networking.k8s.io/v1beta1"' k apply -f - <<YAML
apiVersion: networking.k8s.io/v1beta1
kind: Ingress
metadata: {name: old}
spec: {rules: [{host: old.com, http: {paths: [{path: /, backend: {serviceName: mine, servicePort: 80}}]}}]}
YAML
check "nginx is tidied up" k delete ingressclass foreign

scenario ING-25 "Regex path priority, and whose a path is"
echo_app service1 service2 service3 >/dev/null
check "plain paths" ingress plain < <(rules; host test.com; path Prefix /foo/bar service1; path Prefix /foo/bar/ service2)
check "and a regex" ingress regex 'rewrite-target: /$1' < <(rules; host test.com; path ImplementationSpecific '/foo/bar/(.+)' service3)
seen test.com /foo/bar/1 "service3 /1"
seen test.com /foo/bar/ "service2 /foo/bar/"
seen test.com /foo/bar "service1 /foo/bar"
seen test.com /FOO/BAR "service1 /FOO/BAR"
check "no regex" ingress broken 'use-regex: "true"' < <(rules; host broken.com; path ImplementationSpecific '/x(' service1; path ImplementationSpecific /y service1)
seen broken.com /y "service1 /y"
eventually "an Event says so" 10 'InvalidRegex .*path /x\( is left out' k describe ingress broken
check "a path that is taken" ingress younger < <(rules; host test.com; path ImplementationSpecific /foo/bar service2)
eventually "an Event names both" 10 'HostPathConflict .*ing-25/younger is left out: the older Ingress ing-25/plain' k describe ingress younger
same "the older keeps it" "service1 /foo/bar" "$(who test.com /foo/bar)"
check "what kin cannot do" ingress guarded 'auth-type: basic' 'enable-cors: "true"' 'no-such: "1"' < <(rules; host guarded.com; path Prefix / service1)
status guarded.com / 503
eventually "is said" 10 'AnnotationRefused .*auth-type: kin does not authenticate' k describe ingress guarded
expect "also what is ignored" 'AnnotationIgnored .*enable-cors' k describe ingress guarded
expect "and what nobody knows" 'UnknownAnnotation .*no-such' k describe ingress guarded

scenario NAMES "Services that stand for names"
echo_app here there >/dev/null
named() { # NAME EXTERNAL-NAME: a Service of type ExternalName.
    k apply -f - <<YAML
apiVersion: v1
kind: Service
metadata: {name: $1}
spec: {type: ExternalName, externalName: $2}
YAML
}
check "one for a Service of this namespace" named inside here.names.svc.cluster.local
check "one for it without the cluster's domain" named short here.names
check "one for the world outside" named outside www.example.com
check "one that nobody knows" named nowhere nowhere.example.com
check "one that would lead to the proxy itself" named self localhost
check "an Ingress" ingress named < <(rules; host named.com; path Prefix /inside inside; path Prefix /short short
    path Prefix /outside outside; path Prefix /nowhere nowhere; path Prefix /self self)
seen named.com /inside "here /inside"
seen named.com /short "here /short"
status named.com /outside 200
status named.com /nowhere 503
status named.com /self 503
eventually "an Event tells of the unknown one" 10 'ExternalNameNotResolved .*names/nowhere stands for nowhere.example.com' k describe ingress named
expect "and of the one that is refused" 'ExternalNameRefused .*names/self stands for localhost' k describe ingress named
check "another name" named inside there.names.svc.cluster.local
seen named.com /inside "there /inside"

scenario ING-26 "Live changes without a restart"
echo_app a b >/dev/null
check "one host" ingress test < <(rules; host a.com; path Prefix / a)
seen a.com / "a /"
check "another" ingress test < <(rules; host a.com; path Prefix / a; host b.com; path Prefix / b)
seen b.com / "b /"
check "no pod" k scale deployment b --replicas=0
status b.com / 503
check "two" k scale deployment b --replicas=2
status b.com / 200
check "it is gone" ingress test < <(rules; host a.com; path Prefix / a)
status b.com / 404
check "no controller" k scale -n ingress-nginx deployment ingress-nginx-controller --replicas=0
eventually "nobody answers" 10 "$REFUSED|$TIMEOUT" ask a.com /
eventually "and the address goes" 10 '^<>$' address_of test
check "one again" k scale -n ingress-nginx deployment ingress-nginx-controller --replicas=1
status a.com / 200
eventually "with its address" 10 "^<$address>\$" address_of test
check "the Ingress goes" k delete ingress test
status a.com / 404

end_scenario
rm -rf "$work"
finish
