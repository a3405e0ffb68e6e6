#!/usr/bin/env bash
# Exactly-once under fire: kills, stops and cuts while orders flow, then the verdict.
# Why:  what survives kill -9 on real servers is shown, not argued.
# How:  the work is in tools/chaos; `chaos.sh --help` lists flags and variables. Build first
#       (`make chaos` does). `chaos.sh points ...`: the crash points of the commit cycle instead.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
python=${MILLRACE_PYTHON:-$("$ROOT/tools/dev/stack.sh" python)}
module=chaos
if [ "${1:-}" = points ]; then
    module=chaos.points
    shift
fi
PYTHONPATH=$ROOT/tools${PYTHONPATH:+:$PYTHONPATH} exec "$python" -m "$module" "$@"
