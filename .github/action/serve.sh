#!/usr/bin/env bash
# Starts the mock on a free port, waits until it is ready, and outputs its address.
set -euo pipefail

out=$RUNNER_TEMP/apixo-mock.out
log=$RUNNER_TEMP/apixo-mock.log
: >"$out"
# shellcheck disable=SC2086  # several switches
nohup "$RUNNER_TEMP/apixo-testkit/bin/mock-server" --port 0 $SWITCHES >"$out" 2>"$log" </dev/null &
server=$!
until url=$(sed -n '1s/^mock-server listening on //p' "$out") && [ -n "$url" ]; do
    if ! kill -0 "$server" 2>/dev/null; then
        echo "::error::the mock did not start: $(tail -n 1 "$log")"
        exit 1
    fi
    sleep 0.1
done
curl --silent --show-error --fail --insecure --output /dev/null --retry 30 --retry-delay 1 --retry-all-errors \
    "$url/_mock/ready"
echo "The mock listens on $url (log: $log)."
{
    echo "base-url=$url"
    echo "log=$log"
    echo "pid=$server"
} >>"$GITHUB_OUTPUT"
