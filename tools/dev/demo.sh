#!/usr/bin/env bash
# The main job on real servers: plays recorded trades through the pipeline and proves the result.
# Why:  one command that ends with "every check is equal" or says what is not.
# How:  the stack (started if it is not up), the topology, three processes (group account, group market,
#       connectors), load, verify, a tour of every order type, the books of everything, a dry run of an
#       order, summary; then what was started here is stopped again. A process that ends while the demo
#       runs is started again, so a kill -9 of any part is part of the game.
# Not:  the build; `make demo` builds first.
#
# environment: TRADES=FILE  MARKETS=spot,usdm  SYMBOLS=A,B  LIMIT=N  RATE=N  SPEED=10x|max  SEED=N
#   MIX="--duplicates 1% ..."  what is mixed in ("" for the trades alone)
#   STORES=0                   without connectors, document store and Redis unchecked
#   KEEP=1                     leaves everything running and prints the addresses
#   KILL=market KILL_AFTER_S=2 kill -9 of that process so long after the orders began to flow, and once
#                              more in the tour: its outcomes are the same
#   TOUR=FILE                  another tour ("" for none)
#   MILLRACE=FILE              the program (default build/release/tools/millrace/millrace)
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
cd -- "$ROOT"

millrace=${MILLRACE:-build/release/tools/millrace/millrace}
stack_dir=${STACK_DIR:-build/stack}
out=build/demo
run=$out/run
trades=${TRADES:-tools/sample/trades.csv.gz}
mix=${MIX---duplicates 1% --conflicts 0.5% --invalid 1% --unfunded 0.5% --cancels 1% --malformed 0.2% --market-takers 5%}
tour=${TOUR-tools/sample/tour.jsonl}
tour_run=t$EPOCHSECONDS
parts=(account market)
[ "${STORES:-1}" = 0 ] || parts+=(connectors)
stack_started=0
supervisors=()
began=$EPOCHREALTIME
ready_timeout_s=60
restarts_max=5

step() { printf '== %s\n' "$*"; }

# pid of part $1 if it is alive and the process that was started here: pids are used again.
alive() {
    local pid start now
    read -r pid start <"$run/$1.pid" 2>/dev/null || return 1
    now=$(start_time "$pid") && [ "$now" = "$start" ] && printf '%s' "$pid"
}

