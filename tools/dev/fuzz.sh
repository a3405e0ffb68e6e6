#!/usr/bin/env bash
# Fuzzes every target for a while. usage: fuzz.sh [TARGET...]
# Why:  inputs nobody thinks of; what is found goes into tests/fuzz/corpus and is replayed by every build.
# How:  clang's libFuzzer with ASan and UBSan (preset `fuzz`). New inputs gather in build/fuzz/corpus,
#       so a later run goes on where this one ended; one that fails is kept in build/fuzz/found.
#       KEEP=1 writes the smallest set with the same coverage back to tests/fuzz/corpus.
#       A target whose input is a text has its words in tests/fuzz/TARGET.dict, and longer inputs.
#
# environment: SECONDS_EACH=N (60)  BUILD_DIR=DIR (build/fuzz)  KEEP=1
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
cd -- "$ROOT"

build=${BUILD_DIR:-build/fuzz}
inputs_max=48
seconds=${SECONDS_EACH:-60}
targets=("$@")
if [ "${#targets[@]}" -eq 0 ]; then
    for source in tests/fuzz/fuzz_*.c; do
        name=${source##*/fuzz_}
        targets+=("${name%.c}")
    done
fi
failed=()
for target in "${targets[@]}"; do
    program=$build/tests/fuzz/fuzz_$target
    [ -x "$program" ] || fail "$program is not built: run 'make fuzz'"
    mkdir -p "$build/corpus/$target" "$build/found"
    say "$target: $seconds s"
    log=$build/$target.log
    bytes_max=2048
    kept_bytes_max=2048
    words=()
    if [ -f "tests/fuzz/$target.dict" ]; then
        bytes_max=8192
        kept_bytes_max=4096
        words=(-dict="tests/fuzz/$target.dict")
    fi
    if "$program" "${words[@]}" -max_total_time="$seconds" -max_len="$bytes_max" -rss_limit_mb=1024 -print_final_stats=1 \
        -artifact_prefix="$build/found/$target-" "$build/corpus/$target" "tests/fuzz/corpus/$target" \
        >"$log" 2>&1; then
        say "  $(awk '/^stat::number_of_executed_units/ { print $2 " runs" }' "$log")"
    else
        failed+=("$target")
        say "  found something; the log's end:"
        tail -n 15 -- "$log"
        continue
    fi
    if [ "${KEEP:-0}" != 0 ]; then
        kept=tests/fuzz/corpus/$target
        fresh=$(mktemp -d)
        "$program" -merge=1 -max_len="$kept_bytes_max" "$fresh" "$kept" "$build/corpus/$target" >"$log" 2>&1
        # A small set: of many that are left, every n-th by size.
        find "$fresh" -type f -printf '%s %p\n' | sort -n |
            awk -v keep="$inputs_max" '{ line[NR] = $2 } END {
                for (i = 1; i <= NR; i++) {
                    if (int(i * keep / NR) == int((i - 1) * keep / NR)) { print line[i] }
                }
            }' | xargs -r rm --
        rm -rf -- "$kept"
        mv -- "$fresh" "$kept"
        chmod 755 "$kept"
        say "  $(find "$kept" -type f | wc -l) inputs kept"
    fi
done
[ "${#failed[@]}" -eq 0 ] || fail "failing inputs of ${failed[*]} are in $build/found"
