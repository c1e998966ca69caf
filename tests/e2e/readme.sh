#!/bin/bash
# The README's tour: its own blocks are typed, from kin up to kin down.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/documents.sh"

host_state >"$HOST_BEFORE"
says_so README.md
refused "kin down was its last word" 'is not running' kin status --lab "$LAB"

# One line of the tour is changed.
sed 's/^default via 10.244.1.1 dev eth0/default via 10.244.1.1 dev eth1/' README.md >"$work/lie.md"
check "another text" test -n "$(diff README.md "$work/lie.md")"
refused "a block that is not true is found" 'dev eth1 proto static onlink' types lie.md

rm -rf "$work"
finish
