#!/bin/sh
# paint.sh PROMPT OUT_DIR [NUM_IMAGES]; needs curl and jq.
set -eu
prompt=$1 out_dir=$2 num_images=${3:-1}
api=$APIXO_BASE_URL/api/v1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
die() { echo "error: $*" >&2; exit 1; }

# call METHOD-AND-OPTIONS…: the status goes to $status, the body to $work/body.
call() {
    status=$(printf 'header = "Authorization: Bearer %s"\n' "$APIXO_API_KEY" |
        curl -sS -K - --max-time 30 -D "$work/head" -o "$work/body" -w '%{http_code}' "$@" 2>"$work/err") || status=000
}

pause_after() {
    value=$(tr -d '\r' <"$work/head" | sed -n 's/^[Rr]etry-[Aa]fter: //p')
    case $value in
    '') echo "$1" ;;
    *[!0-9]*)
        now=$(tr -d '\r' <"$work/head" | sed -n 's/^[Dd]ate: //p')
        echo $(($(date -d "$value" +%s) - $(date -d "$now" +%s))) ;;
    *) echo "$value" ;;
    esac
}

jq -n --arg prompt "$prompt" --argjson n "$num_images" \
    '{input: {mode: "gpt-image-1", prompt: $prompt, num_images: $n}}' >"$work/request"
for backoff in 1 2 4 8 0; do
    call -H 'Content-Type: application/json' --data-binary "@$work/request" "$api/generateTask/gpt-image-1"
    [ "$status" = 429 ] && [ "$backoff" != 0 ] || break
    sleep "$(pause_after "$backoff")"
done
[ "$status" = 200 ] || die "submit: $status $(head -c 300 "$work/body" 2>/dev/null)"
task=$(jq -er .data.taskId "$work/body") || die "submit: the answer was not complete"

end=$(($(date +%s) + ${DEADLINE:-300}))
errors=0 state=
sleep "${FIRST_WAIT:-20}"
while [ "$(date +%s)" -lt "$end" ]; do
    call -G --data-urlencode "taskId=$task" "$api/statusTask/gpt-image-1"
    case $status in 400 | 401 | 403 | 404) die "status: $status" ;; esac
    state=
    [ "$status" = 200 ] && state=$(jq -er .data.state "$work/body" 2>/dev/null) || errors=$((errors + 1))
    [ -n "$state" ] && errors=0
    case $state in
    success) break ;;
    failed) die "$(jq -r '.data.failCode + ": " + .data.failMsg' "$work/body")" ;;
    esac
    [ "$errors" -lt 6 ] || die "status: too many errors, the last one $status"
    if [ "$status" = 429 ]; then sleep "$(pause_after 2)"; elif [ "$errors" -gt 0 ]; then sleep "$errors"; fi
    sleep "${POLL_INTERVAL:-3}"
done
[ "$state" = success ] || die "the task did not end in time"

number=0
jq -r '.data.resultJson | fromjson | .resultUrls[]' "$work/body" >"$work/urls"
[ -s "$work/urls" ] || die "a success without addresses"
while read -r url; do
    number=$((number + 1))
    for attempt in 1 2 3 4; do
        curl -sSfL --max-time 60 -o "$work/picture" "$url" &&
            tail -c 8 "$work/picture" | head -c 4 | grep -q IEND && break
        [ "$attempt" != 4 ] || die "download: gave up"
        sleep "$attempt"
    done
    mv "$work/picture" "$out_dir/$number.png"
done <"$work/urls"
echo "$number pictures in $out_dir"
