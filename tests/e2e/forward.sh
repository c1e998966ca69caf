# Sourced behind lib.sh by tests of what kubectl does in the background; $T is a directory of theirs.

# In the background: kubectl itself is the process that is killed later.
kubectl_itself() { exec "$KIN" kubectl --lab "$LAB" ${NS:+-n "$NS"} "$@"; }
# forward ARGS...: kubectl port-forward in the background; sets FORWARD (its pid) and PORTS.
forward() {
    : >"$T/forward"  # The one in the background may come to it after the first look.
    kubectl_itself port-forward "$@" >"$T/forward" 2>&1 &
    FORWARD=$!
    local wanted
    wanted=$(printf '%s\n' "$@" | grep -c '^[0-9]*:')
    until_true 20 bash -c "[ \$(grep -c 'from 127' $T/forward) -ge $wanted ]" || cat "$T/forward"
    mapfile -t PORTS < <(sed -n 's/^Forwarding from 127.0.0.1:\([0-9]*\) .*/\1/p' "$T/forward")
}
unforward() {
    kill "$FORWARD" 2>/dev/null
    wait "$FORWARD" 2>/dev/null
}
# shown PATTERN FILE: the file, as soon as the pattern is in it.
shown() {
    until_true 20 grep -Eq -- "$1" "$2"
    cat "$2"
}
# in_terminal COMMAND: runs it with a terminal, whose device's name is left in $T/tty.
in_terminal() { script -qec "tty >$T/tty; stty rows 33 cols 91; $1" /dev/null; }
