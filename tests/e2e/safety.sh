#!/bin/bash
# What a lab must not do to the machine, and what others on the machine must not do to a lab.
source "$(dirname "$0")/lib.sh"
PLACE=$(mktemp -d /tmp/kin-safety.XXXXXX)
chmod 755 "$PLACE"
OTHER=$LAB-b
host_state >"$HOST_BEFORE"

echo "Nobody else poses as a lab"
# Listens on a socket as `kin up` would, as whoever calls it, until its standard input ends.
listener='import socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen(9)
print("listening", flush=True)
sys.stdin.read()'
if [ "$AS" = root ]; then
    mkdir -p /run/kin
    install -d -o 61235 "/run/kin/$OTHER"
    coproc setpriv --reuid=61235 --clear-groups env PATH=/usr/bin:/bin python3 -c "$listener" "/run/kin/$OTHER/api.sock"
    pretender=$COPROC_PID
    read -r _ <&"${COPROC[0]}"
    refused "another user's socket is no lab" 'of user 61235, not your lab' kin down --lab "$OTHER"
    refused "nor is it asked anything" 'of user 61235, not your lab' kin status --lab "$OTHER"
    kill "$pretender"
    rm -r "/run/kin/$OTHER"
    as_user() {
        env -u XDG_RUNTIME_DIR HOME="$PLACE" TMPDIR="$PLACE" \
            setpriv --reuid=61234 --regid=61234 --clear-groups "$@"
    }
    install -d -o 61235 "$PLACE/kin-61234"
    refused "a runtime folder that somebody else made is refused" \
        'kin-61234 is no folder that only you can write.*TMPDIR' as_user "$KIN" status --lab "$OTHER"
    refused "also by up" 'is no folder that only you can write' as_user "$KIN" up --lab "$OTHER"
else
    mkdir -m 777 "$PLACE/kin-$(id -u)"
    refused "a runtime folder that others can write is refused" 'is no folder that only you can write' \
        env -u XDG_RUNTIME_DIR TMPDIR="$PLACE" "$KIN" status --lab "$LAB"
fi

rm -rf "$PLACE"
finish
