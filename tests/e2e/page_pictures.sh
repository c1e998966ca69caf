#!/bin/bash
# Pictures of every screen of the page, light and dark, in build/pictures. No test: for people to look at.
# Four of them are the README's, in web/pictures: copy them there when the page looks different.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/page_lib.sh"

start_lab
in_browser pictures.mjs

# Once more with a network that has more to be seen.
"$KIN" reset --yes --lab "$LAB" >/dev/null
KIN_CNI=bridge KIN_OVERLAY=vxlan
start_lab
in_browser pictures.mjs
finish
