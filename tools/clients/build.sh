#!/usr/bin/env bash
# Builds the clients that are not C or Python, with their unit tests: build/clients/java, build/clients/go.
# Why:  `mvn package` and `go build` are all it takes; here they get versions that do not change, caches
#       that a second clone shares, and another attempt when a download breaks off.
# How:  what Maven and Go download lies in the cache (~/.cache/millrace), what is made in build/clients.
#
# environment: MILLRACE_CACHE=DIR (default ~/.cache/millrace)
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../dev/lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/../dev/lib.sh"

case ${1:-} in
'') ;;
-h | --help)
    sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 0
    ;;
*) fail "unexpected '$1' (see --help)" ;;
esac

ATTEMPTS=3
cache=${MILLRACE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/millrace}
out=$ROOT/build/clients
mkdir -p "$out/go"
exec 9>"$out/.lock"
flock 9

again() {
    local attempt
    for ((attempt = 1; ; attempt++)); do
        "$@" && return
        [ "$attempt" -lt "$ATTEMPTS" ] || fail "$1 failed $ATTEMPTS times"
        say "attempt $attempt of $ATTEMPTS failed: $1"
        sleep $((2 * attempt))
    done
}

build_go() {
    cd -- "$ROOT/tools/clients/go"
    # Packages change the version of Go for nobody; files of the module cache can be deleted.
    export GOTOOLCHAIN=local GOFLAGS=-modcacherw GOMODCACHE=$cache/go-mod
    again go mod download
    go vet .
    go test -count=1 .
    go build -o "$out/go/place_order" .
}

build_java() {
    again mvn -B -ntp -q -Dstyle.color=never -f "$ROOT/tools/clients/java/pom.xml" "-Dmaven.repo.local=$cache/maven" \
        "-Doutput=$out/java" package
}

for language in go java; do
    began=$EPOCHREALTIME
    (build_"$language")
    say "tools/clients/$language: built and tested in $(seconds_since "$began") s"
done
