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
    refused "another user's socket is no lab" 'of user 61235, not your lab' timeout 10 "$KIN" down --lab "$OTHER"
    refused "nor is it asked anything" 'of user 61235, not your lab' timeout 10 "$KIN" status --lab "$OTHER"
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

start() { "$KIN" up --lab "$OTHER" --detach --api-port 0 --page-port 0 --nodes 1 "$@"; }
check "a lab" start
check "with something in it" "$KIN" kubectl --lab "$OTHER" create configmap mine --from-literal=a=b
check "it ends" kin down --lab "$OTHER"
data=$(kin kubeconfig --lab "$OTHER")
data=${data%/kubeconfig}

if [ "$AS" = root ]; then
    echo "Links in the lab's folder, which belongs to the lab, lead root nowhere"
    echo precious >"$PLACE/victim"
    mv "$data/kin.log" "$PLACE/kin.log"
    ln -s "$PLACE/victim" "$data/kin.log"
    refused "a log that is a link" 'kin.log' start
    rm "$data/kin.log"
    ln "$PLACE/victim" "$data/kin.log" 2>/dev/null || cp --attributes-only "$PLACE/victim" "$data/kin.log"
    [ "$(stat -c %h "$data/kin.log")" = 1 ] || refused "or another's file" 'kin.log is no file of its own' start
    rm "$data/kin.log"
    mkfifo "$data/kin.log"
    refused "or a pipe" 'kin.log' timeout 20 "$KIN" up --lab "$OTHER" --detach --api-port 0
    rm "$data/kin.log"
    same "nothing was written" precious "$(cat "$PLACE/victim")"
    rm "$data/kin.db.lock"
    ln -s "$PLACE/lock" "$data/kin.db.lock"
    refused "a lock that is a link" 'kin.db.lock: Permission denied' kin save "$PLACE/demo.kin" --lab "$OTHER"
    refused "is not there" 'No such file' stat "$PLACE/lock"
    rm "$data/kin.db.lock"
fi

echo "Files that kin writes"
check "the lab is saved" kin save "$PLACE/demo.kin" --lab "$OTHER"
install -m 666 /dev/null "$PLACE/demo.kin.new"
rm "$PLACE/demo.kin"
check "where somebody has put a file beside" kin save "$PLACE/demo.kin" --lab "$OTHER"
same "which is not used" "0 600" "$(stat -c %s "$PLACE/demo.kin.new") $(stat -c %a "$PLACE/demo.kin")"
mkfifo "$PLACE/pipe"
refused "a pipe, or a device, is not replaced" 'pipe is no file' kin save "$PLACE/pipe" --lab "$OTHER"
if [ "$AS" = root ]; then
    mkdir "$PLACE/small"
    on_small_disk() {
        unshare -m sh -c "mount -t tmpfs -o size=64k small $PLACE/small || exit 0
            '$KIN' save '$PLACE/small/demo.kin' --lab $OTHER
            echo \"left: \$(ls -A '$PLACE/small')\""
    }
    expect "a full disk is said" 'No space left' on_small_disk
    expect "and nothing stays on it" 'left: $' on_small_disk
fi

echo "kin kubeconfig --merge loses nothing"
config=$PLACE/config
merge() { KUBECONFIG=$config "$KIN" kubeconfig --lab "$OTHER" --merge; }
check "where there was no file" merge
expect "there is one" "name: $OTHER" cat "$config"
printf 'contexts: [{name: mine}]\n' >"$PLACE/real"
ln -sf "$PLACE/real" "$config"
check "through a link" merge
expect "it is still one" 'symbolic link' stat -c %F "$config"
expect "with what was there" 'name: mine' cat "$PLACE/real"
rm "$config"
for text in '- a list' 'clusters: {a: b}' 'a: b: c'; do
    echo "$text" >"$config"
    refused "a file that is no kubeconfig: $text" 'config' merge
    same "stays as it is" "$text" "$(cat "$config")"
done
rm "$config"
mkdir "$config"
refused "what cannot be read" 'Is a directory' merge
rmdir "$config"
config=$data/kubeconfig
refused "the lab's own file" "the lab's own file" merge

echo "Two that start one lab"
before=$(cat "$data/lab.json")
refused "the second writes nothing" 'is open in another process' \
    flock -n "$data/kin.db.lock" "$KIN" up --lab "$OTHER" --detach --api-port 0 --nodes 2
same "of its nodes" "$before" "$(cat "$data/lab.json")"
mv "$data/pki" "$PLACE/pki"
refused "nor keys" 'is open in another process' \
    flock -n "$data/kin.db.lock" "$KIN" up --lab "$OTHER" --detach --api-port 0
refused "none are made" 'No such file' ls "$data/pki"
mv "$PLACE/pki" "$data/pki"

