#!/usr/bin/env bash
# Makes this machine able to build, run and test: distribution packages, then the Java servers.
# Why:  the front door's promise is one command on a machine that has git and make.
# How:  says what is missing and why BEFORE anything is installed; as root installs it, otherwise
#       prints the one command that does and stops. Silent when nothing is missing.
# Not:  it starts no service (the package redis-server would) and removes nothing.
#
# usage: install.sh [--build-only] [--test] [--packages-only]
#   --build-only     what `make build` and `make try` need: no Java, no servers
#   --test           and what `make test` needs besides
#   --packages-only  no download of the servers (for the root half of an unprivileged user)
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

# A plain `su` leaves a user's PATH, and dpkg wants ldconfig.
PATH=$PATH:/usr/sbin:/sbin
GUARD=/usr/sbin/policy-rc.d
GUARD_SAVED=$GUARD.before-millrace
GUARD_MARK='# millrace: no service starts while its packages are installed'

groups=" build stack "
servers=1
args=("$@")
for arg; do
    case $arg in
    --build-only) groups=${groups/ stack / } servers=0 ;;
    --test) groups+="test " ;;
    --packages-only) servers=0 ;;
    *) fail "unknown argument '$arg' (--build-only, --test, --packages-only)" ;;
    esac
done

# Reads the lists into entries[] ("a|b") and why{}; keeps the groups that were asked for.
declare -a entries=()
declare -A why=()
read_lists() {
    local file line name group=
    for file in packages.txt packages-test.txt; do
        while IFS= read -r line || [ -n "$line" ]; do
            case $line in
            '' | '#'*) ;;
            '['*']') group=${line#[} group=${group%]} ;;
            *)
                [[ $groups == *" $group "* ]] || continue
                name=${line%%[[:space:]]*}
                entries+=("$name")
                why[$name]=${line##*# }
                ;;
            esac
        done <"$ROOT/tools/dev/$file"
    done
}

# Fills missing[] with the entries none of whose alternatives is installed. One dpkg-query: fast.
declare -a missing=()
find_missing() {
    local -A have=()
    local entry name status
    local -a names=()
    for entry in "${entries[@]}"; do
        IFS='|' read -ra alternatives <<<"$entry"
        names+=("${alternatives[@]}")
    done
    while read -r status name; do
        [ "$status" = installed ] && have[$name]=1
    done < <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${names[@]}" 2>/dev/null || true)
    for entry in "${entries[@]}"; do
        IFS='|' read -ra alternatives <<<"$entry"
        for name in "${alternatives[@]}"; do
            [ -n "${have[$name]:-}" ] && continue 2
        done
        missing+=("$entry")
    done
}

# The first alternative that the package lists offer.
choose() {
    local name policy
    IFS='|' read -ra alternatives <<<"$1"
    for name in "${alternatives[@]}"; do
        # Not a pipe into grep -q: that ends at the first match, and pipefail then reports the
        # writer's broken pipe as a package that does not exist.
        policy=$(apt-cache policy "$name" 2>/dev/null || true)
        if [[ $policy == *"Candidate: "[!\(]* ]]; then
            say "$name"
            return
        fi
    done
    fail "the distribution offers none of '$1' (floor: Debian 12, Ubuntu 24.04)"
}

restore_guard() {
    grep -qsF "$GUARD_MARK" "$GUARD" && rm -f "$GUARD"
    if [ -e "$GUARD_SAVED" ]; then mv -f "$GUARD_SAVED" "$GUARD"; fi
}

# A policy-rc.d that forbids every start, for the time of the installation only. A guard that a
# killed run left behind is recognised by its mark and taken away first.
set_guard() {
    restore_guard
    trap restore_guard EXIT
    trap 'exit 130' INT TERM HUP
    if [ -e "$GUARD" ]; then mv -f "$GUARD" "$GUARD_SAVED"; fi
    printf '#!/bin/sh\n%s\nexit 101\n' "$GUARD_MARK" >"$GUARD"
    chmod 755 "$GUARD"
}

install_packages() {
    local entry redis_is_new=0
    local -a chosen=()
    # Packages' own scripts run Python: what it compiles as root must not land in the clone.
    local -a apt=(env -u PYTHONPYCACHEPREFIX apt-get -q -y -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300)
    export DEBIAN_FRONTEND=noninteractive
    "${apt[@]}" update
    for entry in "${missing[@]}"; do
        chosen+=("$(choose "$entry")")
        if [ "$entry" = redis-server ]; then redis_is_new=1; fi
    done
    set_guard
    "${apt[@]}" install --no-install-recommends "${chosen[@]}"
    restore_guard
    trap - EXIT INT TERM HUP
    # The binary is wanted, not a service on the well-known port at every boot.
    if [ "$redis_is_new" = 1 ] && [ -d /run/systemd/system ]; then
        systemctl disable --quiet redis-server || true
    fi
}

say_missing() {
    local entry
    say "This needs ${#missing[@]} distribution package(s) that this machine does not have:"
    for entry in "${missing[@]}"; do
        printf '  %-26s %s\n' "${entry%%|*}" "${why[$entry]}"
    done
}

read_lists
command -v dpkg-query >/dev/null || {
    missing=("${entries[@]}")
    say_missing
    fail "no apt here: install their like by hand (the floor is Debian 12, Debian 13 or Ubuntu 24.04)"
}
find_missing
if [ "${#missing[@]}" -gt 0 ]; then
    say_missing
    if [ "$(id -u)" -ne 0 ]; then
        say "Only root can install them. This one command does, then run yours again:"
        printf -v command '%q ' "$ROOT/tools/dev/install.sh" --packages-only "${args[@]}"
        if command -v sudo >/dev/null; then say "  sudo ${command% }"; else say "  su - -c '${command% }'"; fi
        exit 1
    fi
    say "Installing them now; no service is started."
    started=$EPOCHREALTIME
    install_packages
    say "Packages installed in $(seconds_since "$started") s."
fi
if [ "$servers" = 1 ]; then
    exec "$PYTHON" "$ROOT/tools/dev/devstack" fetch
fi
