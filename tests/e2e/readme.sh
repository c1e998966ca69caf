#!/bin/bash
# The README's tour: its own blocks are typed, from kin up to kin down. And its table of what one may look at.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/documents.sh"

host_state >"$HOST_BEFORE"
says_so README.md
refused "kin down was its last word" 'is not running' kin status --lab "$LAB"

# One line of the tour is changed.
sed 's/^default via 10.244.1.1 dev eth0/default via 10.244.1.1 dev eth1/' README.md >"$work/lie.md"
check "another text" test -n "$(diff README.md "$work/lie.md")"
refused "a block that is not true is found" 'dev eth1 proto static onlink' types lie.md

# The table of objects, in the lab that this has left: left is on node-1, and isolated now.
check "a policy" k apply -f - <<YAML
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny}
spec: {podSelector: {}}
YAML
table_commands() {
    grep '^|' README.md | grep -oE '`(kin exec|kubectl) [^`]*`' | tr -d '`' | grep -v '[A-Z][A-Z]'
}
check "the table has commands" test "$(table_commands | wc -l)" -ge 10
while read -r command; do
    check "the table: $command" until_true 10 reader bash -c "$command"
done < <(table_commands)

# What it needs: the packages that ./run and ./test install.
packages() { (source .ci/setup && printf '%s\n' "${build_packages[@]}" "${lab_packages[@]}" "${test_packages[@]}" "${vm_packages[@]}"); }
unnamed() { packages | while read -r package; do grep -qFw -- "$package" README.md || echo "$package"; done; }
same "README names all packages" "" "$(unnamed)"

rm -rf "$work"
finish
