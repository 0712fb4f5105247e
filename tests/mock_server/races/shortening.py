"""Find fewer steps of a script that still violate an invariant."""

from collections.abc import Callable, Sequence

from tests.mock_server.races.script import Script, Step

_TRIES = 3  # A race does not always end in the same way.


def shortened(
    script: Script, violates: Callable[[Script], bool], report: Callable[[Script], None]
) -> Script:
    """Remove parts of a script while it still violates an invariant in one of a few runs."""
    size = max(len(script.steps) // 2, 1)
    while True:
        shorter = _without_part(script, size, violates)
        if shorter is not None:
            script = shorter
            report(script)
            size = min(size, max(len(script.steps) // 2, 1))
        elif size == 1:
            return script
        else:
            size //= 2


def _without_part(script: Script, size: int, violates: Callable[[Script], bool]) -> Script | None:
    steps: Sequence[Step] = script.steps
    for start in range(0, len(steps), size):
        candidate = Script(script.seed, [*steps[:start], *steps[start + size :]])
        if candidate.steps and any(violates(candidate) for _ in range(_TRIES)):
            return candidate
    return None
