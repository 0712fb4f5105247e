#!/usr/bin/env bash
# Installs the kit of this revision into an environment of its own: the client keeps its Python.
set -euo pipefail

case $MODE in
    serve) extra= ;;
    audit) extra='[contract]' ;;
    *) echo "::error::mode: must be serve or audit (got $MODE)"; exit 2 ;;
esac
if [ "$MODE" = audit ] && [ -z "$EXEC" ]; then
    echo "::error::exec: must be the command that runs the client"
    exit 2
fi
"$PYTHON" -m venv "$RUNNER_TEMP/apixo-testkit"
"$RUNNER_TEMP/apixo-testkit/bin/python" -m pip install --quiet \
    --constraint "$GITHUB_ACTION_PATH/constraints.txt" "$GITHUB_ACTION_PATH$extra"
