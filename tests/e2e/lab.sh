#!/bin/bash
# kin's own verbs: what they say, what they leave, and two labs at once.
source "$(dirname "$0")/lib.sh"

OTHER=$LAB-b
start_lab
expect "version" '^kin [0-9.]+ \(Kubernetes API v1\.[0-9]+\)$' kin version
expect "doctor" 'This machine can run kin' kin doctor
expect "doctor looks for ping" '^. ping$' kin doctor
[ "$(id -u)" = 61234 ] &&
    expect "doctor knows that this user has no range of ids" '^- several user ids' kin doctor
expect "status names the hosts" '^internet +203\.0\.113\.20' kin status --lab "$LAB"
eventually "and counts the pods" 20 '^pods +9 Running$' kin status --lab "$LAB"
expect "the socket serves the API" '"kind": ?"PodList"' api /api/v1/pods
same "only its owner may use the socket and the kubeconfig" "600 600" \
    "$(stat -c %a "$SOCKET" "$(kin kubeconfig --lab "$LAB")" | xargs)"
refused "up again" 'is running already.*kin status' kin up --lab "$LAB" --detach

config=$(kin kubeconfig --lab "$LAB")
same "kubeconfig --print prints that file" "$(cat "$config")" \
    "$(kin kubeconfig --lab "$LAB" --print)"
mine=$(mktemp -d)
cat >"$mine/config" <<'YAML'
apiVersion: v1
kind: Config
preferences: {}
current-context: work
contexts: [{name: work, context: {cluster: work, user: me}}]
clusters: [{name: work, cluster: {server: "https://work.example.org"}}]
users: [{name: me, user: {token: secret}}]
YAML
check "kubeconfig --merge" env KUBECONFIG="$mine/config" "$KIN" kubeconfig --lab "$LAB" --merge
mine_has() { KUBECONFIG=$mine/config k_plain config view -o "jsonpath=$1"; }
k_plain() { "$(kubectl_program)" "$@"; }
kubectl_program() {
    local place
    for place in "${KIN_KUBECTL:-}" ~/.cache/kin/kubectl /usr/local/lib/kin/kubectl; do
        [ -x "$place" ] && echo "$place" && return
    done
    echo kubectl
}
same "keeps what was there" "https://work.example.org" \
    "$(mine_has '{.clusters[?(@.name=="work")].cluster.server}')"
same "makes the lab current" "$LAB" "$(mine_has '{.current-context}')"
KUBECONFIG=$mine/config expect "plain kubectl reaches the lab" 'node-1' k_plain get nodes
check "merging twice adds nothing" env KUBECONFIG="$mine/config" \
    "$KIN" kubeconfig --lab "$LAB" --merge
same "two contexts" "2" "$(mine_has '{.contexts[*].name}' | wc -w)"

for host in node-1 node-3 router client internet; do
    expect "exec on $host" 'eth0' on $host ip -o link
done
[ "$AS" = root ] && expect "no group of the host's comes along" '^0$' \
    setpriv --groups=0,4,27 "$KIN" exec --lab "$LAB" node-1 -- id -G
expect "a shell takes commands from its input" '172\.30\.0\.3' \
    sh -c "echo 'ip -o -4 address show dev eth0' | '$KIN' shell --lab $LAB node-2"
refused "a host that is not there" 'there is no host node-9; this lab has: node-1' on node-9 true
refused "a program that is not there" 'nonsense: No such file' on node-1 nonsense
refused "a failing command's code comes back" '^$' on node-1 false
refused "an unknown verb" 'there is no foo. See: kin --help' kin foo
refused "kubectl's verb without kubectl" 'kin kubectl get pods' kin get pods
refused "a lab that does not run" 'is not running. Start it: kin up --lab nope' \
    kin status --lab nope
refused "also for kubectl" 'is not running. Start it: kin up --lab nope' \
    kin kubectl --lab nope get pods
expect "KIN_LAB names it, too" "^lab +$LAB " env KIN_LAB="$LAB" "$KIN" status
expect "so does --lab before the verb" "^lab +$LAB " env KIN_LAB=nope "$KIN" --lab "$LAB" status
expect "and behind it, which counts more" "^lab +$LAB " kin --lab nope status --lab "$LAB"
refused "behind kubectl's own verb it is not read" 'kin kubectl --lab NAME' \
    kin kubectl get pods --lab nope
refused "a name that is no label" 'is no name for a lab' kin up --lab No_Label
refused "too many nodes" 'not in range 1 to 20' kin up --lab nope --nodes 21
expect "help" 'Start here' kin help

# Two labs side by side; the second one's port is taken.
port=$(kin status --lab "$LAB" --json | sed -n 's/.*"api_port": \([0-9]*\).*/\1/p')
expect "a second lab says that the port was taken" "port $port was taken" \
    kin up --lab "$OTHER" --nodes 1 --detach --api-port "$port"
same "it has one node of its own" "node-1" \
    "$(kin kubectl --lab "$OTHER" get nodes -o jsonpath='{.items[*].metadata.name}')"
check "an object in the first" k create configmap mine
refused "is not in the second" NotFound kin kubectl --lab "$OTHER" get configmap mine
expect "status of a third names both" "Running: .*$LAB, $OTHER" kin status --lab nope
check "down of the second" kin down --lab "$OTHER"
expect "leaves the first" 'node-3 +Ready' k get nodes
expect "up again has as many nodes as before" '1 node Ready' \
    kin up --lab "$OTHER" --detach --api-port 0
check "reset ends and removes it" kin reset --yes --lab "$OTHER"
refused "nothing of it is there" 'was never started' kin kubeconfig --lab "$OTHER"
expect "reset of nothing asks nothing" "^there is no lab $OTHER" kin reset --lab "$OTHER"

