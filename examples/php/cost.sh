#!/bin/sh
# Measures what so many listeners cost, who only wait: by hand, where each holds a PHP process, and through freshet. Linux.
#
# usage: cost.sh [LISTENERS]        (50)
#   FRESHET  the program, if it is not in the PATH
set -eu
cd "$(dirname "$0")"

listeners=${1:-50}
seconds=10
work=$(mktemp -d)
started=
php=
# The workers of PHP outlive the one that started them.
workers() {
    [ -z "$php" ] || cat "/proc/$php/task/$php/children"
}
# shellcheck disable=SC2046,SC2086
trap 'kill $(workers) $started 2>/dev/null || true; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

# await FILE PATTERN: until FILE has a line like PATTERN; prints what matched.
await() {
    tries=0
    until grep -o "$2" "$1" 2>/dev/null | head -n 1 | grep .; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || { echo "cost: no $2 in $1" >&2 && exit 1; }
        sleep 0.1
    done
}

# One after the other, because a process of PHP that gets two connections at once lets one of them wait for ever.
listen() {
    n=0
    while [ $n -lt "$listeners" ]; do
        curl -sN "$1" >"$work/stream-$2-$n" &
        started="$started $!"
        await "$work/stream-$2-$n" '^retry' >/dev/null
        n=$((n + 1))
    done
}

# processor_time PID…, memory PID…: processor time in milliseconds; memory in KB, what they share divided by who shares it.
processor_time() {
    for pid in "$@"; do cat /proc/"$pid"/task/*/schedstat; done | awk '{ sum += $1 } END { printf "%d", sum / 1000000 }'
}
memory() {
    for pid in "$@"; do cat "/proc/$pid/smaps_rollup"; done | awk '/^Pss:/ { sum += $2 } END { print sum }'
}

# report NAME PID…
report() {
    name=$1
    shift
    before=$(processor_time "$@")
    sleep $seconds
    echo "$name: $listeners listeners, $# processes, $(memory "$@") KB, $(($(processor_time "$@") - before)) ms of processor time in $seconds s"
}

export TMPDIR="$work"
PHP_CLI_SERVER_WORKERS=$((listeners - 1)) php -q -S 127.0.0.1:0 index.php 2>"$work/php" &
php=$!
started=$php
address=$(await "$work/php" 'http://127.0.0.1:[0-9]*')
listen "$address/direct" php
# shellcheck disable=SC2046
report 'by hand' $php $(workers)
curl -s -o /dev/null -m 2 "$address/" || echo 'by hand: the site does not answer any more'

"${FRESHET:-freshet}" serve --listen 127.0.0.1:0 >"$work/freshet" 2>&1 &
freshet=$!
started="$freshet $started"
address=$(await "$work/freshet" 'http://127.0.0.1:[0-9]*')
report 'freshet, empty' $freshet
listen "$address/events/messages" freshet
report 'freshet' $freshet
