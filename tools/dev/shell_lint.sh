#!/usr/bin/env bash
# Runs shellcheck over every shell script that git knows or would add.
# Why:  the front door is shell; an unquoted path breaks on somebody else's machine only.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
cd -- "$ROOT"
command -v shellcheck >/dev/null || fail "shellcheck is missing: run 'make lint'"
list=$(git -c core.quotePath=false ls-files --cached --others --exclude-standard -- '*.sh' .ci tools) ||
    fail "git cannot list this clone's files"
files=()
while IFS= read -r file; do
    [ -f "$file" ] || continue
    case ${file##*/} in
    *.sh) files+=("$file") ;;
    *.*) ;;
    *)
        IFS= read -r first <"$file" || true
        case $first in '#!'*sh) files+=("$file") ;; esac
        ;;
    esac
done <<<"$list"
shellcheck -x "${files[@]}"
say "${#files[@]} scripts are clean"
