#!/bin/bash
# Whatever is killed, nothing of a lab stays but its folders, and the same cluster comes back.
source "$(dirname "$0")/lib.sh"

# Processes of this lab: launcher, PID 1, server and everything below them.
lab_processes() {
    local launcher=$1 all=$1 more=$1 found
    while [ -n "$more" ]; do
        found=$(for parent in $more; do cat /proc/"$parent"/task/*/children 2>/dev/null; done)
        more=$found
        all="$all $found"
    done
    echo "$all"
}
alive() {
    local pid
    for pid in "$@"; do
        # A zombie waits for whoever reaps orphans here and holds nothing any more.
        [ -d "/proc/$pid" ] && ! grep -qs 'State:.*Z' "/proc/$pid/status" && return 0
    done
    return 1
}
parent_of() { awk '/^PPid:/ {print $2}' "/proc/$1/status"; }
none_alive() { ! alive "$@"; }

start_lab
check "a pod runs" k run survivor --image=nginx
check "it is ready" k wait --for=condition=Ready pod/survivor --timeout=20s
uid=$(k get pod survivor -o 'jsonpath={.metadata.uid}')

for victim in launcher init server; do
    server=$("$KIN" status --lab "$LAB" --json | sed -n 's/.*"pid": \([0-9]*\).*/\1/p')
    init=$(parent_of "$server")
    launcher=$(parent_of "$init")
    all=$(lab_processes "$launcher")
    kill -9 "${!victim}"
    # shellcheck disable=SC2086
    if until_true 2 none_alive $all; then ok "kill -9 of the $victim leaves no process"; else
        bad "kill -9 of the $victim leaves processes"
    fi
    check "kin up again after the $victim was killed" \
        "$KIN" up --lab "$LAB" --detach --api-port 0
    expect "the same pod is there" "$uid" k get pod survivor -o 'jsonpath={.metadata.uid}'
    check "and runs again" k wait --for=condition=Ready pod/survivor --timeout=20s
done
finish
