#!/bin/bash
# Tab: what an interactive bash offers for kin, with names from a running lab; zsh and fish likewise
# where they are installed.
source "$(dirname "$0")/lib.sh"

start_lab
check "a pod" k run talker --image=busybox -- sleep infinity
check "a service" k create service clusterip shop --tcp=80
scripts=$(mktemp -d)
mkdir "$scripts/bin"
ln -s "$(readlink -f "$KIN")" "$scripts/bin/kin"
export PATH="$scripts/bin:$PATH"
for shell in bash zsh fish; do kin completion $shell >"$scripts/kin.$shell"; done
refused "a script for another shell" 'not in' kin completion tcsh

# What Tab offers at the end of a line, through readline itself: M-* inserts all of it.
cat >"$scripts/tab.py" <<'PY'
import os, pty, select, sys
pid, fd = pty.fork()
if pid == 0:
    os.environ.update(PS1="", TERM="dumb", INPUTRC="/dev/null")
    os.execvp("bash", ["bash", "--norc", "--noprofile", "-i"])
def until(mark):
    out = b""
    while mark not in out:
        if not select.select([fd], [], [], 20)[0]:
            sys.exit("bash says nothing more: " + repr(out))
        out += os.read(fd, 65536)
    return out
os.write(fd, b"stty -echo; source %s; echo RE''ADY\n" % sys.argv[1].encode())
until(b"READY")
# The line runs a function that says what it was given.
os.write(fd, b"kin() { if [[ $1 == __complete ]]; then command kin \"$@\"; "
             b"else echo \"OFFER: $*\"; echo DO''NE; fi; }; echo SE''T\n")
until(b"SET")
os.write(fd, sys.argv[2].encode() + b"\x1b*\n")
out = until(b"DONE").decode()
print([line for line in out.splitlines() if line.startswith("OFFER: ")][-1][7:].strip())
PY

offers() { python3 -B "$scripts/tab.py" "$scripts/kin.bash" "$1" 2>&1; }
is_offered() { [ "$(offers "$1")" = "$2" ]; }
tab() { # WHAT LINE WANTED: Tab at the end of LINE gives these words
    # A lab that does not tell its names soon enough has none: on a busy machine one presses Tab again.
    until_true 2 is_offered "$2" "$3"
    same "$1" "$3" "$(offers "$2")"
}
tab "a verb" "kin sta" "status"
tab "several" "kin k" "kubeconfig kubectl"
tab "a verb below a verb" "kin node r" "node remove"
tab "an option" "kin up --no" "up --nodes"
tab "words of a set" "kin rules --mode ip" "rules --mode iptables ipvs"
tab "a lab" "kin status --lab $LAB" "status --lab $LAB"
tab "and behind it a verb's place: a host" "kin shell --lab $LAB cl" "shell --lab $LAB client"
tab "a lab behind =" "kin status --lab=$LAB" "status --lab=$LAB"
tab "a node" "kin node remove --lab $LAB node-" "node remove --lab $LAB node-1 node-2 node-3"
tab "a pod" "kin check --lab $LAB tal" "check --lab $LAB talker"
tab "the second place" "kin check --lab $LAB talker kube-system/core" \
    "check --lab $LAB talker $(k get pods -n kube-system -l k8s-app=kube-dns -o 'jsonpath={range .items[*]}kube-system/{.metadata.name}{"\n"}{end}' | sort | xargs)"
tab "a Service" "kin rules --lab $LAB svc/sh" "rules --lab $LAB svc/shop"
tab "a namespace" "kin matrix --lab $LAB -n kube-sy" "matrix --lab $LAB -n kube-system"
tab "a file" "kin apply -f LICEN" "apply -f LICENSE"
# Whatever a lab calls its things, Tab runs none of it.
by_tab() { # prints what is offered where kin offers these names
    bash -c 'source "$1"; kin() { printf "%s\n" "\$(touch $2)" "\`touch $2\`" plain; }
        COMP_WORDS=(kin shell ""); COMP_CWORD=2; _kin; printf "%s\n" "${COMPREPLY[@]}"' - \
        "$scripts/kin.bash" "$scripts/by-tab"
}
expect "names are offered as they are" '^plain$' by_tab
refused "and not run" 'No such file' ls "$scripts/by-tab"
tab "of a lab that does not run, nothing" "kin shell --lab nope cl" "shell --lab nope cl"

for shell in zsh fish; do
    command -v $shell >/dev/null || continue
    check "$shell reads its script" $shell -n "$scripts/kin.$shell"
done
if command -v zsh >/dev/null; then
    # Its function alone, with what the completion system would give it and take from it.
    zsh_offers() {
        zsh -fc 'compdef() { :; }; compadd() { shift; print -l -- "$@"; }
            source $1; shift; words=("$@"); CURRENT=$#; _kin' - "$scripts/kin.zsh" "$@" 2>&1 | xargs
    }
    expect "zsh: verbs" '^up down .* version$' zsh_offers kin ""
    expect "zsh: a verb's options" ' --nodes ' zsh_offers kin up --
    same "zsh: words of a set" "nftables iptables ipvs" "$(zsh_offers kin rules --mode "")"
    same "zsh: verbs below" "add remove" "$(zsh_offers kin node "")"
    expect "zsh: a host" '^client internet node-1 ' zsh_offers kin shell --lab "$LAB" ""
fi
if command -v fish >/dev/null; then
    fish_offers() { fish -c "source $scripts/kin.fish; complete -C '$1'" 2>&1 | cut -f1 | xargs; }
    same "fish: verbs" "kubeconfig kubectl" "$(fish_offers 'kin k')"
    same "fish: a verb's options" "--nodes" "$(fish_offers 'kin up --no')"
    same "fish: a host" "client" "$(fish_offers "kin shell --lab $LAB cl")"
    same "fish: verbs below" "add remove" "$(fish_offers 'kin node ')"
fi

# Whoever waits with a finger on Tab does not wait for a lab that is stuck.
server=$(kin status --lab "$LAB" --json | sed -n 's/.*"pid": \([0-9]*\).*/\1/p')
kill -STOP "$server"
before=${EPOCHREALTIME/./}
refused "a stuck lab has no names" '^$' kin __complete host --lab "$LAB"
took=$(((${EPOCHREALTIME/./} - before) / 1000))
kill -CONT "$server"
same "and that is clear within half a second ($took ms)" yes \
    "$([ $took -lt $((500 * ${KIN_SLOW:-1})) ] && echo yes)"
rm -rf "$scripts"
finish
