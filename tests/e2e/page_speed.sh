#!/bin/bash
# How much script a frame of the page's map takes with 1,000 pods. Needs no lab.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/page_lib.sh"

SOCKET=
in_browser speed.mjs
rm -f "$HOST_BEFORE" "$HOST_AFTER"
[ -n "${KIN_E2E_HOME:-}" ] && rm -rf "$KIN_E2E_HOME"
exit "$failures"
