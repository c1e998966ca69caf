#!/bin/bash
# The page tells how pods are attached and how nodes are joined, in each way that there is.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/page_lib.sh"

start_lab
in_browser ways.mjs
finish
