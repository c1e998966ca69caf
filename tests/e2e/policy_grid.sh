#!/bin/bash
# NetworkPolicy in the kernels of a lab, cell by cell, against an oracle written from the documentation
# (tests/policy/oracle). KIN_GRID=all: every case; else a sample, the same in each run.
source "$(dirname "$0")/lib.sh"

cases=(--sample "${KIN_GRID_SAMPLE:-60}")
[ "${KIN_GRID:-}" = all ] && cases=()

start_lab --nodes 3
# -B: an ordinary user cannot write beside the sources, and root should not.
python3 -B "$(dirname "$0")/../policy/oracle/run.py" "$KIN" --lab "$LAB" "${cases[@]}" ||
    bad "the kernels do what the oracle says, and soon enough"
finish
