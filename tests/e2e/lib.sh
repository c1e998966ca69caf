# Sourced by every end-to-end test: a lab of its own, real kubectl, conditions instead of sleeps.
# The first argument of a test is the user to be: root or user (an ordinary one without sudo).
set -uo pipefail

KIN=${KIN:?path of the kin binary}
AS=${1:-root}
failures=0

# Becomes an ordinary user for good: ids that own nothing, a home of their own.
if [ "$AS" = user ] && [ "$(id -u)" = 0 ]; then
    home=$(mktemp -d /tmp/kin-e2e.XXXXXX)
    chown 61234:61234 "$home"
    exec setpriv --reuid=61234 --regid=61234 --clear-groups \
        env -u XDG_RUNTIME_DIR HOME="$home" KIN="$KIN" KIN_E2E_HOME="$home" bash "$0" "$AS"
fi

LAB=e2e-$$
HOST_BEFORE=$(mktemp)
HOST_AFTER=$(mktemp)

# What of the host's network a lab could have touched.
host_state() {
    ip -o link 2>/dev/null | sed 's/qlen.*//'
    ip -o address 2>/dev/null | sed 's/valid_lft.*//'
    ip route show table all 2>/dev/null
    ip rule 2>/dev/null
    nft list ruleset 2>/dev/null # Root's only.
    find /proc/sys/net -type f -perm -u+w -print0 2>/dev/null | sort -z | xargs -0 grep -s .
    return 0
}

# The lab's network, which kin up reads from here, too: KIN_CNI=bridge KIN_OVERLAY=vxlan bash walk_nodes.sh
export KIN_CNI=${KIN_CNI:-ptp} KIN_OVERLAY=${KIN_OVERLAY:-none}
# by_cni PTP BRIDGE, by_overlay NONE VXLAN: what is to be seen of it, where that differs.
by_cni() { [ "$KIN_CNI" = ptp ] && echo "$1" || echo "$2"; }
by_overlay() { [ "$KIN_OVERLAY" = none ] && echo "$1" || echo "$2"; }

# stretched SECONDS: a deadline on this machine. KIN_SLOW=N says that it is N times slower than others, as an
# emulated one.
stretched() { echo $(($1 * ${KIN_SLOW:-1})); }

kin() { "$KIN" "$@"; }
# kubectl, in the namespace of the scenario if there is one.
k() {
    local words=("$@") i
    for i in ${KIN_SLOW:+"${!words[@]}"}; do
        [[ ${words[i]} =~ ^--timeout=([0-9]+)s$ ]] &&
            words[i]=--timeout=$(stretched "${BASH_REMATCH[1]}")s
    done
    "$KIN" kubectl --lab "$LAB" ${NS:+-n "$NS"} "${words[@]}"
}
# on HOST COMMAND...: in the network of a node, the router or an outside host.
on() {
    local host=$1
    shift
    "$KIN" exec --lab "$LAB" "$host" -- "$@"
}
# api PATH [CURL OPTION...]: the answer's body, then its status code on a line of its own.
api() {
    local path=$1
    shift
    curl -s --max-time "$(stretched 20)" --unix-socket "$SOCKET" -w '\n%{http_code}\n' "$@" "http://kin$path"
}
# in_pod POD COMMAND...
in_pod() {
    local pod=$1
    shift
    k exec "$pod" -- "$@"
}

