"""BIL: the price of images, and the balance."""

from contract_tests.contract.provider import BALANCE
from contract_tests.server.answer import Answer
from contract_tests.server.case import Case, Time
from contract_tests.server.interruptions import CaseSkipped, PreconditionNotMet
from contract_tests.server.probe import Probe

_DOCUMENTED = 0.035  # BIL-3, in US dollars per image.
_EXACT = 1e-6
_CENT = 0.01 + _EXACT  # The error of a difference of balances in whole cents.


def _balance(probe: Probe) -> Answer:
    answer = probe.send("GET", BALANCE)
    if not _is_number(answer.data):
        raise PreconditionNotMet(f"the balance is unknown: {answer.shown}")
    return answer


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _answered(probe: Probe) -> None:
    answer = probe.send("GET", BALANCE)
    probe.check(
        "BIL-2",
        answer.status == 200 and _is_number(answer.data) and answer.data >= 0,
        expected="HTTP 200 with a number of US dollars in data",
        seen=answer,
    )


def _moves(probe: Probe) -> None:
    probe.change_settings(balance=12.5)
    answer = probe.send("GET", BALANCE)
    probe.check(
        "BIL-2", answer.data == 12.5, expected="the balance of 12.5 US dollars", seen=answer
    )


def _cost(probe: Probe, count: int) -> tuple[float, float]:
    """Return the cost of a task with this number of images, and its maximum rounding error."""
    before = float(_balance(probe).data)
    probe.poll_until_final(probe.submit_task(num_images=count))
    after = float(_balance(probe).data)
    in_cents = all(abs(dollars - round(dollars, 2)) < _EXACT for dollars in (before, after))
    return before - after, _CENT if in_cents else _EXACT


def _by_image(probe: Probe) -> None:
    if (probe.target.info or {}).get("price") == 0:
        raise CaseSkipped("an image costs nothing here")
    costs = {count: _cost(probe, count) for count in (1, 2, 4)}
    four, rounded = costs[4]
    for count, (cost, rounded_too) in costs.items():
        share = four * count / 4
        probe.check(
            "BIL-1",
            four > 0 and abs(cost - share) <= rounded_too + rounded * count / 4,
            expected=f"${share:g} for a task of {count}, because a task of 4 costs ${four:g}",
            seen=f"${cost:g}",
        )


def _price(probe: Probe) -> None:
    cost, rounded = _cost(probe, 1)
    configured = (probe.target.info or {}).get("price", _DOCUMENTED)
    probe.check(
        "BIL-3",
        abs(cost - configured) <= rounded,
        expected=f"${configured:g} per image",
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
        title="the balance is that of the key",
        clauses=("BIL-2",),
        sends="a balance request after the balance was set",
        expects="the balance that was set",
        run=_moves,
        needs_control=True,
    ),
    Case(
        id="S-BIL-003",
        title="each generated image is billed",
        clauses=("BIL-1",),
        sends="tasks of 1, 2 and 4 images, with balance requests between them",
        expects="costs in proportion",
        run=_by_image,
        images=7,
        worst_images=7,
        time=Time.ONE_GENERATION,
    ),
    Case(
        id="S-BIL-004",
        title="an image costs the configured price",
        clauses=("BIL-3",),
        sends="a task of one image, with balance requests before and after",
        expects="$0.035, or the configured price",
        run=_price,
        images=1,
        worst_images=1,
        time=Time.ONE_GENERATION,
        is_smoke=True,
    ),
)
