#!/bin/bash
# Ten labs side by side on one machine: each answers, none sees another, and `kin down --all` ends
# them all. In data and runtime folders of its own, so that --all means these.
source "$(dirname "$0")/lib.sh"
if [ "$AS" != user ]; then
    echo "skipped: root's labs are all in one place, and --all would end somebody else's"
    exit 77
fi
export XDG_DATA_HOME=$KIN_E2E_HOME/data XDG_RUNTIME_DIR=$KIN_E2E_HOME/run
mkdir -m 700 "$XDG_RUNTIME_DIR"
MANY=${LABS:-10}
host_state >"$HOST_BEFORE"

in_lab() { "$KIN" kubectl --lab "$1" "${@:2}"; }
before=${EPOCHREALTIME/./}
for ((i = 1; i <= MANY; ++i)); do
    check "lab $i is up" kin up --lab "lab-$i" --detach --nodes 2
done
echo "       $MANY labs in $(((${EPOCHREALTIME/./} - before) / 1000)) ms"
same "they all run" "$MANY" "$(kin __complete lab | wc -l)"
ports=$(for ((i = 1; i <= MANY; ++i)); do kin status --lab "lab-$i" --json | grep -o '"api_port": [0-9]*'; done | sort -u | wc -l)
same "each has a port of its own" "$MANY" "$ports"
for ((i = 1; i <= MANY; ++i)); do
    check "lab $i takes an application" kin apply --lab "lab-$i" -f examples/02-web.yaml
    check "and a mark" in_lab "lab-$i" create configmap "mark-$i"
done
for ((i = 1; i <= MANY; ++i)); do
    check "the pods of lab $i run" in_lab "lab-$i" rollout status deployment/web --timeout=60s
    address=$(in_lab "lab-$i" get service web -o 'jsonpath={.spec.clusterIP}')
    eventually "its Service answers" 20 'Welcome to nginx' \
        kin exec --lab "lab-$i" node-2 -- curl -s --max-time 2 "http://$address"
    same "and it has its own mark only" "configmap/mark-$i" \
        "$(in_lab "lab-$i" get configmaps -o name | grep mark)"
done
host_is_untouched "while $MANY labs run"
check "one of them goes" kin down --lab lab-3
same "the others stay" $((MANY - 1)) \
    "$(for ((i = 1; i <= MANY; ++i)); do kin status --lab "lab-$i" 2>/dev/null; done | grep -c '^lab ')"
refused "all, and one of them, makes no sense" 'excludes' kin down --all --lab lab-1
same "down --all ends the rest" $((MANY - 1)) "$(kin down --all | grep -c ended)"
same "once more there is nothing to do" "" "$(kin down --all)"
for ((i = 1; i <= MANY; ++i)); do refused "lab $i does not run" 'is not running' kin status --lab "lab-$i"; done
finish
