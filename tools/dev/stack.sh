#!/usr/bin/env bash
# The development stack: Kafka, schema registry, document store and Redis on this machine.
# Why:  real servers without containers, on ports of their own, ended by nobody but their starter.
# How:  the work is in tools/dev/devstack; `stack.sh --help` lists the commands and variables.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
exec "$PYTHON" "$ROOT/tools/dev/devstack" "$@"
