#!/bin/bash
# The page, as a class sees it: live, in a real browser.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/page_lib.sh"

start_lab
in_browser live.mjs
finish
