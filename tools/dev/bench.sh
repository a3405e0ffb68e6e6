#!/usr/bin/env bash
# The benchmark: throughput, CPU per order, latency, memory; against the peer with PEER=DIR.
# Why:  figures that anyone takes again with one command, with machine and commit beside them.
# How:  the work is in tools/bench; `bench.sh --help` lists flags and variables. Build first
#       (`make bench` does).
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
exec "$PYTHON" "$ROOT/tools/bench" "$@"
