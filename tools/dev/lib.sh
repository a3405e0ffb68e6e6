# shellcheck shell=bash
# What the development scripts share: the repository's root, messages, the pinned versions.
# Why:  a script is run from any directory and by people who read only its last lines.
# How:  sourced, never run; sets ROOT, PYTHON and PYTHONPYCACHEPREFIX and changes nothing else.

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
# Debian's own interpreter: a version manager's python3 may lack venv or change under the tests.
PYTHON=/usr/bin/python3
[ -x "$PYTHON" ] || PYTHON=python3
# Compiled Python goes where everything that is made goes.
export PYTHONPYCACHEPREFIX="${PYTHONPYCACHEPREFIX:-$ROOT/build/pycache}"

say() { printf '%s\n' "$*"; }
fail() {
    printf '%s: %s\n' "$(basename -- "$0")" "$*" >&2
    exit 1
}

# Seconds with two decimals since the value of $EPOCHREALTIME given as first argument.
seconds_since() {
    local then_us=${1/[.,]/} now_us=${EPOCHREALTIME/[.,]/}
    local cs=$(((now_us - then_us) / 10000))
    printf '%d.%02d' $((cs / 100)) $((cs % 100))
}

# Exports the NAME=value lines of a stack.env. Not sourced: a value may hold what a shell would read.
load_stack_env() {
    local name value
    while IFS='=' read -r name value; do
        if [ -n "$name" ]; then export "$name=$value"; fi
    done <"$1"
}
