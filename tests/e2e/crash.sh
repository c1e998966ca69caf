#!/bin/bash
# Whatever is killed and whenever, nothing of a lab stays on the host but its folders, and the same
# cluster comes back. 20 kills at random moments; KIN_SEED=N repeats those of another run.
source "$(dirname "$0")/lib.sh"

SEED=${KIN_SEED:-$RANDOM}
RANDOM=$SEED
KILLS=${KIN_KILLS:-20}
PODS=50
# A second, on a machine that has time.
LIMIT_MS=$(awk -v cpus="$(nproc)" '{over = $1 / cpus; print int(1000 * (over > 1 ? over : 1))}' \
    /proc/loadavg)

parent_of() { awk '/^PPid:/ {print $2}' "/proc/$1/status" 2>/dev/null; }
user_namespace_of() { stat -Lc %i "/proc/$1/ns/user" 2>/dev/null; }
now_ms() { echo $((${EPOCHREALTIME/[.,]/} / 1000)); }
api() { curl -sS --fail --max-time 10 --unix-socket "$SOCKET" "http://kin$1" "${@:2}"; }
pause_ms() { read -rt "$(printf '%d.%03d' $(($1 / 1000)) $(($1 % 1000)))" <> <(:) || true; }

# What runs: server, init and launcher, and the user namespace in which all but the last live.
find_lab() {
    server=$("$KIN" status --lab "$LAB" --json | sed -n 's/.*"pid": \([0-9]*\).*/\1/p')
    init=$(parent_of "$server")
    launcher=$(parent_of "$init")
    lab_user=$(user_namespace_of "$init")
    SOCKET=$("$KIN" status --lab "$LAB" --json | sed -n 's/.*"socket": "\([^"]*\)".*/\1/p')
    [ -n "$launcher" ] && [ -n "$lab_user" ] && [ -n "$SOCKET" ]
}

# The launcher and every process, and with it every namespace, that belongs to the lab's user
# namespace. A zombie waits for whoever reaps orphans here, and holds nothing any more.
left_over() {
    local pid
    for pid in "$launcher" $(stat -Lc '%i %n' /proc/[0-9]*/ns/user 2>/dev/null |
        sed -n "s:^$lab_user /proc/\([0-9]*\)/.*:\1:p"); do
        grep -qs '^State:[[:space:]]*[^ZX[:space:]]' "/proc/$pid/status" && echo "$pid"
    done
    return 0
}
# gone_in_time WHAT: within the limit, and says how long it took.
gone_in_time() {
    local start took left
    start=$(now_ms)
    while left=$(left_over); [ -n "$left" ]; do
        took=$(($(now_ms) - start))
        if [ $took -gt "$LIMIT_MS" ]; then
            bad "$1: after $took ms there still are: $(ps -o pid=,stat=,comm= -p "${left//$'\n'/,}" 2>&1)"
            return 1
        fi
    done
    took=$(($(now_ms) - start))
    [ $took -le "$slowest" ] || slowest=$took
}
# What a lab could leave behind in the host's own namespaces.
host_objects() {
    ip -o link | sed 's/@.*//; s/^[0-9]*: //' | sort
    cut -d' ' -f3- /proc/self/mountinfo | sort
    ip netns list 2>/dev/null
    return 0
}
bring_up() {
    if [ $((RANDOM % 4)) = 0 ]; then
        # In the foreground: what is killed is what a person would see die.
        : >"/tmp/$LAB.foreground" # What an earlier one said there is not meant.
        ("$KIN" up --lab "$LAB" --api-port 0 >"/tmp/$LAB.foreground" 2>&1 &)
        until_true 30 grep -q 'nodes Ready' "/tmp/$LAB.foreground"
    else
        "$KIN" up --lab "$LAB" --detach --api-port 0 >/dev/null
    fi && find_lab
}
uid_of_survivor() { api /api/v1/namespaces/default/pods/survivor | sed -n 's/.*"uid" *: *"\([^"]*\).*/\1/p' | head -1; }

manifest() {
    cat <<END
apiVersion: apps/v1
kind: Deployment
metadata: {name: many, namespace: default}
spec:
  replicas: $PODS
  selector: {matchLabels: {app: many}}
  template:
    metadata: {labels: {app: many}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: c, image: registry.k8s.io/pause}]
END
}
# The states in which it is killed.
while_idle() { pause_ms $((RANDOM % 200)); }
while_creating() {
    manifest | api /apply -T - >/dev/null
    pause_ms $((RANDOM % 600))
}
while_executing() {
    k exec survivor -- sleep 1000 >/dev/null 2>&1 &
    until_true 10 pgrep --ns "$server" --nslist user -x sleep || bad "the exec has not begun"
    pause_ms $((RANDOM % 100))
}

echo "  KIN_SEED=$SEED, limit $LIMIT_MS ms"
start_lab
find_lab || bad "find the lab's processes"
[ "$(left_over | wc -l)" -ge 3 ] || bad "a lab that runs looks as if it were gone"
check "a pod runs" k run survivor --image=nginx
check "it is ready" k wait --for=condition=Ready pod/survivor --timeout=20s
uid=$(uid_of_survivor)
objects_before=$(host_objects)
slowest=0

states=(idle creating executing)
victims=(launcher init server)
for ((turn = 0; turn < KILLS && failures == 0; turn++)); do
    state=${states[turn % 3]}
    victim=${victims[RANDOM % 3]}
    "while_$state"
    kill -9 "${!victim}" 2>/dev/null || bad "the $victim has gone by itself, $state"
    gone_in_time "kill -9 of the $victim, $state" || break
    [ "$(host_objects)" = "$objects_before" ] || bad "links or mounts stay, $victim, $state"
    if ! bring_up; then
        bad "kin up again after kill -9 of the $victim, $state"
        break
    fi
    [ "$(uid_of_survivor)" = "$uid" ] || bad "the same pod is there after kill -9 of the $victim"
    [ "$state" != creating ] ||
        api /apis/apps/v1/namespaces/default/deployments/many -X DELETE >/dev/null ||
        bad "delete what was being created"
done
[ $failures != 0 ] ||
    ok "$turn kills at random leave nothing (the slowest after $slowest ms), the cluster comes back"
check "the pod runs again" k wait --for=condition=Ready pod/survivor --timeout=20s
check "the lab ends in good order" "$KIN" down --lab "$LAB"

# Data that cannot be written: said at once and clearly, by a lab that then is not there. Only root
# can take the right to write from a lab, which is root over its own files.
if [ "$AS" = root ]; then
    data=/var/lib/kin/$LAB
    # hidden COMMAND: where its mounts are its own.
    hidden() { unshare --mount --propagation private bash -c "$1"; }
    expect "a read-only data folder is an error that says so" \
        'kin: .*(Read-only file system|Permission denied)' \
        hidden "mount --bind '$data' '$data' && mount -o remount,bind,ro '$data' &&
            '$KIN' up --lab '$LAB' --detach --api-port 0"
    for way in '' --detach; do
        expect "a full disk is an error that says so${way:+, $way}" \
            'kin: .*(No space left on device|disk is full)' \
            hidden "mount -t tmpfs -o size=64k tmpfs '$data' && head -c 60k /dev/zero >'$data/filler'
                timeout 30 '$KIN' up --lab '$LAB' --api-port 0 $way"
    done
    expect "and no lab is left" 'is not running' "$KIN" status --lab "$LAB"
fi
finish
