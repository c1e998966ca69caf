#!/bin/bash
# What every implementation of Ingress must do, over real HTTP: the table of path types of the documentation of
# Kubernetes row by row, and the scenarios of SIG Network's conformance tests (default backend, host rules, path
# rules, ingress class, load balancing).
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/walk.sh"

start_lab
work=$(mktemp -d)
chmod 755 "$work" # What runs in the lab may read it.

# echo_service NAME...: each a pod that tells of itself and of the request, behind a Service on port 8080.
echo_service() {
    local name
    for name in "$@"; do
        k create deployment "$name" --image=registry.k8s.io/echoserver:1.10 --port=8080
        k expose deployment "$name" --port=8080
        k patch service "$name" --type=json -p '[{"op": "add", "path": "/spec/ports/0/name", "value": "http"}]'
    done >/dev/null
    for name in "$@"; do rolled_out "$name" >/dev/null || bad "Deployment $name"; done
}
# ingress NAME: an Ingress whose spec comes on stdin, indented by two; returns once it has an address.
ingress() {
    { printf 'apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: %s}\nspec:\n' "$1" && cat; } |
        k apply -f - >/dev/null || bad "Ingress $1"
    check "its status shows where it is exposed" \
        k wait "--for=jsonpath={.status.loadBalancer.ingress[0].ip}" "ingress/$1" --timeout=10s
    address=$(field "ingress/$1" '{.status.loadBalancer.ingress[0].ip}')
    settled
}
# Routes are in force as soon as the Ingress shows an address and kin has nothing left to do.
settled() { curl -sf --unix-socket "$SOCKET" -X POST 'http://kin/kin/v1/settle?timeout=20000' >/dev/null; }
rules() { echo '  rules:'; }
host() { printf "  - host: '%s'\n    http:\n      paths:\n" "$1"; }
path() { echo "      - {pathType: $1, path: $2, backend: {service: {name: $3, port: {${4:-number: 8080}}}}}"; }

# round_trip METHOD URL [CURL OPTION...]: sent to the Ingress's address, whatever the URL's host; the answer is in
# $answer (head and body).
round_trip() {
    answer=$(on client curl -si --max-time 5 -X "$1" --connect-to "::$address:" "${@:3}" "$2" | tr -d '\r')
}
answered_by() { # STATUS [SERVICE [PATH]]
    local status service path
    status=$(sed -n '1s/^HTTP[^ ]* \([0-9]*\).*/\1/p' <<<"$answer")
    service=$(sed -n 's/^Hostname: \(.*\)-[a-z0-9]*-[a-z0-9]*$/\1/p' <<<"$answer")
    path=$(sed -n 's/^[[:space:]]*request_uri=https*:..[^/]*//p' <<<"$answer")
    echo "$status${service:+ $service}${path:+ $path}"
}
request_says() { sed -n "s/^[[:space:]]*$1=//p" <<<"$answer"; }
# gives WHAT WANTED METHOD URL: WANTED is "404" or "200 SERVICE PATH".
gives() {
    round_trip "${@:3}"
    same "$1" "$2" "$(answered_by)"
}