ok() { echo "  ok   $*"; }
bad() {
    echo "  FAIL $*"
    failures=$((failures + 1))
}
# check WHAT COMMAND...: the command must succeed.
check() {
    local what=$1 output
    shift
    if output=$("$@" 2>&1); then ok "$what"; else
        bad "$what"
        printf '%s\n' "$output" | sed 's/^/       | /'
    fi
}
# expect WHAT PATTERN COMMAND...: stdout and stderr must match the extended regular expression.
expect() {
    local what=$1 pattern=$2 output
    shift 2
    output=$("$@" 2>&1)
    if grep -Eq -- "$pattern" <<<"$output"; then ok "$what"; else
        bad "$what (wanted: $pattern)"
        printf '%s\n' "$output" | head -20 | sed 's/^/       | /'
    fi
}
# refused WHAT PATTERN COMMAND...: the command must fail, with words that match.
refused() {
    local what=$1 pattern=$2 output
    shift 2
    if output=$("$@" 2>&1); then bad "$what (it succeeded)"; else
        if grep -Eq -- "$pattern" <<<"$output"; then ok "$what"; else
            bad "$what (wanted: $pattern)"
            printf '%s\n' "$output" | head -20 | sed 's/^/       | /'
        fi
    fi
}
# same WHAT WANTED GOT: two texts are equal.
same() {
    if [ "$2" = "$3" ]; then ok "$1"; else
        bad "$1"
        printf 'wanted: %s\ngot:    %s\n' "$2" "$3" | head -20 | sed 's/^/       | /'
    fi
}
# eventually WHAT SECONDS PATTERN COMMAND...: the output matches before the deadline.
eventually() {
    local what=$1 seconds=$2 pattern=$3
    shift 3
    if until_true "$seconds" matches "$pattern" "$@"; then ok "$what"; else
        expect "$what" "$pattern" "$@"
    fi
}
matches() {
    local pattern=$1
    shift
    grep -Eq -- "$pattern" <<<"$("$@" 2>&1)" # The command may fail: it is about its words.
}
# until_true SECONDS COMMAND...: asks again until it succeeds; a condition with a deadline.
until_true() {
    local deadline=$((SECONDS + $(stretched "$1"))) pause=0.1
    [ "${KIN_SLOW:-1}" = 1 ] || pause=0.5 # There asking is dear, and takes its time from what is waited for.
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -ge $deadline ] && return 1
        read -rt $pause <> <(:) || true
    done
}

# scenario ID TITLE: a walkthrough begins, in a namespace of its own called as its id in lower case.
# What the one before made goes meanwhile.
NS=
MORE=() # Other namespaces that go with it.
scenario() {
    end_scenario
    echo "$1 $2"
    NS=${1,,}
    k create namespace "$NS" >/dev/null || bad "a namespace for $1"
}
# From here on k works in "default" again.
end_scenario() {
    [ -z "$NS" ] ||
        "$KIN" kubectl --lab "$LAB" delete namespace "$NS" "${MORE[@]}" --wait=false \
            --ignore-not-found >/dev/null
    NS=
    MORE=()
}

start_lab() {
    host_state >"$HOST_BEFORE"
    "$KIN" up --lab "$LAB" --detach --api-port 0 --page-port 0 "$@" >"/tmp/$LAB.up" 2>&1 || {
        cat "/tmp/$LAB.up"
        echo "  FAIL kin up"
        exit 1
    }
    SOCKET=$("$KIN" status --lab "$LAB" --json | sed -n 's/.*"socket": "\(.*\)".*/\1/p')
}

# host_is_untouched WHEN: links, addresses, routes, rules and sysctls are those before the lab.
# Settings that are new came with a module, which the kernel loads for whoever uses it first.
host_is_untouched() {
    host_state >"$HOST_AFTER"
    if ! diff "$HOST_BEFORE" "$HOST_AFTER" | grep -v '^> /proc/sys/' | grep '^[<>]' \
        >"/tmp/$LAB.diff"; then
        ok "the host's network is the same $1"
    else
        bad "the host's network changed $1"
        head -20 "/tmp/$LAB.diff"
    fi
}

finish() {
    host_is_untouched "while the lab runs"
    "$KIN" down --lab "$LAB" >/dev/null 2>&1
    host_is_untouched "after its end"
    "$KIN" reset --yes --lab "$LAB" >/dev/null 2>&1
    rm -f "$HOST_BEFORE" "$HOST_AFTER" /tmp/$LAB.*
    [ -n "${KIN_E2E_HOME:-}" ] && rm -rf "$KIN_E2E_HOME"
    if [ $failures != 0 ]; then
        echo "$failures checks failed"
        exit 1
    fi
    exit 0
}
