#!/usr/bin/env bash
# Everything that `make test` is: install what is missing, then the lanes, then one line of sums.
#   debug  gcc; every test, those on the real servers too      asan  clang, address and undefined
#   tsan   gcc, what has threads                              clang builds everything, no tests
# Why:  one command whose last line and exit code say whether the repository is sound.
# How:  a lane is a CMake preset and a choice of ctest labels. A lane that fails does not stop the
#       others; a build that fails counts as one failure. Results: build/test/report.json.
#       The servers are a stack of their own (build/test-stack), empty at the start, ended at the end.
#
# usage: test.sh [all|unit|integration|long]
# environment: LANES="debug asan tsan clang" (integration: debug or tsan)  TESTS=REGEX  JOBS=N  TEST_STACK_DIR  KAFKA_VERSION
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
cd -- "$ROOT"

mode=${1:-all}
jobs=${JOBS:-$(nproc)}
results=$ROOT/build/test
stack_dir=${TEST_STACK_DIR:-$ROOT/build/test-stack}
stack_started=0
on_servers='^(integration|long|bench)$'
case $mode in
all) lanes=${LANES:-debug asan tsan clang} ;;
integration) lanes=${LANES:-debug} ;;
unit | long) lanes=debug ;;
*) fail "unknown choice '$mode' (all, unit, integration, long)" ;;
esac
for lane in $lanes; do
    case $lane in debug | asan | tsan | clang) ;; *) fail "unknown lane '$lane' in LANES" ;; esac
done

stop_stack() {
    [ "$stack_started" = 1 ] || return 0
    stack_started=0
    STACK_DIR=$stack_dir tools/dev/stack.sh down || say "the test stack in $stack_dir did not end"
}

# One row of the summary: lane, seconds, JUnit file or -, error or -.
record() { printf '%s\t%s\t%s\t%s\n' "$@" >>"$results/lanes.tsv"; }

# Configures and builds preset $1; a lane's time counts from here. Quiet in a log, where only a failure's output is shown.
build() {
    local preset=$1 log=$results/$1.build.log
    local -a configure=(cmake --preset "$preset" "-DPython3_EXECUTABLE=$PYTHON" --log-level=WARNING)
    local -a compile=(cmake --build --preset "$preset" --parallel "$jobs")
    say "== $preset: building (log: ${log#"$ROOT"/})"
    if ! "${configure[@]}" >"$log" 2>&1; then
        tail -n 40 "$log"
        record "$preset" "$(seconds_since "$lane_started")" - "it cannot be configured"
        return 1
    fi
    if [ -t 1 ]; then
        "${compile[@]}" && return 0
    else
        if "${compile[@]}" >>"$log" 2>&1; then
            say "   built in $(seconds_since "$lane_started") s"
            return 0
        fi
        # From the first failure on; the compilers' messages of all of them.
        sed -n '/^FAILED: /,$p' "$log" | head -n 200
    fi
    record "$preset" "$(seconds_since "$lane_started")" - "it does not build"
    return 1
}

# run_tests NAME PRESET CTEST-ARGUMENT...: runs the tests, records them under NAME.
run_tests() {
    local name=$1 preset=$2 xml=$results/$1.xml
    shift 2
    local -a wrap=()
    # Sanitizers of these compilers cannot place their shadow under strong address randomisation.
    case $preset in
    asan | tsan) if setarch -R true 2>/dev/null; then wrap=(setarch -R); fi ;;
    esac
    if [ -n "${TESTS:-}" ]; then set -- "$@" -R "$TESTS"; fi
    say "== $name: testing"
    rm -f "$xml"
    # The exit code is not asked: the results are, and a missing file of results is a failure.
    "${wrap[@]}" ctest --preset "$preset" --no-tests=ignore --output-on-failure \
        --output-junit "$xml" "$@" || true
    record "$name" "$(seconds_since "$lane_started")" "$xml" -
}

count_tests() { ctest --preset "$2" -N -L "$1" ${TESTS:+-R "$TESTS"} 2>/dev/null | sed -n 's/^Total Tests: //p'; }

# run_on_servers LABEL PRESET: the tests of the label against servers of their own.
run_on_servers() {
    local label="^$1\$" preset=$2 python found
    lane_started=$EPOCHREALTIME
    found=$(count_tests "$label" "$preset") || true
    if [ "${found:-0}" = 0 ]; then
        say "== $1: no tests with this label"
        return 0
    fi
    say "== $1: starting servers in ${stack_dir#"$ROOT"/}"
    if ! python=$(tools/dev/stack.sh python); then
        record "$1" "$(seconds_since "$lane_started")" - "no Python environment"
        return 0
    fi
    stack_started=1
    if ! STACK_DIR=$stack_dir tools/dev/stack.sh reset >"$results/stack.log" 2>&1 ||
        ! STACK_DIR=$stack_dir tools/dev/stack.sh up; then
        cat "$results/stack.log"
        record "$1" "$(seconds_since "$lane_started")" - "the servers do not start"
        stop_stack
        return 0
    fi
    (
        load_stack_env "$stack_dir/stack.env"
        # For the tests: their interpreter, and this stack should they stop or kill a server of it.
        export MILLRACE_PYTHON=$python STACK_DIR=$stack_dir PATH="${python%/*}:$PATH"
        run_tests "$1" "$preset" -L "$label" --timeout 600
    )
    stop_stack
}

case $mode in
unit) tools/dev/install.sh --build-only --test ;;
*) tools/dev/install.sh --test ;;
esac
mkdir -p "$results"
exec 9>"$results/.lock"
flock -n 9 || fail "another run of the tests works in this clone"
trap stop_stack EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
: >"$results/lanes.tsv"
# A caller's own flags would make another build than the one that is promised.
unset CC CFLAGS CPPFLAGS LDFLAGS MAKEFLAGS
export CTEST_PARALLEL_LEVEL=1

for lane in $lanes; do
    lane_started=$EPOCHREALTIME
    build "$lane" || continue
    case $lane in
    debug)
        case $mode in
        all | unit) run_tests debug debug -LE "$on_servers" -j "$jobs" --timeout 180 ;;
        esac
        case $mode in
        all) run_on_servers integration debug ;;
        integration | long) run_on_servers "$mode" debug ;;
        esac
        ;;
    asan)
        run_tests asan asan -L '^(unit|conformance|topology|fuzz)$' -LE "$on_servers" \
            -j "$jobs" --timeout 300
        ;;
    tsan) # what has threads; the rest would only take ten times as long
        case $mode in
        all)
            run_tests tsan tsan -L '^unit$' -E '^unit\.(domain|stages|topology)\.' -LE "$on_servers" \
                -j "$jobs" --timeout 300
            ;;
        integration) run_on_servers integration tsan ;;
        esac
        ;;
    clang) record clang "$(seconds_since "$lane_started")" - - ;;
    esac
done
"$PYTHON" tools/dev/ctest_report.py "$results/lanes.tsv" "$results/report.json"