scenario TABLE "Path types, as the documentation of Kubernetes has them"
echo_service first second third rest
# Type:path of each path, in their order; what is asked; the number of the path that takes it, or "-".
table='Prefix:/ | / | 1
Prefix:/ | /any/thing | 1
Exact:/foo | /foo | 1
Exact:/foo | /bar | -
Exact:/foo | /foo/ | -
Exact:/foo/ | /foo | -
Prefix:/foo | /foo | 1
Prefix:/foo | /foo/ | 1
Prefix:/foo/ | /foo | 1
Prefix:/foo/ | /foo/ | 1
Prefix:/aaa/bb | /aaa/bbb | -
Prefix:/aaa/bbb | /aaa/bbb | 1
Prefix:/aaa/bbb/ | /aaa/bbb | 1
Prefix:/aaa/bbb | /aaa/bbb/ | 1
Prefix:/aaa/bbb | /aaa/bbb/ccc | 1
Prefix:/aaa/bbb | /aaa/bbbxyz | -
Prefix:/ Prefix:/aaa | /aaa/ccc | 2
Prefix:/ Prefix:/aaa Prefix:/aaa/bbb | /aaa/bbb | 3
Prefix:/ Prefix:/aaa Prefix:/aaa/bbb | /ccc | 1
Prefix:/aaa | /ccc | -
Prefix:/foo Exact:/foo | /foo | 2'
readonly services=(- first second third)
row_rules() {
    local paths number=0 one turn
    rules
    while IFS='|' read -r paths _; do
        host "row-$((++number)).test"
        turn=0
        for one in $paths; do path "${one%%:*}" "${one#*:}" "${services[++turn]}"; done
    done <<<"$table"
}
ingress table < <(row_rules)
every_row() { # HEADING DEFAULT: what nobody takes is answered by DEFAULT.
    local paths asked taker number=0 what
    while IFS='|' read -ru 3 paths asked taker; do
        asked=${asked// /} taker=${taker// /} what="$paths: ${asked// /}"
        if [ "$taker" = - ]; then
            gives "$what is not taken $1" "${2//PATH/$asked}" GET "http://row-$((++number)).test$asked"
        else
            gives "$what" "200 ${services[taker]} $asked" GET "http://row-$((++number)).test$asked"
        fi
    done 3<<<"$table"
}
every_row "" 404
ingress table < <(echo '  defaultBackend: {service: {name: rest, port: {number: 8080}}}'; row_rules)
every_row "and goes to the default backend" "200 rest PATH"

scenario DEFAULT-BACKEND "An Ingress without rules sends everything to its default backend"
echo_service echo-service
ingress default-backend <<<'  defaultBackend: {service: {name: echo-service, port: {number: 8080}}}'
while read -ru 3 method name what; do
    [ "$name" = - ] && name=$address
    gives "$method $name$what" "200 echo-service $what" "$method" "http://$name$what"
    same "  in HTTP/1.1, both ways" "HTTP/1.1 1.1" "${answer%% *} $(request_says request_version)"
    same "  by its method" "$method" "$(request_says method)"
    expect "  of this client" '^curl/' request_says user-agent
    for field in Content-Length Content-Type Date Server; do
        case $'\n'${answer,,} in
        *$'\n'"${field,,}: "*) ;;
        *$'\n'"transfer-encoding: chunked"*) [ $field = Content-Length ] || bad "  no $field" ;;
        *) bad "  no $field" ;;
        esac
    done
done 3<<'REQUESTS'
GET my-host /
GET my-host /sub-path
POST some-host /
PUT - /resource
DELETE some-host /resource
PATCH my-host /resource
REQUESTS
k delete ingress default-backend >/dev/null

scenario HOST-RULES "Rules for a name and for a wildcard, with TLS"
echo_service wildcard-foo-com foo-bar-com
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout "$work/key" -out "$work/crt" \
    -subj /CN=foo.bar.com -addext subjectAltName=DNS:foo.bar.com 2>/dev/null
chmod 644 "$work/key"
check "a Secret" k create secret tls conformance-tls --key "$work/key" --cert "$work/crt"
ingress host-rules < <(echo '  tls: [{hosts: [foo.bar.com], secretName: conformance-tls}]'; rules
    host '*.foo.com'; path Prefix / wildcard-foo-com; host foo.bar.com; path Prefix / foo-bar-com 'name: http')
