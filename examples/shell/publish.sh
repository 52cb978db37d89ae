#!/bin/sh
# Publishes one event with curl. The data is the argument or, without one, standard input, byte for byte.
#
# usage: publish.sh TOPIC [DATA]
#   FRESHET_URL    where freshet is (http://127.0.0.1:8042)
#   FRESHET_TOKEN  a token that may publish, if the server asks for one
#   EVENT, KEY     the event's type; what it is a new value of (percent-encoded, as they go into a URL)
set -eu

topic=${1:?usage: publish.sh TOPIC [DATA]}
base=${FRESHET_URL:-http://127.0.0.1:8042}

# The body is the data as it is, so it needs no quoting. Everything else about the event goes into the query.
query="event=${EVENT:-message}&key=${KEY:-}"

# One name for this publish: when the answer is lost and curl asks again, the event is not published twice.
once=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')

if [ $# -gt 1 ]; then printf '%s' "$2"; else cat; fi |
    curl --silent --show-error --fail-with-body \
        --retry 5 --retry-connrefused --max-time 30 \
        --header 'Content-Type: text/plain' \
        --header "Idempotency-Key: \"$once\"" \
        ${FRESHET_TOKEN:+--header "Authorization: Bearer $FRESHET_TOKEN"} \
        --data-binary @- \
        "$base/events/$topic?$query"
