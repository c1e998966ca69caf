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
    grep -rs . /proc/sys/net/ipv4/conf /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf \
        /proc/sys/net/bridge 2>/dev/null | sort
}

kin() { "$KIN" "$@"; }
k() { "$KIN" kubectl --lab "$LAB" "$@"; }

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
# until_true SECONDS COMMAND...: asks again until it succeeds; a condition with a deadline.
until_true() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -ge $deadline ] && return 1
        read -rt 0.1 <> <(:) || true
    done
}

start_lab() {
    host_state >"$HOST_BEFORE"
    "$KIN" up --lab "$LAB" --detach --api-port 0 "$@" >"/tmp/$LAB.up" 2>&1 || {
        cat "/tmp/$LAB.up"
        echo "  FAIL kin up"
        exit 1
    }
}

finish() {
    "$KIN" down --lab "$LAB" >/dev/null 2>&1
    host_state >"$HOST_AFTER"
    if diff "$HOST_BEFORE" "$HOST_AFTER" >/tmp/$LAB.diff; then ok "the host's network is as before"; else
        bad "the host's network changed"
        head -20 /tmp/$LAB.diff
    fi
    "$KIN" reset --yes --lab "$LAB" >/dev/null 2>&1
    rm -f "$HOST_BEFORE" "$HOST_AFTER" /tmp/$LAB.*
    [ -n "${KIN_E2E_HOME:-}" ] && rm -rf "$KIN_E2E_HOME"
    if [ $failures != 0 ]; then
        echo "$failures checks failed"
        exit 1
    fi
    exit 0
}
