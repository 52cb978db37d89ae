#!/bin/sh
# Publishes the load of this machine every second, through freshet's own command: one connection, and each line that is
# piped in is an event. Anything that prints lines can stand in its place: tail -f, ping, a build, a sensor.
#
# usage: load.sh [TOPIC]
#   FRESHET_URL  where freshet is (http://127.0.0.1:8042)
#   FRESHET      the program, if it is not in the PATH
#   PERIOD       seconds between two lines (1)
set -eu

while uptime | sed 's/.*load average[s]*: *//'; do
    sleep "${PERIOD:-1}"
done | "${FRESHET:-freshet}" pub "${1:-load}" --lines --quiet --event load --key "$(uname -n)"
