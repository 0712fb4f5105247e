"""One API key's sandbox as a pure state machine: `Sandbox.apply(command)` returns a result."""