# The kernel's start time of a process: with it a pid is unique.
start_time() {
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    stat=${stat##*) }
    # shellcheck disable=SC2086
    set -- $stat
    [ "$1" != Z ] && printf '%s' "${20}"
}

stop_part() {
    local pid waited=0
    pid=$(alive "$1") || return 0
    kill -TERM "$pid" 2>/dev/null || return 0
    while alive "$1" >/dev/null; do
        waited=$((waited + 1))
        if [ "$waited" -gt 300 ]; then
            say "   $1 (pid $pid) does not end; killing it"
            kill -KILL "$pid" 2>/dev/null || true
            break
        fi
        sleep 0.1
    done
}

# Without new starts: the supervisors see the file.
# shellcheck disable=SC2317 # reached through the trap
stop_parts() {
    local part
    : >"$run/stop"
    for part in "${parts[@]}"; do stop_part "$part"; done
    for part in "${supervisors[@]}"; do wait "$part" 2>/dev/null || true; done
    supervisors=()
}

# shellcheck disable=SC2317 # the trap calls it
finish() {
    local code=$?
    trap - EXIT INT TERM
    if [ "${KEEP:-0}" = 1 ] && [ "$code" = 0 ]; then
        say
        say "Left running (make demo again, or kill -TERM the pids, ends them; make stack-down ends the stack):"
        local part
        for part in "${parts[@]}"; do
            say "   $part: pid $(alive "$part"), http://127.0.0.1:$(cat "$run/$part.port")/metrics"
        done
        sed 's/^/   /' "$stack_dir/stack.env"
        # Without their supervisors, which would hold this script's output open.
        kill -KILL "${supervisors[@]}" 2>/dev/null || true
        exit 0
    fi
    stop_parts
    if [ "$stack_started" = 1 ]; then
        step "stopping the stack"
        tools/dev/stack.sh down || say "   the stack did not end"
    fi
    exit "$code"
}

# Runs a part and starts it again when it ends unasked.
supervise() {
    local part=$1 restarts=0 code
    shift
    while :; do
        "$millrace" run topology.yaml "$@" --state-dir "$state" --instance demo \
            --http 127.0.0.1:0 --http-port-file "$run/$part.port" --wait 60s \
            >>"$out/$part.log" 2>&1 &
        child=$!
        printf '%s %s\n' "$child" "$(start_time "$child" || echo 0)" >"$run/$part.pid"
        code=0
        wait "$child" || code=$?
        [ -e "$run/stop" ] && return 0
        restarts=$((restarts + 1))
        if [ "$restarts" -gt "$restarts_max" ]; then
            say "   $part ended $restarts times; giving up. Its log: $out/$part.log"
            return 1
        fi
        say
        say "   $part ended with code $code; starting it again"
        sleep 0.2
    done
}

start_part() {
    local part=$1
    rm -f -- "$run/$part.port" "$run/$part.pid"
    supervise "$@" &
    supervisors+=($!)
}

# First line of the answer to GET /ready of part $1.
ready() {
    local port line
    port=$(cat "$run/$1.port" 2>/dev/null) && [ -n "$port" ] || return 1
    {
        exec 9<>"/dev/tcp/127.0.0.1/$port" || return 1
        printf 'GET /ready HTTP/1.0\r\n\r\n' >&9
        read -r -t 2 line <&9 || line=
        exec 9>&-
    } 2>/dev/null
    [[ $line == *" 200 "* ]]
}

wait_ready() {
    local part deadline=$((SECONDS + ready_timeout_s))
    for part in "${parts[@]}"; do
        until ready "$part"; do
            if [ "$SECONDS" -gt "$deadline" ]; then
                tail -n 15 "$out/$part.log" || true
                fail "$part is not ready after $ready_timeout_s s; its log: $out/$part.log"
            fi
            sleep 0.1
        done
        say "   $part is ready (pid $(alive "$part"), http://127.0.0.1:$(cat "$run/$part.port"))"
    done
}

# kill -9 of $KILL after $1 seconds, when orders are on their way, to show that nothing is lost by it.
kill_later() {
    local pid
    sleep "$1"
    pid=$(alive "$KILL") || return 0
    say
    say "   kill -9 of $KILL (pid $pid)"
    kill -KILL "$pid"
}

# A dry run: does risk allow bob, who has 872 USDT, to buy $1 at 100?
ask_risk() {
    "$millrace" risk check --user "$tour_run.bob" --symbol "$tour_run.SPOT" --side BUY --qty "$1" --price 100
}

[ -x "$millrace" ] || fail "$millrace is not built: run 'make demo', or 'make build' first"
[ -r "$trades" ] || fail "cannot read the trades $trades"
mkdir -p -- "$run"
for part in "${parts[@]}"; do
    if alive "$part" >/dev/null; then
        say "ending $part of an earlier demo (pid $(alive "$part"))"
        : >"$run/stop"
        stop_part "$part"
    fi
done
rm -f -- "$run/stop" "$out"/*.log "$out/report.json" "$out/manifest.json"
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

step "development stack"
tools/dev/stack.sh status >/dev/null 2>&1 || stack_started=1
tools/dev/stack.sh up
while IFS= read -r line; do export "${line?}"; done <"$stack_dir/stack.env"
# With the stack's data, so that emptying the stack empties it too: state without its changelogs is nobody's.
state=$stack_dir/data/demo-state-$(cat "$stack_dir/run/kafka-version" 2>/dev/null || echo kafka)

step "topology"
"$millrace" topology apply topology.yaml

step "processes"
start_part account --group account
start_part market --group market
[ "${STORES:-1}" = 0 ] || start_part connectors --connectors all
wait_ready

step "playing $trades"
options=(--manifest "$out/manifest.json" --markets "${MARKETS:-spot}" --symbols "${SYMBOLS:-}"
    --limit "${LIMIT:-0}" --seed "${SEED:-1}" --speed "${SPEED:-max}")
[ -z "${RATE:-}" ] || options+=(--rate "${RATE%/s}/s")
read -r -a mixed <<<"$mix"
if [ -n "${KILL:-}" ]; then
    kill_later "${KILL_AFTER_S:-2}" &
fi
load_code=0
"$millrace" load trades "$trades" "${options[@]}" "${mixed[@]}" || load_code=$?
[ -e "$out/manifest.json" ] || fail "the load did not finish; logs: $out/*.log"

step "verifying"
verify_code=0
stores=true
[ "${STORES:-1}" != 0 ] || stores=false
"$millrace" verify --manifest "$out/manifest.json" --report "$out/report.json" --stores="$stores" ||
    verify_code=$?

# After the proof of the load, which counts all records since it began.
tour_code=0
risk_code=0
if [ -n "$tour" ]; then
    step "every order type, from $tour"
    if [ -n "${KILL:-}" ]; then
        kill_later 2 &
    fi
    "$millrace" load tour "$tour" --run "$tour_run" || tour_code=$?
    step "what risk would say to an order of the tour's buyer, and to one that is too large for it"
    ask_risk 1 || risk_code=1
    if ask_risk 9 >"$out/refused.txt" || ! grep 3001 "$out/refused.txt"; then risk_code=1; fi
fi

step "the books of everything that was ever posted"
books_code=0
"$millrace" verify --ledger || books_code=$?

say
for part in "${parts[@]}"; do
    if pid=$(alive "$part"); then
        rss_kb=$(awk '/^VmHWM/ { print $2 }' "/proc/$pid/status")
        printf '%-44s %16s\n' "peak RSS of $part, MB" "$((rss_kb / 1024))"
    fi
done
printf '%-44s %16s\n' "seconds in all, without the build" "$(seconds_since "$began")"
say "report: $out/report.json, logs: $out/*.log"
[ "$load_code" = 0 ] || say "the load did not see every outcome in time"
[ "$tour_code" = 0 ] || say "not every order type came out as expected"
[ "$books_code" = 0 ] || say "the books are not right"
[ "$risk_code" = 0 ] || say "the dry run of an order was not answered as expected"
exit "$((verify_code || load_code || tour_code || books_code || risk_code))"
