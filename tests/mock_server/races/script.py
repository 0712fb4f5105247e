"""What the clients of a race do: drawn from a seed, so that one seed can be run again."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

CLIENTS = 30
KEYS = 3
_STEPS = 12  # Of each client.


class Kind(StrEnum):
    """What one step of a client does."""

    SUBMIT = "submit"
    STATUS = "status"
    BALANCE = "balance"
    RESULT = "result"
    FINISH = "finish"
    ADVANCE = "advance"
    CLOCK = "clock"
    WAIT_FOR_TASK = "wait for a task"
    WAIT_FOR_ENTRIES = "wait for entries"
    EVENTS = "events"
    RULE = "rule"
    NEXT = "next"
    CLEAR_RULES = "clear rules"
    SETTINGS = "settings"
    COUNTERS = "counters"
    EXPORT = "export"
    RESTORE = "restore"
    RESET = "reset"
    REMOVE = "remove"


class Cut(StrEnum):
    """When a client closes its connection, if it does."""

    HEAD = "within the head"
    BODY = "within the body"
    SENT = "after the request"
    RESET = "after the request, with RST"
    LATER = "while the request is handled"
    HALF = "its sending side, after the request"


_WEIGHTS = {
    Kind.SUBMIT: 30,
    Kind.STATUS: 14,
    Kind.BALANCE: 3,
    Kind.RESULT: 2,
    Kind.FINISH: 8,
    Kind.ADVANCE: 7,
    Kind.CLOCK: 3,
    Kind.WAIT_FOR_TASK: 4,
    Kind.WAIT_FOR_ENTRIES: 3,
    Kind.EVENTS: 4,
    Kind.RULE: 4,
    Kind.NEXT: 3,
    Kind.CLEAR_RULES: 2,
    Kind.SETTINGS: 2,
    Kind.COUNTERS: 4,
    Kind.EXPORT: 4,
}
_DROPS = {Kind.RESTORE: 3, Kind.RESET: 2, Kind.REMOVE: 1}
DROPS = frozenset(_DROPS)
WAITS = frozenset({Kind.WAIT_FOR_TASK, Kind.WAIT_FOR_ENTRIES})
_CUT_ONE_OF = 5


@dataclass(frozen=True, slots=True)
class Step:
    """One request of one client. `dice` decides about its details."""

    number: int  # Unique in the script.
    client: int
    key: int
    kind: Kind
    cut: Cut | None
    dice: int

    def __str__(self) -> str:
        cut = "" if self.cut is None else f", closes {self.cut}"
        return f"{self.number}: client {self.client}, key {self.key}: {self.kind}{cut}"


@dataclass(frozen=True, slots=True)
class Script:
    """The steps of all clients; those of one client are made in order."""

    seed: int
    steps: Sequence[Step]

    def of_client(self, client: int) -> list[Step]:
        return [step for step in self.steps if step.client == client]


def draw(seed: int, *, steps: int = _STEPS) -> Script:
    """Draw the script of a seed.

    In scripts with an even seed nothing is deleted or restored, so everything must still be there.
    """
    dice = Random(seed)
    weights = _WEIGHTS | (_DROPS if seed % 2 else {})
    drawn: list[Step] = []
    for client in range(CLIENTS):
        for kind in dice.choices(list(weights), list(weights.values()), k=steps):
            # Most of the clients share a key.
            key = 0 if client % 3 else dice.randrange(KEYS)
            cut = dice.choice(list(Cut)) if dice.randrange(_CUT_ONE_OF) == 0 else None
            drawn.append(Step(len(drawn), client, key, kind, cut, dice.getrandbits(32)))
    return Script(seed, drawn)


def draw_cuts(seed: int) -> Script:
    """Draw a script in which each kind of request is interrupted at each moment.

    Nothing is deleted, so each effect of an interrupted request can be found.
    """
    dice = Random(seed)
    pairs = [(kind, cut) for kind in _WEIGHTS for cut in Cut] * 2
    dice.shuffle(pairs)
    drawn: list[Step] = []
    for number, (kind, cut) in enumerate(pairs):
        client = number % CLIENTS
        is_first = number < CLIENTS  # So that there are tasks for the other steps.
        drawn.append(
            Step(
                number,
                client,
                dice.randrange(KEYS),
                Kind.SUBMIT if is_first else kind,
                None if is_first else cut,
                dice.getrandbits(32),
            )
        )
    return Script(seed, drawn)
