"""BIL: what a picture costs, and what is left."""

from contract_tests.case import Case, Time
from contract_tests.probe import BALANCE, Answer, NotExercised, Probe

_DOCUMENTED = 0.035  # BIL-3, dollars an image
_CENT = 0.000_5  # what a balance may be rounded by


def _balance(probe: Probe) -> Answer:
    answer = probe.send("GET", BALANCE)
    if not _is_number(answer.data):
        raise NotExercised(f"the balance is not known: {answer.shown}")
    return answer


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _answered(probe: Probe) -> None:
    answer = probe.send("GET", BALANCE)
    probe.check(
        "BIL-2",
        answer.status == 200 and _is_number(answer.data) and answer.data >= 0,
        expected="HTTP 200 with data a number of dollars",
        seen=answer,
    )


def _moves(probe: Probe) -> None:
    probe.change(balance=12.5)
    answer = probe.send("GET", BALANCE)
    probe.check(
        "BIL-2", answer.data == 12.5, expected="the 12.5 dollars that are left", seen=answer
    )


def _by_image(probe: Probe) -> None:
    costs = []
    for count in (1, 2, 4):
        before = _balance(probe).data
        probe.ended(probe.task(num_images=count))
        costs.append(before - _balance(probe).data)
    one = costs[0]
    for count, cost in zip((1, 2, 4), costs, strict=True):
        probe.check(
            "BIL-1",
            one > 0 and abs(cost - count * one) < _CENT,
            expected=f"{count} pictures cost {count} times what one costs, ${one:g}",
            seen=f"${cost:g}",
        )


def _price(probe: Probe) -> None:
    before = _balance(probe).data
    probe.ended(probe.task())
    cost = before - _balance(probe).data
    configured = (probe.target.info or {}).get("price", _DOCUMENTED)
    probe.check(
        "BIL-3",
        abs(cost - configured) < _CENT,
        expected=f"${configured:g} an image",
        seen=f"${cost:g}",
    )


CASES = (
    Case(
        id="S-BIL-001",
        title="the balance is a number of dollars",
        clauses=("BIL-2",),
        sends="a balance request",
        expects="HTTP 200 with a number",
        run=_answered,
        is_smoke=True,
    ),
    Case(
        id="S-BIL-002",
        title="the balance is what is left for the key",
        clauses=("BIL-2",),
        sends="a balance request after the balance was set",
        expects="that balance",
        run=_moves,
        needs_control=True,
    ),
    Case(
        id="S-BIL-003",
        title="each generated image is billed",
        clauses=("BIL-1",),
        sends="tasks of 1, 2 and 4 pictures, with balance requests between them",
        expects="costs in proportion",
        run=_by_image,
        images=7,
        worst_images=7,
        time=Time.ONE_GENERATION,
    ),
    Case(
        id="S-BIL-004",
        title="an image has its price",
        clauses=("BIL-3",),
        sends="a task of one picture, with balance requests before and after",
        expects="$0.035, or what is configured",
        run=_price,
        images=1,
        worst_images=1,
        time=Time.ONE_GENERATION,
        is_smoke=True,
    ),
)
