#!/usr/bin/env bash
# A new stage from stages/_template: the stage, its test, its model in the oracle, and its place in the
# build, the catalog and the graph.
# Why:  the first hour of a stage should go into its rule, not into file names.
# How:  copies and renames; the copy is a working stage with passing tests, to be changed step by
#       step (docs/WRITING_A_STAGE.md). With AFTER it goes into topology.yaml behind that stage
#       (add_to_graph.py); as it comes it lets every command pass. Nothing is touched when the name or
#       the place is refused.
# Not:  the build and the generated documents; `make new-stage` brings both up to date.
#
# usage: new_stage.sh NAME [AFTER]   lower case words joined by dashes, for example: cool-down dedupe
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
cd -- "$ROOT"

name=${1:-}
after=${2:-}
[ -n "$name" ] || fail "which name? make new-stage NAME=cool-down AFTER=dedupe"
[[ $name =~ ^[a-z][a-z0-9]*(-[a-z0-9]+)*$ && ${#name} -le 40 ]] ||
    fail "'$name' is no name of a stage: lower case words joined by dashes, at most 40 characters"
id=${name//-/_}
stage=stages/$name
tests=tests/unit/stages/account
test=$tests/test_$id.c
model=tests/oracle/stage_$id.py
for path in "$stage" "stages/$id.h" "$test" "$model"; do
    [ ! -e "$path" ] || fail "$path exists: choose another name"
done
place=(tools/dev/add_to_graph.py --name "$name" --in orders:OrderCommand --out passed:OrderCommand)
if [ -n "$after" ]; then
    "$PYTHON" "${place[@]}" --after "$after" --dry-run >/dev/null || exit 1
fi

# A number of its own for MR_SELF's check.
read -r checksum _ < <(printf '%s' "$name" | cksum)
magic=$(printf '0x%08x' "$checksum")
rename() {
    sed -e "s/UINT32_C(0x[0-9a-f]*)/UINT32_C($magic)/" -e "s,_template/template\.h,$name/$id.h," \
        -e "s/TEMPLATE/${id^^}/g" -e "s/template\.\([ch]\)/$id.\1/g" \
        -e "s/ \* template -- / * $name -- /" -e "s/\"template\"/\"$name\"/g" \
        -e "s/template_/${id}_/g" \
        -e "s/-- the example stage that a new one is copied from. Not in the catalog/-- the stage $name/" \
        -e 's/the example stage does/the stage does/' -e 's/"example: lets/"lets/' "$1"
}
mkdir -- "$stage"
rename stages/_template/template.c >"$stage/$id.c"
rename stages/_template/template.h >"$stage/$id.h"
printf 'mr_add_stage(%s %s.c)\n' "$name" "$id" >"$stage/CMakeLists.txt"
rename "$tests/test_template.c" >"$test"
sed -e "s/The template stage/The stage $name/" -e "s/Template/$(sed -E 's/(^|-)(.)/\u\2/g' <<<"$name")/g" \
    tests/oracle/_template.py >"$model"

printf '\nmr_add_stage_test(test_%s %s)\ntarget_link_libraries(test_%s PRIVATE account_fixture)\n' \
    "$id" "$name" "$id" >>"$tests/CMakeLists.txt"
sed -i "s/^set(stages \(.*\))$/set(stages \1 $name)/" stages/CMakeLists.txt
sed -i -e "/^#include \"validate\/validate.h\"/a #include \"$name/$id.h\"" \
    -e "/^const struct mr_stage \*const mr_stages/,/^};/s/^};/    \&${id}_stage,\n};/" stages/registry.c

sed -i "/^STAGES = {/,/^}/s/^}/    \"$name\": \"stage_$id\",\n}/" tests/oracle/tasks.py

if ! tools/dev/format.sh --fix "$stage/$id.c" "$stage/$id.h" "$test" stages/registry.c 2>/dev/null; then
    say "clang-format is missing: run 'make format' before you commit"
fi
cat <<TEXT
Made:     $stage/$id.c, its header and CMakeLists.txt
          $test
          $model, the same rule a second time: tests/oracle recomputes whole runs
Changed:  stages/CMakeLists.txt, stages/registry.c, $tests/CMakeLists.txt, tests/oracle/tasks.py
TEXT
if [ -n "$after" ]; then
    say "          $("$PYTHON" "${place[@]}" --after "$after")"
else
    say "The graph is left alone. To put the stage into it, behind dedupe for example:"
    say "          ${place[*]} --after dedupe"
fi
say "Try it:   make test-unit TESTS=test_$id"
say "Then:     docs/WRITING_A_STAGE.md goes through it in ten minutes"
