# Sourced behind walk.sh by tests of NetworkPolicies: who reaches whom, really tried.
# Policies drop in silence, so what is denied is what nobody answers within a second.

# Asks all its arguments at the same time: [udp/]HOST[:PORT]. Prints "TARGET ANSWER" for each.
readonly ASK='
import os, socket, sys, threading, time
answers = {target: "nameless" for target in sys.argv[1:]}
def ask(target):
    kind, _, place = target.rpartition("/")
    host, _, port = place.partition(":")
    udp = kind == "udp"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM if udp else socket.SOCK_STREAM) as s:
        try:
            at = socket.gethostbyname(host), int(port or 80)
        except OSError:
            return
        answers[target] = "no"
        s.settimeout(1)
        try:
            s.connect(at)
            if udp:
                s.send(b"hostname")
                s.recv(1000)
            answers[target] = "yes"
        except TimeoutError:
            pass
        except ConnectionRefusedError:
            answers[target] = "refused"
        except OSError as error:
            answers[target] = error.strerror.replace(" ", "-")
threads = [threading.Thread(target=ask, args=[target], daemon=True) for target in answers]
end = time.monotonic() + 2.5  # A resolver that nobody answers takes longer: nameless.
for thread in threads: thread.start()
for thread in threads: thread.join(max(0, end - time.monotonic()))
print("\n".join(f"{target} {answer}" for target, answer in answers.items()), flush=True)
os._exit(0)'

# ask FROM TARGET...: "FROM TARGET ANSWER" for each. FROM is a pod, SPACE/POD in a namespace that
# also() made, or @HOST: a node or an outside host.
ask() {
    local from=$1
    shift
    case $from in
        @*) on "${from#@}" python3 -c "$ASK" "$@" ;;
        */*) NS=$NS-${from%%/*} in_pod "${from#*/}" python3 -c "$ASK" "$@" ;;
        *) in_pod "$from" python3 -c "$ASK" "$@" ;;
    esac 2>&1 | sed "s|^|$from |"
}
# reach WHAT: each line of stdin is "ANSWER FROM TARGET...", all of them asked at the same time,
# once. ANSWER: yes, no (silence), refused, or nameless (the name is not resolved).
reach() {
    local what=$1 wanted from difference
    wanted=$(awk '{for (i = 3; i <= NF; ++i) print $2, $i, $1}' | sort)
    difference=$(diff <(echo "$wanted") <(for from in $(cut -d' ' -f1 <<<"$wanted" | sort -u); do
        # shellcheck disable=SC2046
        ask "$from" $(awk -v from="$from" '$1 == from {print $2}' <<<"$wanted") &
    done | sort)) && ok "$what" && return
    bad "$what (<: wanted, >: got)"
    grep '^[<>]' <<<"$difference" | head -30 | sed 's/^/       | /'
}
# answers FROM TARGET ANSWER: for conditions.
answers() { [ "$(ask "$1" "$2")" = "$1 $2 $3" ]; }

# also NAME [LABEL=VALUE...]: one more namespace for the scenario, called $NS-NAME; it goes with it.
also() {
    MORE+=("$NS-$1")
    k create namespace "$NS-$1" >/dev/null || bad "a namespace $NS-$1"
    [ $# = 1 ] || k label namespace "$NS-$1" "${@:2}" >/dev/null || bad "labels of $NS-$1"
}
# pod_yaml [SPACE/]NAME[,LABEL=VALUE]...[@NODE]: says its name on TCP ports 80 and UDP 8081.
pod_yaml() {
    local spec=$1 node='' ns=$NS labels label
    [[ $spec = *@* ]] && node=${spec#*@}
    spec=${spec%@*}
    [[ $spec = */* ]] && ns=$NS-${spec%%/*}
    IFS=, read -ra labels <<<"${spec#*/}"
    cat <<YAML
---
apiVersion: v1
kind: Pod
metadata:
  name: ${labels[0]}
  namespace: $ns
  labels: {$(for label in "${labels[@]:1}"; do printf '%s: "%s", ' "${label%%=*}" "${label#*=}"; done)}
spec:
  terminationGracePeriodSeconds: 0
  ${node:+nodeName: $node}
  containers:
  - name: c
    image: $AGNHOST
    args: [netexec, --http-port=80, --udp-port=8081]
    ports: [{containerPort: 80}]
YAML
}
# pods WHAT SPEC...: made at once, and waited for.
pods() {
    local what=$1 spec yaml
    yaml=$(for spec in "${@:2}"; do pod_yaml "$spec"; done)
    NS='' check "$what" k apply -f - <<<"$yaml"
    NS='' k wait --for=condition=Ready --timeout=30s -f - <<<"$yaml" >/dev/null || bad "$what are ready"
}
# ip_of [SPACE/]POD: its address.
ip_of() {
    local ns=$NS
    [[ $1 = */* ]] && ns=$NS-${1%%/*}
    NS=$ns field "pod/${1#*/}" '{.status.podIP}'
}
# once NAME LABELS COMMAND...: of a pod that is new and is removed afterwards.
once() {
    k run "$1" -i --rm --restart=Never --image=busybox:1.28 ${2:+--labels="$2"} -- "${@:3}"
}

# policy [SPACE/]NAME SPEC: applies it; the spec is YAML on one line.
policy() {
    local ns=$NS
    [[ $1 = */* ]] && ns=$NS-${1%%/*}
    NS=$ns k apply -f - <<YAML
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: ${1#*/}}
spec: $2
YAML
}