echo "What pods leave on disk"
mkdir -p "$data/pods/long-gone/volumes/v" "$data/logs/default_web_long-gone"
[ "$AS" = root ] && chown -R --reference="$data" "$data/pods" "$data/logs"
check "the lab starts" start
refused "what is nobody's has gone" 'No such file' ls "$data/pods/long-gone"
refused "its logs, too" 'No such file' ls "$data/logs/default_web_long-gone"
ok_pod() { "$KIN" kubectl --lab "$OTHER" "$@"; }
check "a node more" kin node add --lab "$OTHER"
check "a pod there" ok_pod apply -f - <<'YAML'
apiVersion: v1
kind: Pod
metadata: {name: there}
spec:
  nodeName: node-2
  containers:
  - {name: c, image: busybox, command: [sleep, infinity], volumeMounts: [{name: v, mountPath: /v}]}
  volumes: [{name: v, emptyDir: {}}]
YAML
check "runs" ok_pod wait --for=condition=Ready pod/there --timeout=30s
uid=$(ok_pod get pod there -o 'jsonpath={.metadata.uid}')
check "has a folder" ls "$data/pods/$uid"
check "down" kin down --lab "$OTHER"
check "up, without that node" start
eventually "the pod goes" 30 NotFound ok_pod get pod there
refused "and its folder with it" 'No such file' ls "$data/pods/$uid"
check "down" kin down --lab "$OTHER"

if [ "$AS" = root ]; then
    echo "Files of other ids, and umasks"
    # A user with subordinate ids, in a mount namespace where the machine has one.
    cat >"$PLACE/reset.sh" <<'SH'
set -e
cp /etc/passwd "$PLACE/passwd"
echo "kinsub:x:61236:61236::$PLACE/home:/bin/sh" >>"$PLACE/passwd"
echo "kinsub:2146000000:65536" >"$PLACE/subids"
for file in passwd subuid subgid; do
    [ -e /etc/$file ] || exit 77
    mount --bind "$PLACE/$([ $file = passwd ] && echo passwd || echo subids)" /etc/$file
done
install -d -o 61236 -g 61236 "$PLACE/home"
cd /
exec setpriv --reuid=61236 --regid=61236 --clear-groups env -u XDG_RUNTIME_DIR HOME="$PLACE/home" \
    TMPDIR="$PLACE/home" sh -ec '
    "$KIN" up --detach --api-port 0 --page-port 0 --nodes 1 --lab sub
    trap "\"$KIN\" down --lab sub >/dev/null 2>&1" EXIT
    "$KIN" kubectl --lab sub apply -f - <<YAML
apiVersion: v1
kind: Pod
metadata: {name: other}
spec:
  securityContext: {runAsUser: 1000}
  containers:
  - {name: c, image: busybox, command: [sh, -c, mkdir -m 700 /v/mine && touch /v/mine/file && sleep infinity],
     volumeMounts: [{name: v, mountPath: /v}], readinessProbe: {exec: {command: [ls, /v/mine/file]}, periodSeconds: 1}}
  volumes: [{name: v, emptyDir: {}}]
YAML
    "$KIN" kubectl --lab sub wait --for=condition=Ready pod/other --timeout=30s
    "$KIN" save "$HOME/sub.kin" --lab sub
    "$KIN" down --lab sub
    echo "owner: $(stat -c %u "$HOME"/.local/share/kin/sub/pods/*/volumes/v/mine)"
    "$KIN" load "$HOME/sub.kin" --lab sub --yes
    echo "pods: $(ls "$HOME/.local/share/kin/sub" | grep -c pods)"
    "$KIN" up --detach --api-port 0 --page-port 0 --lab sub
    "$KIN" kubectl --lab sub wait --for=condition=Ready pod/other --timeout=30s
    "$KIN" down --lab sub
    "$KIN" reset --yes --lab sub
    echo "left: $(ls -A "$HOME/.local/share/kin")"'
SH
    if command -v newuidmap >/dev/null && [ -e /etc/subuid ]; then
        PLACE=$PLACE KIN=$KIN unshare -m sh "$PLACE/reset.sh" >"/tmp/$LAB.reset" 2>&1
        expect "a container's files have another owner" 'owner: 2146000999' cat "/tmp/$LAB.reset"
        expect "kin load removes them" 'pods: 0' cat "/tmp/$LAB.reset"
        expect "and so does kin reset" 'left: $' cat "/tmp/$LAB.reset"
    fi
    # Where kin has never run: folders of its own to be, in a mount namespace.
    careful() {
        unshare -m sh -c "umask 077; mount -t tmpfs -o mode=755 a /var/lib; mount -t tmpfs -o mode=755 b /run
            '$KIN' up --lab $LAB-careful --detach --api-port 0 --page-port 0 --nodes 1 &&
            '$KIN' down --lab $LAB-careful"
    }
    expect "a careful root can start a lab" "lab $LAB-careful ended" careful
fi

check "it can be removed" kin reset --yes --lab "$OTHER"
rm -rf "$PLACE"
finish
