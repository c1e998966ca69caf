#!/bin/bash
# The page by keyboard alone, for screen readers, and in both colours.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/page_lib.sh"

start_lab
in_browser keys.mjs
finish
