#!/usr/bin/env bash
# Writes anew what the documents show of the program: docs/OPTIONS.md, docs/CODES.md, docs/SCHEMAS.md,
# docs/topology.schema.json and the README's graph.
# Why:  a table that is typed by hand is wrong after the next option. The lints compare both.
# How:  `millrace options`, `millrace codes --markdown`, tools/avrogen/document.py, `millrace topology schema`, and
#       `millrace topology graph topology.yaml` between the README's marks.
#
# environment: MILLRACE=FILE (the program, default build/release/tools/millrace/millrace)
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
cd -- "$ROOT"

millrace=${MILLRACE:-build/release/tools/millrace/millrace}
[ -x "$millrace" ] || fail "$millrace is not built: run 'make docs', or 'make build' first"
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

"$millrace" options >"$work/OPTIONS.md"
"$millrace" codes --markdown >"$work/CODES.md"
"$PYTHON" tools/avrogen/document.py "$millrace" >"$work/SCHEMAS.md"
"$millrace" topology schema >"$work/topology.schema.json"
"$millrace" topology graph topology.yaml >"$work/graph"
awk -v graph="$work/graph" '
    /^<!-- graph: end -->$/ { skip = 0 }
    !skip { print }
    /^<!-- graph: begin/ {
        skip = 1
        print "```mermaid"
        while ((getline line < graph) > 0) print line
        print "```"
    }' README.md >"$work/README.md"
grep -q '^<!-- graph: end -->$' "$work/README.md" || fail "README.md has lost its marks of the graph"
for document in docs/OPTIONS.md docs/CODES.md docs/SCHEMAS.md docs/topology.schema.json README.md; do
    [ -e "$document" ] && cmp -s "$work/${document##*/}" "$document" && continue
    cat "$work/${document##*/}" >"$document"
    say "$document is new"
done
