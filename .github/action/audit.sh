#!/usr/bin/env bash
# Audits the client, appends the summary to that of the step, and exits as the audit does.
set -euo pipefail

switches=(--exec "$EXEC" --suite "$SUITE" --report "$REPORT")
[ "$STRICT" != true ] || switches+=(--strict)
status=0
"$RUNNER_TEMP/apixo-testkit/bin/contract-tests" audit "${switches[@]}" || status=$?
echo "report=$REPORT" >>"$GITHUB_OUTPUT"
if [ -f "$REPORT/summary.md" ]; then
    cat "$REPORT/summary.md" >>"$GITHUB_STEP_SUMMARY"
fi
exit "$status"
