#!/usr/bin/env bash
# A new stage from stages/_template: the stage, its test and its place in the build and the catalog.
# Why:  the first hour of a stage should go into its rule, not into file names.
# How:  copies and renames; the copy is a working stage with passing tests, to be changed step by
#       step (docs/STAGES.md). Nothing is touched when the name is refused.
# Not:  topology.yaml: where the stage stands in the graph is the author's decision.
#
# usage: new_stage.sh NAME      lower case words joined by dashes, for example: cool-down
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
cd -- "$ROOT"

name=${1:-}
[ -n "$name" ] || fail "which name? make new-stage NAME=cool-down"
[[ $name =~ ^[a-z][a-z0-9]*(-[a-z0-9]+)*$ && ${#name} -le 40 ]] ||
    fail "'$name' is no name of a stage: lower case words joined by dashes, at most 40 characters"
id=${name//-/_}
stage=stages/$name
tests=tests/unit/stages/account
test=$tests/test_$id.c
for path in "$stage" "stages/$id.h" "$test"; do
    [ ! -e "$path" ] || fail "$path exists: choose another name"
done

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

printf '\nmr_add_stage_test(test_%s %s)\ntarget_link_libraries(test_%s PRIVATE account_fixture)\n' \
    "$id" "$name" "$id" >>"$tests/CMakeLists.txt"
sed -i "s/^set(stages \(.*\))$/set(stages \1 $name)/" stages/CMakeLists.txt
sed -i -e "/^#include \"validate\/validate.h\"/a #include \"$name/$id.h\"" \
    -e "/^const struct mr_stage \*const mr_stages/,/^};/s/^};/    \&${id}_stage,\n};/" stages/registry.c

if ! tools/dev/format.sh --fix "$stage/$id.c" "$stage/$id.h" "$test" stages/registry.c 2>/dev/null; then
    say "clang-format is missing: run 'make format' before you commit"
fi
cat <<TEXT
Made:     $stage/$id.c, its header and CMakeLists.txt
          $test
Changed:  stages/CMakeLists.txt, stages/registry.c, $tests/CMakeLists.txt
Try it:   make test-unit TESTS=test_$id
Then:     give it a place in topology.yaml, for example between dedupe and risk:
            topics:  orders.$name: {key: userId, value: OrderCommand}
            stages:  $name: {type: $name, in: {orders: orders.unique}, out: {passed: orders.$name}}
                     risk:  in: {orders: orders.$name, ...}
            groups:  account: {stages: [validate, dedupe, $name, risk, settle], ...}
          'make docs' brings docs/OPTIONS.md up to date. docs/STAGES.md says the rest.
TEXT
