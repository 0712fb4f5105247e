"""SUB-17: an account without credit."""

from contract_tests.server.case import Case
from contract_tests.server.examples import differences, error_text
from contract_tests.server.interruptions import CaseSkipped
from contract_tests.server.probe import Probe


def _credit(probe: Probe) -> None:
    _price(probe)
    settings = probe.target.settings or {}
    for status in (settings.get("insufficient_credits_status", 400), 400, 402):
        probe.change_settings(balance=0, insufficient_credits_status=status)
        answer = probe.submit()
        problems = list(differences({"code": status, "message": str}, answer.json))
        probe.check(
            "SUB-17",
            answer.status == status
            and not problems
            and "insufficient credits" in error_text(answer).lower(),
            expected=f"HTTP {status} Insufficient credits, as configured",
            seen=answer,
        )


def _last_credit(probe: Probe) -> None:
    price = _price(probe)
    probe.change_settings(balance=price * 2)
    enough = probe.submit(num_images=2)
    nothing_left = probe.submit()
    probe.check(
        "SUB-17",
        enough.status == 200 and nothing_left.status in {400, 402},
        expected="two images are accepted with credit for two, a third is rejected",
        seen=nothing_left,
    )


def _price(probe: Probe) -> float:
    """Return the price of an image. Raise CaseSkipped if credit does not matter."""
    price = (probe.target.info or {}).get("price")
    if not isinstance(price, int | float):
        raise CaseSkipped("the price is unknown")
    if price == 0:
        raise CaseSkipped("an image costs nothing here")
    return float(price)


CASES = (
    Case(
        id="S-SUB-044",
        title="an account without credit is rejected with Insufficient credits",
        clauses=("SUB-17",),
        sends="submits with a balance of 0",
        expects="400 or 402 Insufficient credits, as configured",
        run=_credit,
        needs_control=True,
        provokes=(402,),
    ),
    Case(
        id="S-SUB-045",
        title="the credit can be used completely, but not exceeded",
        clauses=("SUB-17",),
        sends="submits for two images and one, with credit for two",
        expects="the first is accepted, the second rejected",
        run=_last_credit,
        needs_control=True,
        provokes=(402,),
    ),
)
