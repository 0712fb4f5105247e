"""Plays a scenario that a report has printed, for the pytest test in that report."""

import os
from collections.abc import Mapping
from typing import Any

import msgspec

from contract_tests.contract.errors import TargetError
from contract_tests.contract.verdicts import Verdict
from contract_tests.server.case import Case
from contract_tests.server.options import DEFAULT_KEY, Options
from contract_tests.server.probe import Probe
from contract_tests.server.session import open_session
from contract_tests.server.traffic.scenarios import Scenario
from contract_tests.server.traffic.verdicts import Findings


def violated_clauses(scenario: Mapping[str, Any], base_url: str) -> set[str]:
    """Play a scenario against a server on this machine, and return the clauses that it violates.

    The API key comes from APIXO_API_KEY, if that is set.

    Raises:
        TargetError: The server is not on this machine, or the scenario was interrupted.
    """
    played = msgspec.convert(scenario, Scenario)

    def run(probe: Probe) -> None:
        player = Findings(probe).player(played)
        player.play(played.steps)
        probe.findings += [failure.finding for failure in player.failures.values()]

    case = Case(id="S-TRF-900", title="a printed scenario", clauses=(), sends="", expects="",
                run=run, provokes=(402, 403, 429))  # fmt: skip
    api_key = os.environ.get("APIXO_API_KEY", "").strip() or DEFAULT_KEY
    with open_session(Options(base_url=base_url, api_key=api_key)) as session:
        (ran,) = session.run((case,))
    if ran.result.verdict is Verdict.ERROR:
        raise TargetError(f"the scenario could not be played: {ran.result.reason}")
    return {each.clause for each in ran.result.findings if each.verdict is Verdict.FAIL}
