# Sourced behind lib.sh by the tests of what documents say: a shell as the reader has it, in a
# directory of its own, whose kin and kubectl are those of this test's lab.
work=$(mktemp -d "/tmp/$LAB.XXXXXX")
chmod 755 "$work" # What runs in the lab may read it.
mkdir "$work/bin"
ln -s "$PWD/examples" "$PWD/README.md" "$work"
cat >"$work/bin/kin" <<SHELL
#!/bin/bash
case \$1 in
doctor | version) exec "$KIN" "\$@" ;;
node) exec "$KIN" node "\$2" --lab "$LAB" "\${@:3}" ;;
*) exec "$KIN" "\$1" --lab "$LAB" "\${@:2}" ;;
esac
SHELL
cat >"$work/bin/kubectl" <<SHELL
#!/bin/bash
exec "$KIN" kubectl --lab "$LAB" "\$@"
SHELL
chmod +x "$work/bin/"*

# reader COMMAND...: as the reader would run it.
reader() { (cd "$work" && PATH="$work/bin:$PATH" "$@"); }
# types FILE: all that it shows is typed, and answered as it says.
TRANSCRIPT=$PWD/tests/e2e/transcript.py
types() { reader python3 -B "$TRANSCRIPT" "$1"; }
# says_so FILE: the test of one document; a difference is shown whole.
says_so() {
    local output
    if output=$(types "$1" 2>&1); then ok "$1: $output"; else
        bad "$1"
        printf '%s\n' "$output" | sed 's/^/       | /'
    fi
}
