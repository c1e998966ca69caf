#!/bin/bash
# What people do with kubectl beside create and get: each verb answers as on any cluster.
source "$(dirname "$0")/lib.sh"

start_lab
work=$(mktemp -d)
manifest() { # manifest REPLICAS: a Deployment without pods to wait for
    cat <<EOF
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: $1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: nginx}]}
EOF
}
manifest 0 >"$work/0.yaml"
manifest 1 >"$work/1.yaml"

expect "explain" "How old pods are replaced" k explain deployment.spec.strategy
expect "explain --recursive" "livenessProbe" k explain pod.spec --recursive
expect "api-resources" "networkpolicies +netpol +networking.k8s.io/v1 +true" k api-resources
expect "api-versions" "discovery.k8s.io/v1" k api-versions

expect "apply creates" "web created" k apply -f "$work/0.yaml"
expect "apply again changes nothing" "web unchanged" k apply -f "$work/0.yaml"
expect "diff shows what would change" "^\+  replicas: 1" k diff -f "$work/1.yaml"
expect "apply --dry-run=server says so" "configured \(server dry run\)" \
    k apply --dry-run=server -f "$work/1.yaml"
expect "and changes nothing" "^0$" k get deploy web -o jsonpath='{.spec.replicas}{"\n"}'
expect "apply --server-side" "web serverside-applied" k apply --server-side -f "$work/0.yaml"
expect "another manager meets a conflict" "conflict with \"kubectl\".*replicas" \
    k apply --server-side --field-manager=other -f "$work/1.yaml"
expect "unless forced" "web serverside-applied" \
    k apply --server-side --field-manager=other --force-conflicts -f "$work/1.yaml"

expect "patch, strategic" "web patched" k patch deploy web -p '{"spec":{"replicas":0}}'
expect "patch, merge" "web patched" \
    k patch deploy web --type=merge -p '{"metadata":{"labels":{"x":"y"}}}'
expect "patch, json" "web patched" \
    k patch deploy web --type=json -p '[{"op":"remove","path":"/metadata/labels/x"}]'
expect "patch with nothing new" "no change" k patch deploy web -p '{"spec":{"replicas":0}}'
expect "a patch of the wrong type" "Invalid.*patch|is invalid: patch" \
    k patch deploy web --type=merge -p '{"spec":{"replicas":"many"}}'
expect "replace" "web replaced" k replace -f "$work/0.yaml"
KUBE_EDITOR="sed -i 's/  replicas: 0/  replicas: 1/'" expect "edit" "web edited" k edit deploy web
KUBE_EDITOR=true expect "edit without a change" "no changes made" k edit deploy web

expect "label" "web labeled" k label deploy web tier=front
expect "label needs --overwrite" "already has a value" k label deploy web tier=back
expect "label is gone" "web unlabeled" k label deploy web tier-
expect "annotate" "web annotated" k annotate deploy web note=hello

expect "get -o wide" "CONTAINERS +IMAGES" k get deploy -o wide
expect "get -o yaml" "^  replicas: 1" k get deploy web -o yaml
expect "get -o jsonpath" "^nginx$" \
    k get deploy web -o jsonpath='{.spec.template.spec.containers[0].image}{"\n"}'
expect "get -o custom-columns" "^web +1$" \
    k get deploy -o custom-columns=NAME:.metadata.name,N:.spec.replicas
check "a pod runs" k rollout status deployment/web --timeout=30s
expect "field selector" "pod/web-" k get pods --field-selector=status.phase=Running -o name
expect "a field nobody can select by" "field label not supported: foo" \
    k get pods --field-selector=foo=bar
expect "get --watch sees a change" "watched=yes" bash -c \
    "'$KIN' kubectl --lab $LAB get ns default --watch --request-timeout=$(stretched 5)s --show-labels |
     while read -r line; do
         echo \"\$line\"
         [[ \$line == *watched=yes* ]] && break
         '$KIN' kubectl --lab $LAB label ns default watched=yes >/dev/null
     done"

refused "--as acts as somebody else, who may not" 'User "bob" cannot delete resource "pods"' \
    k delete pod any --as=bob
expect "and says so" '^no$' k auth can-i delete pods --as=bob
expect "all namespaces at once are not deleted" '^405$' api /api/v1/namespaces -X DELETE
expect "a watch of metadata is told its place in its own kind" '"kind":"PartialObjectMetadata".*initial-events-end' \
    api '/api/v1/configmaps?watch=1&allowWatchBookmarks=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&timeoutSeconds=1' \
    -H 'Accept: application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1'
expect "a kind that nobody knows" 'no matches for kind "Foo" in version "v1"' \
    bash -c "echo '{\"apiVersion\":\"v1\",\"kind\":\"Foo\",\"metadata\":{\"name\":\"x\"}}' |
             '$KIN' kubectl --lab $LAB create -f -"
expect "a name that is taken" "AlreadyExists|already exists" k create namespace default
# silent COMMAND...: its output, if it did not warn.
silent() {
    local output
    output=$("$@" 2>&1)
    grep -q Warning <<<"$output" || echo "$output"
}
for object in "ingress" "ingressclass"; do
    expect "$object acts, and so comes without a warning" "^$object.networking.k8s.io/all created\$" silent k apply -f - <<EOF
apiVersion: networking.k8s.io/v1
$(case $object in
    ingress) echo 'kind: Ingress
metadata: {name: all}
spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}' ;;
    ingressclass) echo 'kind: IngressClass
metadata: {name: all}
spec: {controller: example.com/none}' ;;
esac)
EOF
done
expect "a HorizontalPodAutoscaler warns: it does not act" "Warning: kin stores this" k autoscale deploy web --min=1 --max=3 --cpu=80%
expect "and is there" '^web +Deployment/web .* 1 +3 ' k get hpa
expect "so does a PodDisruptionBudget" "Warning: kin stores this" k create poddisruptionbudget web --selector=app=web --min-available=1
expect "and is there" '^web +1 +N/A ' k get pdb
for old in /apis/autoscaling/v2beta2/namespaces/default/horizontalpodautoscalers /apis/extensions/v1beta1/ingresses \
    /apis/networking.k8s.io/v1beta1 /apis/policy/v1beta1/poddisruptionbudgets; do
    expect "$old is not there" '404$' api $old
done
expect "a known group says so in a Status" '"reason": ?"NotFound"' api /apis/policy/v1beta1/poddisruptionbudgets
expect "a manifest of an old version" 'no matches for kind "Ingress" in version "networking.k8s.io/v1beta1"' \
    bash -c "echo '{\"apiVersion\":\"networking.k8s.io/v1beta1\",\"kind\":\"Ingress\",\"metadata\":{\"name\":\"x\"}}' |
             '$KIN' kubectl --lab $LAB create -f -"
expect "a service account's token is a JSON Web Token" '^[^.]+\.[^.]+\.[^.]+$' k create token default
rm -rf "$work"
finish
