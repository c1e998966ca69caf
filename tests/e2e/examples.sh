#!/bin/bash
# Every example: what its comment says to type is typed, and what it says one sees is seen.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/documents.sh"

start_lab

# What is there of kinds that examples make, outside of the control plane's namespaces.
left() {
    k get all,ingress,networkpolicy,secret,configmap,namespace -A --no-headers \
        -o custom-columns=KIND:.kind,NAMESPACE:.metadata.namespace,NAME:.metadata.name |
        grep -Ev ' (kube-system|kube-public|kube-node-lease|ingress-nginx) '
}
as_before() { [ "$(left)" = "$before" ]; }
before=$(left)

# curl_changes FILE: the API takes it by curl alone; of what it says then, all that is not "unchanged".
curl_changes() { api /apply -T "$1" | grep -Ev ' unchanged$|^$|^Warning: '; }

for file in examples/[0-9]*.yaml; do
    says_so "$file"
    expect "$file: the API takes it by curl alone, too" '^200$' api /apply -T "$file"
    same "$file: once more, and nothing changes" 200 "$(curl_changes "$file")"
    check "$file: it goes" k delete --ignore-not-found -f "$file" --timeout=60s
    check "$file: and leaves nothing" until_true 20 as_before
done

# A comment that is not true is found, at the command that it belongs to.
# lie WHAT SED-EXPRESSION COMMAND: 01 with a change in its comment does not pass there.
lie() {
    sed "$2" examples/01-two-pods.yaml >"$work/lie.yaml"
    check "$1: it is another text" test -n "$(diff examples/01-two-pods.yaml "$work/lie.yaml")"
    refused "$1: is found" "^lie.yaml: [$] $3" types lie.yaml
    k delete -f examples/01-two-pods.yaml --ignore-not-found >/dev/null
}
lie "another answer" '/\/hostname$/{n;s/right/left/}' 'kubectl exec left -- curl .*/hostname'
lie "the address of another pod" '/\/clientip$/{n;s/10.244.1.3/10.244.2.3/}' \
    'kubectl exec left -- curl .*/clientip'
lie "a line more" '/pod\/right created/a #   pod/middle created' 'kubectl apply'
lie "a line less" '/pod\/right created/d' 'kubectl apply'

rm -rf "$work"
finish
