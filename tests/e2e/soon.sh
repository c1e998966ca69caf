# Sourced behind lib.sh by tests of what follows its objects with a delay.

# The output of a command, which may fail, matches an extended regular expression.
shows() {
    local pattern=$1
    shift
    grep -Eq -- "$pattern" <<<"$("$@" 2>&1)"
}
# soon WHAT PATTERN COMMAND...: as expect, but the command is asked again for up to 40 s.
soon() {
    local what=$1 pattern=$2
    shift 2
    if until_true 40 shows "$pattern" "$@"; then ok "$what"; else
        expect "$what" "$pattern" "$@"
    fi
}
# field "OBJECT..." JSONPATH: a field of an object, or of those that a selector finds.
# shellcheck disable=SC2086
field() { k get $1 -o "jsonpath=$2"; }
