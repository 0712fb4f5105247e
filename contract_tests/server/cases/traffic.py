"""TRF: scenarios that cover combinations of what clients do, in blocks (see traffic/factors.py)."""

from collections.abc import Callable, Sequence
from functools import cache
from threading import Lock
from typing import Final

from contract_tests.server.case import Case, Time
from contract_tests.server.probe import Probe
from contract_tests.server.traffic.array import Row, covering_array
from contract_tests.server.traffic.factors import SPACE
from contract_tests.server.traffic.together import rows_together
from contract_tests.server.traffic.verdicts import play_all, play_together

_PAIRS, _TRIPLES, _FOURS = 2, 3, 4
_TRIPLE_BLOCKS: Final = 8
_FOUR_BLOCKS: Final = 16
_CLAUSES: Final = (
    "SUB-1", "STA-3", "STA-4", "STA-5", "STA-6", "STA-7", "STA-8", "STA-9", "STA-10", "FAIL-1",
    "LIM-2", "CB-1", "BIL-1", "BIL-2",
)  # fmt: skip
_REAL_TIME_CLAUSES: Final = (
    "SUB-1", "STA-3", "STA-4", "STA-5", "STA-6", "STA-7", "STA-8", "STA-9", "STA-10", "FAIL-1",
    "CB-1", "BIL-2",
)  # fmt: skip
_WORDS: Final = {_PAIRS: "two", _TRIPLES: "three", _FOURS: "four"}
_LOCK: Final = Lock()


@cache
def _computed(strength: int, seed: int) -> tuple[Row, ...]:
    first = _computed(strength - 1, seed) if strength > _PAIRS else ()
    return tuple(covering_array(SPACE, strength, seed=seed, first=first))


def rows_of(strength: int, seed: int) -> tuple[Row, ...]:
    """Return the rows that cover all combinations of this strength.

    They begin with the rows of the next lower strength. Several threads may call this.
    """
    with _LOCK:
        return _computed(strength, seed)


def _block(strength: int, number: int, blocks: int) -> Callable[[Probe], None]:
    def run(probe: Probe) -> None:
        rows = rows_of(strength, probe.seed)
        chosen = dealt(strength, probe.seed, blocks)[number]
        play_all(probe, ((place, rows[place]) for place in chosen))

    return run


def dealt(strength: int, seed: int, blocks: int) -> list[list[int]]:
    """Return for each block the places of its rows, of those that this strength adds.

    Moderated prompts are rare, because they exclude much. Rows are dealt by prompt, so that every
    block has some.
    """
    rows: Sequence[Row] = rows_of(strength, seed)
    begin = len(rows_of(strength - 1, seed)) if strength > _PAIRS else 0
    places = sorted(range(begin, len(rows)), key=lambda place: rows[place]["prompt"])
    return [places[number::blocks] for number in range(blocks)]


def _case(case_id: str, strength: int, number: int, blocks: int) -> Case:
    part = f", part {number + 1} of {blocks}" if blocks > 1 else ""
    return Case(
        id=case_id,
        title=f"scenarios with every combination of {_WORDS[strength]} factors get the predicted"
        f" responses{part}",
        clauses=_CLAUSES,
        sends="scenarios that combine 13 factors, such as the route, the number of images, the"
        " outcome, the receiver of callbacks, other keys and limits",
        expects="the response that the model of the contract predicts, for every request",
        run=_block(strength, number, blocks),
        images=50,
        worst_images=100,
        needs_control=True,
        needs_receiver=True,
        is_slow=True,
        is_smoke=strength == _PAIRS,
        is_deep=strength == _FOURS,
        provokes=(402, 403, 429),
        loopback_only="sends many tasks, some of which violate the provider's rules on purpose",
    )


def _together(probe: Probe) -> None:
    play_together(probe, rows_together(probe.seed))


CASES = (
    _case("S-TRF-001", _PAIRS, 0, 1),
    Case(
        id="S-TRF-002",
        title="tasks in progress together, with every combination of two factors, get the predicted"
        " responses",
        clauses=_REAL_TIME_CLAUSES,
        sends="about 60 valid submits that combine 9 factors, invalid ones that differ from them by"
        " one member, and status requests until half a minute after the last task has ended",
        expects="the response that the model of the contract predicts, for every request",
        run=_together,
        images=170,
        worst_images=340,
        time=Time.ONE_GENERATION,
        is_slow=True,
        needs_receiver=True,
        provokes=(402, 403, 429),
        loopback_only="buys about 170 images, and violates the provider's rules on purpose",
    ),
    *(_case(f"S-TRF-{n + 101}", _TRIPLES, n, _TRIPLE_BLOCKS) for n in range(_TRIPLE_BLOCKS)),
    *(_case(f"S-TRF-{n + 201}", _FOURS, n, _FOUR_BLOCKS) for n in range(_FOUR_BLOCKS)),
)
