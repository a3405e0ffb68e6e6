#!/usr/bin/env bash
# Formatting of every C file that git knows or would add. usage: format.sh [--fix] [FILE...]
# Why:  one formatter, one version, no discussion; without --fix it only reports and exits 1.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
cd -- "$ROOT"
mode=(--dry-run -Werror)
if [ "${1:-}" = --fix ]; then mode=(-i) && shift; fi
# Another major version formats differently: the project's is 14, the distribution's own elsewhere.
tool=$(command -v clang-format-14 || command -v clang-format) || fail "clang-format is missing: run 'make format'"
files=("$@")
if [ "${#files[@]}" -eq 0 ]; then
    list=$(git -c core.quotePath=false ls-files --cached --others --exclude-standard -- '*.c' '*.h') ||
        fail "git cannot list this clone's files"
    while IFS= read -r file; do
        if [ -f "$file" ]; then files+=("$file"); fi
    done <<<"$list"
fi
[ "${#files[@]}" -gt 0 ] || exit 0
"$tool" --style=file "${mode[@]}" "${files[@]}"
