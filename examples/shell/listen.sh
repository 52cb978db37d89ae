#!/bin/sh
# Listens with curl and prints the data of each event, a line each. When the stream ends, it waits as long as the server
# asked for and goes on after the last event that it has seen: nothing is lost and nothing comes twice.
#
# usage: listen.sh TOPIC [ID]      from after the event with this id; "earliest" is all that is kept
#   FRESHET_URL    where freshet is (http://127.0.0.1:8042)
#   FRESHET_TOKEN  a token that may listen, if the server asks for one
#   ONCE=1         end when the stream ends
set -eu

topic=${1:?usage: listen.sh TOPIC [ID]}
last=${2:-}
base=${FRESHET_URL:-http://127.0.0.1:8042}
retry=3000

# --no-buffer: print what comes when it comes. The server says something every 15 seconds, if only a comment, so
# silence of 45 means that the connection is dead although nobody has said so.
stream() {
    exec curl --silent --no-buffer --fail --speed-limit 1 --speed-time 45 \
        --header 'Accept: text/event-stream' \
        ${last:+--header "Last-Event-ID: $last"} \
        ${FRESHET_TOKEN:+--header "Authorization: Bearer $FRESHET_TOKEN"} \
        "$base/events/$topic"
}

# An event is a few lines "name: value" and an empty line; only then it is complete, and its id counts.
read_events() {
    data= id=$last type=message
    while IFS= read -r line; do
        case $line in
        '')
            case $type in
            freshet.gap) echo "listen: something was missed: $data" >&2 ;;
            *) [ -z "$data" ] || printf '%s\n' "${data%"$newline"}" ;;
            esac
            last=$id data= type=message
            ;;
        'data: '*) data=$data${line#data: }$newline ;;
        'data:'*) data=$data${line#data:}$newline ;;
        'id: '*) id=${line#id: } ;;
        'event: '*) type=${line#event: } ;;
        'retry: '*) retry=${line#retry: } ;;
        :*) ;; # a comment: the connection lives
        esac
    done
}

newline='
'
# A pipe would run the loop in a shell of its own, and what it learns (last, retry) would be gone: hence the named pipe.
pipe=$(mktemp -u)
mkfifo -m 600 "$pipe"
curl=
trap 'rm -f "$pipe"; [ -z "$curl" ] || kill "$curl" 2>/dev/null || true' EXIT
trap 'exit 0' INT TERM

while :; do
    stream >"$pipe" &
    curl=$!
    read_events <"$pipe"
    wait "$curl" || true
    curl=
    [ -z "${ONCE:-}" ] || exit 0
    sleep "$((retry / 1000)).$(printf %03d $((retry % 1000)))"
done