gives "TLS for the name, with its certificate" "200 foo-bar-com /" GET https://foo.bar.com --cacert "$work/crt"
same "the pod sees the name" foo.bar.com "$(request_says host)"
# As with ingress-nginx, a host that has TLS redirects.
gives "HTTP for the name, which leads to TLS" "308" GET http://foo.bar.com
answer=$(on client curl -sL --max-time 5 --connect-to "::$address:" --cacert "$work/crt" http://foo.bar.com)
expect "  where who follows is answered" '^Hostname: foo-bar-com-' echo "$answer"
k annotate ingress host-rules nginx.ingress.kubernetes.io/ssl-redirect=false >/dev/null
settled
gives "HTTP for the name, where no redirect is wanted" "200 foo-bar-com /" GET http://foo.bar.com
same "the pod sees the name" foo.bar.com "$(request_says host)"
gives "another name" 404 GET http://subdomain.bar.com
gives "one label for the wildcard" "200 wildcard-foo-com /" GET http://bar.foo.com
same "the pod sees the name" bar.foo.com "$(request_says host)"
gives "two labels" 404 GET http://baz.bar.foo.com
gives "no label" 404 GET http://foo.com

scenario PATH-RULES "Exact paths and prefixes, together and apart"
echo_service foo-exact foo-prefix aaa-slash-bbb-prefix aaa-prefix aaa-slash-bbb-slash-prefix foo-slash-exact
ingress path-rules < <(rules
    host exact-path-rules; path Exact /foo foo-exact
    host prefix-path-rules; path Prefix /foo foo-prefix; path Prefix /aaa/bbb aaa-slash-bbb-prefix; path Prefix /aaa aaa-prefix
    host mixed-path-rules; path Prefix /foo foo-prefix; path Exact /foo foo-exact
    host trailing-slash-path-rules; path Prefix /aaa/bbb/ aaa-slash-bbb-slash-prefix; path Exact /foo/ foo-slash-exact)
while IFS='|' read -ru 3 what url service; do
    wanted=404
    [ -z "$service" ] || wanted="200 $service /${url#*/}"
    gives "$what" "$wanted" GET "http://$url"
done 3<<'REQUESTS'
an exact path|exact-path-rules/foo|foo-exact
is not taken with a slash more|exact-path-rules/foo/|
nor in capitals|exact-path-rules/FOO|
nor is another|exact-path-rules/bar|
a prefix|prefix-path-rules/foo|foo-prefix
is taken with a slash more|prefix-path-rules/foo/|foo-prefix
not in capitals|prefix-path-rules/FOO|
the longest prefix counts|prefix-path-rules/aaa/bbb|aaa-slash-bbb-prefix
for what is below it too|prefix-path-rules/aaa/bbb/ccc|aaa-slash-bbb-prefix
and the shorter one for the rest|prefix-path-rules/aaa/ccc|aaa-prefix
a prefix ends where an element does|prefix-path-rules/aaaccc|
a slash at the end of a request counts for nothing|prefix-path-rules/foo/|foo-prefix
an exact path comes before a prefix|mixed-path-rules/foo|foo-exact
nor does one at the end of a prefix|trailing-slash-path-rules/aaa/bbb|aaa-slash-bbb-slash-prefix
which both may have|trailing-slash-path-rules/aaa/bbb/|aaa-slash-bbb-slash-prefix
but an exact path is all of itself|trailing-slash-path-rules/foo|
REQUESTS

scenario INGRESS-CLASS "A class that nobody has"
echo_service ingress-class-prefix
{ printf 'apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: test-ingress-class}\nspec:\n  ingressClassName: some-invalid-class-name\n'
    rules; host ingress-class; path Prefix / ingress-class-prefix; } | k apply -f - >/dev/null
settled
same "gets no address" "" "$(field ingress/test-ingress-class '{.status.loadBalancer.ingress}')"
gives "and no requests" 404 GET http://ingress-class/

scenario LOAD-BALANCING "All pods of a Service get requests"
echo_service echo-service
ingress load-balancing <<<'  defaultBackend: {service: {name: echo-service, port: {number: 8080}}}'
check "ten of them" k scale deployment echo-service --replicas=10
rolled_out echo-service >/dev/null
settled
on client sh -c "for i in \$(seq 100); do curl -s -w '%{http_code}\n' -H Host:load-balancing http://$address/; done" >"$work/answers"
same "100 requests, all answered" 100 "$(grep -c '^200$' "$work/answers")"
same "by ten pods" 10 "$(grep '^Hostname: ' "$work/answers" | sort -u | wc -l)"

end_scenario
rm -rf "$work"
finish
