# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What every part of ./dev uses: messages and locks.

say() { printf 'dev: %s\n' "$*" >&2; }

# One sentence that says what is wrong and what to do, then the end.
die() {
    printf 'dev: error: %s\n' "$*" >&2
    exit 1
}

# As die, for a wrong command line.
misuse() {
    printf 'dev: error: %s\n' "$*" >&2
    exit 2
}

# lock_file DESCRIPTOR FILE WHAT, lock_folder DESCRIPTOR FOLDER WHAT: locks it on that descriptor until this
# process ends or unlocks it, and says so when it has to wait.
lock_file() {
    mkdir -p "$(dirname "$2")" 2>/dev/null ||
        die "cannot make the folder $(dirname "$2"); check its owner, or set XDG_CACHE_HOME to a folder that you may write to"
    eval "exec $1>>\"\$2\"" || die "cannot write $2; check its owner"
    wait_for_lock "$1" "$3"
}

lock_folder() {
    eval "exec $1<\"\$2\""
    wait_for_lock "$1" "$3"
}

wait_for_lock() {
    flock -n "$1" && return
    say "waiting for another ./dev that is $2"
    flock "$1"
}

unlock() { eval "exec $1>&-"; }

# need_space FOLDER GIBIBYTES WHAT
need_space() {
    local folder=$1 free
    while [[ ! -d $folder ]]; do folder=$(dirname "$folder"); done
    free=$(df -Pk "$folder" | awk 'NR == 2 { print $4 }')
    ((free >= $2 * 1024 * 1024)) ||
        die "$3 needs $2 GiB in $1, but only $((free / 1024)) MiB are free; free some space there${4:+, or $4}"
}

elapsed() { printf '%d:%02d' $((SECONDS / 60)) $((SECONDS % 60)); }
