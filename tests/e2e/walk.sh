# Sourced behind lib.sh by the walkthroughs: who asks, and how often.
source "$(dirname "$0")/soon.sh"

readonly AGNHOST=registry.k8s.io/e2e-test-images/agnhost:2.53

# client_pod NAME [NODE]: a pod with all programs of the host, that does nothing by itself.
client_pod() {
    k apply -f - <<YAML
apiVersion: v1
kind: Pod
metadata: {name: $1}
spec:
  terminationGracePeriodSeconds: 0
  ${2:+nodeName: $2}
  containers: [{name: c, image: debian, command: [sleep, infinity]}]
YAML
}
# server_pod NAME LABEL=VALUE [NODE]: an agnhost on TCP port 8080 and UDP port 8081.
server_pod() {
    k apply -f - <<YAML
apiVersion: v1
kind: Pod
metadata: {name: $1, labels: {${2/=/: }}}
spec:
  terminationGracePeriodSeconds: 1
  ${3:+nodeName: $3}
  containers:
  - name: c
    image: $AGNHOST
    args: [netexec, --http-port=8080, --udp-port=8081]
    ports: [{containerPort: 8080}]
YAML
}
ready() { k wait --for=condition=Ready --timeout=30s "$@"; }
rolled_out() { k rollout status "deployment/$1" --timeout=30s; }
# lines "OBJECT..." JSONPATH: the field of each of several objects, one a line.
# shellcheck disable=SC2086
lines() { k get $1 -o "jsonpath={range .items[*]}$2{'\n'}{end}"; }
# endpoints_of SERVICE: "ADDRESS:PORT", one a line, sorted; those that are ready.
endpoints_of() {
    k get endpoints "$1" -o \
        'go-template={{range .subsets}}{{$s := .}}{{range .addresses}}{{$a := .ip}}{{range $s.ports}}{{$a}}:{{.port}}{{"\n"}}{{end}}{{end}}{{end}}' \
        2>/dev/null | sort
}

# from POD URL [CURL OPTION...]: one request of a pod.
# at HOST URL [CURL OPTION...]: one request of a node, or of an outside host.
from() {
    local pod=$1
    shift
    in_pod "$pod" curl -sS --max-time 3 "$@"
}
at() {
    local host=$1
    shift
    on "$host" curl -sS --max-time 3 "$@"
}
# repeat NUMBER URL: a shell's line that asks so often, an answer a line; its status is that of
# the worst answer.
repeat() {
    echo "s=0; for i in \$(seq $1); do curl -sS --max-time 3 $2 || s=1; echo; done; exit \$s"
}
# distinct COMMAND...: how many different lines it prints, empty ones aside.
distinct() { "$@" | grep -v '^$' | sort -u | wc -l; }

# datagram POD ADDRESS PORT WORD [FROM PORT]: what a server of UDP answers within a second.
datagram() {
    local pod=$1
    shift
    in_pod "$pod" python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(1)
if len(sys.argv) > 4: s.bind(("", int(sys.argv[4])))
s.sendto(sys.argv[3].encode(), (sys.argv[1], int(sys.argv[2])))
print(s.recv(1000).decode())' "$@"
}
# Curl's words for "connection refused at once" and for "no answer in time".
readonly REFUSED='\(7\) ' TIMEOUT='\(28\) '
