#!/bin/bash
# Manifests by curl, and what a mistake is answered with: Kubernetes' code, reason and field path,
# and nothing changed.
source "$(dirname "$0")/lib.sh"

# put FILE CONTENT-TYPE? : applies standard input by the socket.
put() { api /apply -T -; }
# post PATH: creates standard input, JSON or YAML.
post() { api "$1" -X POST -H "Content-Type: ${2:-application/yaml}" --data-binary @-; }
# answers WHAT CODE PATTERN COMMAND...: the status code and the body, of a command reading stdin.
answers() {
    local what=$1 code=$2 pattern=$3 output
    shift 3
    output=$("$@" 2>&1)
    if [ "$(tail -1 <<<"$output")" = "$code" ] && grep -Eq -- "$pattern" <<<"$output"; then
        ok "$what"
    else
        bad "$what (wanted: $code, $pattern)"
        head -20 <<<"$output" | cut -c1-300 | sed 's/^/       | /'
    fi
}
config_maps=/api/v1/namespaces/default/configmaps

start_lab
answers "a file of several documents is applied" 200 'service/web created' \
    api /apply -T examples/02-web.yaml
answers "and again" 200 'service/web unchanged' api /apply -T examples/02-web.yaml
check "its pods come" k rollout status deployment/web --timeout=30s
revision=$(k get deployment,service,configmap -o jsonpath='{.items[*].metadata.resourceVersion}')

answers "broken YAML names its line" 400 'yaml: line [45]' put <<'YAML'
apiVersion: v1
kind: ConfigMap
metadata:
  name: [broken
YAML
answers "a broken document keeps the ones before it from being applied" 400 'yaml: line' put <<'YAML'
apiVersion: v1
kind: ConfigMap
metadata: {name: before}
---
apiVersion: v1
kind: [
YAML
answers "an unknown kind" 404 'no matches for kind "Gadget" in version "example.org/v1"' put <<'YAML'
apiVersion: example.org/v1
kind: Gadget
metadata: {name: a}
YAML
answers "an unknown field, strictly" 400 'unknown field \\?"datum' \
    post "$config_maps?fieldValidation=Strict" <<'YAML'
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
datum: {}
YAML
answers "a wrong type" 400 'cannot unmarshal number|BadRequest' post $config_maps <<'YAML'
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
data: {key: 5}
YAML
answers "a bad name, with the field's path" 422 '"field": ?"metadata.name"' post $config_maps <<'YAML'
apiVersion: v1
kind: ConfigMap
metadata: {name: Not_A_Name}
YAML
answers "a bad port, with the field's path" 422 '"field": ?"spec.ports\[0\].port"' \
    post /api/v1/namespaces/default/services <<'YAML'
apiVersion: v1
kind: Service
metadata: {name: a}
spec: {ports: [{port: 99999}]}
YAML
answers "a missing namespace" 404 '"reason": ?"NotFound"' \
    post /api/v1/namespaces/nowhere/configmaps <<'YAML'
apiVersion: v1
kind: ConfigMap
metadata: {name: a}
YAML
answers "a taken name" 409 '"reason": ?"AlreadyExists"' \
    post /api/v1/namespaces/default/services <<'YAML'
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{port: 80}]}
YAML
answers "a stale write" 409 '"reason": ?"Conflict"' \
    api /api/v1/namespaces/default/services/web -X PUT -H 'Content-Type: application/json' \
    --data-binary "$(k get service web -o json | sed 's/"resourceVersion": "[0-9]*"/"resourceVersion": "1"/')"
answers "another kind than the address says" 400 'does not match|BadRequest' post $config_maps <<'YAML'
apiVersion: v1
kind: Secret
metadata: {name: a}
YAML
answers "an unknown media type" 415 'UnsupportedMediaType' post $config_maps text/csv <<<'a,b'
answers "no such address" 404 '' api /api/v1/namespaces/default/gadgets
head -c 4000000 /dev/zero | tr '\0' a >"/tmp/$LAB.big"
answers "an oversize body" 413 '"reason": ?"RequestEntityTooLarge"' \
    api $config_maps -X POST -H 'Content-Type: application/json' --data-binary "@/tmp/$LAB.big"
refused "kubectl names an unknown field" 'unknown field "spec.replica"' \
    k create -f tests/e2e/unknown_field.yaml
refused "an immutable field" 'field is immutable' k patch deployment web --type=merge \
    -p '{"spec":{"selector":{"matchLabels":{"app":"other"}}}}'
refused "a taken cluster IP" 'provided IP is already allocated' k create service clusterip twin \
    --clusterip="$(k get service web -o jsonpath='{.spec.clusterIP}')" --tcp=80
expect "a dry run is answered" 'configured|unchanged|created' k apply --dry-run=server -f examples/02-web.yaml

same "and nothing changed" "$revision" \
    "$(k get deployment,service,configmap -o jsonpath='{.items[*].metadata.resourceVersion}')"
finish