# How pods and nodes are joined: chosen at any start, remembered till another choice.
refused "a way to attach pods that there is not" 'there is no foo; there is: ptp, bridge' \
    kin up --lab nope --cni foo
refused "a way between nodes that there is not" 'there is no bar; there is: none, vxlan' \
    env KIN_OVERLAY=bar "$KIN" up --lab nope
up_other() { env -u KIN_CNI -u KIN_OVERLAY "$KIN" up --lab "$OTHER" --detach --api-port 0 "$@"; }
k_other() { kin kubectl --lab "$OTHER" "$@"; }
network_is() { # CNI OVERLAY ROUTE TO OWN PODS
    expect "status says $1 and $2" "^network +cni $1 \(.*overlay $2 \(" kin status --lab "$OTHER"
    same "the nodes' labels, too" "$1 $2" "$(k_other get nodes -L kin.internal/cni,kin.internal/overlay \
        --no-headers | awk '{print $(NF - 1), $NF}' | sort -u)"
    expect "and the log of the network agent" "^cni $1: .*overlay $2: " sh -c \
        "'$KIN' kubectl --lab $OTHER -n kube-system logs daemonset/kin-network --tail=2 | xargs"
    check "the pod runs" k_other wait --for=condition=Ready pod/stays --timeout=20s
    expect "its node's kernel has it so" "$3" kin exec --lab "$OTHER" node-1 -- ip route
    expect "it reaches the API by its name" '^ok$' k_other exec stays -- \
        curl -sk --max-time 5 https://kubernetes.default/readyz
}
check "a lab by default" up_other --nodes 2
check "with a pod" k_other run stays --image=nginx --overrides='{"spec":{"nodeName":"node-1"}}'
network_is ptp none '^10\.244\.1\.[0-9]+ dev veth'
check "it ends" kin down --lab "$OTHER"
check "bridge and vxlan are chosen" up_other --cni bridge --overlay vxlan
network_is bridge vxlan '^10\.244\.1\.0/24 dev cni0 '
check "another node, so that what is remembered is written again" kin node add --lab "$OTHER"
check "it ends" kin down --lab "$OTHER"
check "nothing is said" up_other
network_is bridge vxlan '^10\.244\.3\.0/24 via 10\.244\.3\.0 dev vxlan\.1 .*onlink'
check "it ends" kin down --lab "$OTHER"
check "the environment says as much as the flag" env -u KIN_OVERLAY KIN_CNI=ptp \
    "$KIN" up --lab "$OTHER" --detach --api-port 0 --overlay none
network_is ptp none '^10\.244\.2\.0/24 via 172\.30\.0\.3 dev eth0'
check "the other lab goes" kin reset --yes --lab "$OTHER"

# The same cluster after down and up, and a lab in the foreground that Ctrl-C ends.
check "down" kin down --lab "$LAB"
host_is_untouched "after down"
refused "down again" 'is not running' kin down --lab "$LAB"
setsid "$KIN" up --lab "$LAB" --api-port 0 >"/tmp/$LAB.foreground" 2>&1 &
launcher=$!
eventually "in the foreground it says how to end it" 30 'Ctrl-C ends the lab' \
    cat "/tmp/$LAB.foreground"
expect "the object is still there" 'configmap/mine' k get configmap mine -o name
kill -INT -- -$launcher
until_true 15 sh -c "! kill -0 $launcher"
wait $launcher
same "SIGINT, as Ctrl-C sends it to the whole group, ends it in good order" 0 $?
refused "nothing runs" 'is not running' kin status --lab "$LAB"
start_again() { "$KIN" up --lab "$LAB" --detach --api-port 0; }
if [ "$AS" = user ]; then
    check "an XDG_RUNTIME_DIR that is not there is dealt with" \
        env XDG_RUNTIME_DIR=/nonexistent "$KIN" up --lab "$LAB" --detach --api-port 0
else
    check "up once more" start_again
fi
rm -rf "$mine"

# A lab of a kin that knew no Ingress gets what came with it, once.
check "the controller of Ingress goes" k delete namespace ingress-nginx --timeout=30s
check "its class too" k delete ingressclass nginx
check "and the mark is that of an older kin" \
    k annotate --overwrite namespace kube-system kin/first-objects-created=true
check "down" kin down --lab "$LAB"
check "up" start_again
eventually "the controller comes" 20 'ingress-nginx-controller +1/1' k get -n ingress-nginx deployments
expect "and the class" '^nginx +k8s.io/ingress-nginx' k get ingressclass
same "whose annotations are upstream's alone" '{"ingressclass.kubernetes.io/is-default-class":"true"}' \
    "$(k get ingressclass nginx -o 'jsonpath={.metadata.annotations}')"
check "who deletes it now" k delete ingressclass nginx
check "down" kin down --lab "$LAB"
check "up" start_again
refused "has deleted it" NotFound k get ingressclass nginx

# Downloaded to /tmp and tried there: pods have all of kin's own programs.
cp "$KIN" "/tmp/$LAB.kin"
check "kin from /tmp" "/tmp/$LAB.kin" up --lab "$OTHER" --detach --api-port 0
check "a pod" kin kubectl --lab "$OTHER" run shell --image=debian -- sleep infinity
check "runs" kin kubectl --lab "$OTHER" wait --for=condition=Ready pod/shell --timeout=20s
expect "its nc is kin" /.kin/bin/kin \
    kin kubectl --lab "$OTHER" exec shell -- sh -c 'readlink -f "$(command -v nc)"'
check "it goes" kin reset --yes --lab "$OTHER"
finish
