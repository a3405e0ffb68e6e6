#!/usr/bin/env bash
# The pipeline on the log in memory, in one process: no server, no Java.
# Why:  a first look in seconds, and the quick round while working on a stage.
# How:  `millrace try`, the tour of order types behind it; arguments are passed on (--help lists them).
#
# environment: TRADES=FILE  LIMIT=N  TOUR=FILE ("" for none)  MILLRACE=FILE (the program)
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
cd -- "$ROOT"

millrace=${MILLRACE:-build/release/tools/millrace/millrace}
[ -x "$millrace" ] || fail "$millrace is not built: run 'make try', or 'make build' first"
exec "$millrace" try --trades "${TRADES:-tools/sample/trades.csv.gz}" --limit "${LIMIT:-0}" \
    --tour "${TOUR-tools/sample/tour.jsonl}" "$@"
